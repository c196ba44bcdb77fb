"""Sessions in Redis: how they begin, are stored and end, and who makes a request."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register where sessions are stored and how a request is identified."""
    from flask_babel import lazy_gettext as _l

    from app.auth.sessions import installation
    from app.auth.sessions.identification import set_actor
    from app.auth.sessions.interface import SharedSessionInterface
    from app.schedules.shipped import add_housekeeping
    from app.web.hooks import identify_with

    app.session_interface = SharedSessionInterface(app)
    identify_with(app, set_actor)
    label = _l("End all sessions if the database was restored")
    add_housekeeping(app, "sessions.compare", label, 60, installation.compare)
