"""The checks of every POST before its view: the body is a form of an allowed size, and has a valid
CSRF token."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the checks, which run after authentication."""
    from app.web.posts import bodies, csrf
    from app.web.posts.checks import check_post

    csrf.init_app(app)
    app.before_request(check_post)
    app.after_request(bodies.close_body)
