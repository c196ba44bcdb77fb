"""Applying the lines of an import to the register, and undoing it: jobs that anybody can stop."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the kinds of jobs, the pages, and housekeeping."""
    from app.cities.importing.applying import retention, tasks, views
    from app.clock import registry
    from app.jobs import kinds

    for kind in tasks.KINDS:
        kinds.add(app, kind)
    app.register_blueprint(views.bp)
    registry.add(app, "lines of old imports deleted", 300, retention.delete_old_lines)
