"""The page that demonstrates shared sessions: values in Redis that every worker reads."""

from flask import Flask


def init_app(app: Flask) -> None:
    from flask_babel import lazy_gettext as _l

    from app.session_page import views
    from app.web.navigation import MenuItem, add_to_menu

    app.register_blueprint(views.bp)
    entry = MenuItem(
        "session_page.show_session", _l("Session"), 20, lambda actor: True, icon="hdd-network"
    )
    add_to_menu(app, entry)
