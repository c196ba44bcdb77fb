"""The history: one entry for each change that somebody made, written with the change."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the page, the commands, the entry of the menu, and what a pruning is about."""
    from flask_babel import lazy_gettext as _l

    from app.history import commands, views
    from app.history.subjects import Subject, register
    from app.web.navigation import MenuItem, add_to_menu

    app.register_blueprint(views.bp)
    app.cli.add_command(commands.history)
    add_to_menu(
        app,
        MenuItem(
            "history.list_history", _l("History"), 50, lambda actor: actor.is_admin,
            icon="clock-history",
        ),
    )  # fmt: skip
    register(
        app,
        Subject(
            kind="history",
            name=_l("History"),
            labels=lambda ids: dict.fromkeys(ids, str(_l("History"))),
            actions={"history.prune": _l("Old entries deleted")},
            fields={"until": _l("Written before"), "entries": _l("Entries")},
        ),
    )
