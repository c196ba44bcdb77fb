"""Schedules: what starts jobs again and again, at certain times or once. The clock starts them
and does short housekeeping itself (running/). Some ship with the product (shipped.py);
administrators make others on pages and with `flask schedules`."""

from flask import Flask


def init_app(app: Flask) -> None:
    from flask_babel import lazy_gettext as _l

    from app.clock import registry
    from app.history.subjects import register
    from app.schedules import commands, shipped, subjects, views
    from app.schedules.running import due, housekeeping
    from app.web.navigation import MenuItem, add_to_menu

    register(app, subjects.SCHEDULE)
    app.register_blueprint(views.bp)
    app.cli.add_command(commands.schedules)
    registry.add(app, "shipped schedules", 3600, shipped.store_new)
    registry.add(app, "housekeeping", housekeeping.POLL_SECONDS, housekeeping.work)
    registry.add(app, "schedules", due.POLL_SECONDS, due.work, apart=True)
    label = _l("Delete old runs of schedules")
    shipped.add_housekeeping(app, "schedules.delete_runs", label, 600, due.delete_old_runs)
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
