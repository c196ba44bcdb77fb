"""Sign-in, sessions, people and their roles, tokens of scripts."""

from operator import attrgetter

from flask import Flask


def init_app(app: Flask) -> None:
    """Register sessions, tokens, pages, commands, entries of the menu, and the subject."""
    from app.auth import (
        commands,
        forms,
        people_views,
        preferences,
        sessions,
        subjects,
        tokens,
        views,
    )
    from app.history.subjects import register
    from app.web.navigation import navigation

    app.jinja_env.globals["role_names"] = forms.ROLE_NAMES
    sessions.init_app(app)
    register(app, subjects.PERSON)
    tokens.init_app(app)
    preferences.init_app(app)
    for blueprint in (views.bp, people_views.bp):
        app.register_blueprint(blueprint)
    for command in (
        commands.create_user,
        commands.set_password,
        commands.unlock,
        commands.list_users,
    ):
        app.cli.add_command(command)
    navigation(app).sign_in, navigation(app).own_password = "auth.login", "auth.change_password"
    add_entries(app)


def add_entries(app: Flask) -> None:
    """Add the entries of the menu, and of pages that only the search names."""
    from flask_babel import lazy_gettext as _l

    from app.web.navigation import MenuItem, add_to_menu, add_to_search

    words = "time zone language sessions 时区 语言 会话"
    is_admin, is_signed_in = attrgetter("is_admin"), attrgetter("is_signed_in")
    for entry in (
        MenuItem("auth.account", _l("Account"), 10, lambda actor: True, icon="person", words=words),
        MenuItem("people.list_people", _l("People"), 40, is_admin, icon="people"),
    ):
        add_to_menu(app, entry)
    for entry in (
        MenuItem("auth.change_password", _l("Change password"), 30, is_signed_in),
        MenuItem("people.create_person", _l("Add person"), 40, is_admin, words="user 用户"),
    ):
        add_to_search(app, entry)
