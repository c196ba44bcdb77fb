"""Applying the lines of an import to the register, and undoing it: jobs that anybody can stop."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the kinds of jobs, the pages, and housekeeping."""
    from flask_babel import lazy_gettext as _l

    from app.cities.importing.applying import retention, tasks, views
    from app.jobs import kinds
    from app.schedules.shipped import add_housekeeping

    for kind in tasks.KINDS:
        kinds.add(app, kind)
    app.register_blueprint(views.bp)
    label = _l("Delete lines of old imports")
    add_housekeeping(app, "cities.delete_lines", label, 300, retention.delete_old_lines)
