"""Tokens, with which scripts act as a person."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the page with its entry of the menu, and what the history shows."""
    from flask_babel import lazy_gettext as _l

    from app.auth.tokens import subjects, views
    from app.history.subjects import register
    from app.web.navigation import MenuItem, add_to_menu

    register(app, subjects.TOKEN)
    app.register_blueprint(views.bp)
    entry = MenuItem(
        "tokens.list_tokens", _l("Tokens"), 15, lambda actor: True, ("tokens",), icon="key"
    )
    add_to_menu(app, entry)
