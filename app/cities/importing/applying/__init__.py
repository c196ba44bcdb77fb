"""Applying the lines of an import to the register, and undoing it: jobs that anybody can stop."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the kinds of jobs and the pages."""
    from app.cities.importing.applying import tasks, views
    from app.jobs import kinds

    for kind in tasks.KINDS:
        kinds.add(app, kind)
    app.register_blueprint(views.bp)
