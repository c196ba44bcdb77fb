"""The checks of every POST before its view: the body is a form of an allowed size, and has a valid
CSRF token."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the checks, which run after authentication."""
    from app.web.posts import bodies, csrf, drafts
    from app.web.posts.checks import check_post
    from app.web.posts.signatures import signed

    app.jinja_env.globals["signed"] = signed
    csrf.init_app(app)
    app.before_request(check_post)
    drafts.init_app(app)
    app.after_request(bodies.close_body)
