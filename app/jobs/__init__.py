"""Work that takes longer than a page: jobs, which a worker does, their progress and their pages.

The row of a job is the truth. A service inserts it; the clock sends its id to the broker
(outbox.py); a worker claims it, does it and writes how it ended (claim.py, work.py).
"""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the kinds, the pages and the commands, what the clock does, and the entry of the
    bar."""
    from flask_babel import lazy_gettext as _l

    from app.clock import registry
    from app.current import active_jobs
    from app.history.subjects import register
    from app.jobs import commands, deliveries, kinds, retention, shared, subjects, views
    from app.jobs.worker import outbox
    from app.schedules.shipped import add_housekeeping
    from app.web.navigation import MenuItem, add_to_bar

    kinds.init_app(app)
    register(app, subjects.JOB)
    shared.init_app(app)
    deliveries.init_app(app)
    app.register_blueprint(views.bp)
    app.cli.add_command(commands.jobs)
    app.cli.add_command(commands.explain_id)
    label = _l("Delete jobs that ended long ago")
    add_housekeeping(app, "jobs.delete_ended", label, 300, retention.delete_ended)
    registry.add(app, "jobs sent", outbox.POLL_SECONDS, outbox.Outbox(app).work, apart=True)
    entry = MenuItem(
        "jobs.list_jobs",
        _l("Jobs"),
        50,
        blueprints=("jobs",),
        words="任务 worker",
        count=lambda: str(active_jobs() or ""),
    )
    add_to_bar(app, entry)
