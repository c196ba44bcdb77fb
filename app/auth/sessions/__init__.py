"""Sessions in Redis: how they begin, are stored and end, and who makes a request."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register where sessions are stored and how a request is identified."""
    from app.auth.sessions import installation
    from app.auth.sessions.identification import set_actor
    from app.auth.sessions.interface import SharedSessionInterface
    from app.clock import registry
    from app.web.hooks import identify_with

    app.session_interface = SharedSessionInterface(app)
    identify_with(app, set_actor)
    registry.add(app, "sessions ended after a restore", 60, installation.compare)
