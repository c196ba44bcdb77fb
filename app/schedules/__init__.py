"""Schedules: what starts jobs again and again, at certain times or once. The clock starts them
(due.py); administrators make them on pages and with `flask schedules`."""

from flask import Flask


def init_app(app: Flask) -> None:
    from flask_babel import lazy_gettext as _l

    from app.clock import registry
    from app.history.subjects import register
    from app.schedules import commands, due, subjects, views
    from app.web.navigation import MenuItem, add_to_menu

    register(app, subjects.SCHEDULE)
    app.register_blueprint(views.bp)
    app.cli.add_command(commands.schedules)
    registry.add(app, "schedules", due.POLL_SECONDS, due.work, apart=True)
    registry.add(app, "old runs of schedules deleted", 600, due.delete_old_runs)
    entry = MenuItem(
        "schedules.list_schedules",
        _l("Schedules"),
        45,
        lambda actor: actor.is_admin,
        ("schedules",),
        icon="calendar-event",
        words="计划 cron clock",
    )
    add_to_menu(app, entry)
