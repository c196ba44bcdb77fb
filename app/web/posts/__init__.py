"""The checks of every POST before its view: the body is a form of an allowed size, and has a valid
CSRF token."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the checks, which run after authentication."""
    from app.web.posts import csrf

    csrf.init_app(app)
