"""Forms before their view: how large a body may be, where it comes from and whose it is, and what
happens to one whose session has ended. app/web/hooks.py calls these checks."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Give templates the token and the signed action of their forms."""
    from app.web.posts import csrf

    app.jinja_env.globals.update(
        csrf_token=csrf.session_token, visitor_csrf_token=csrf.visitor_token, signed=csrf.signed,
        warning_of_http=csrf.warning_of_http,
    )  # fmt: skip
