"""Backups: one archive of database, files and settings, and proving that it can be restored."""

from flask import Flask


def init_app(app: Flask) -> None:
    from flask_babel import lazy_gettext as _l

    from app.backups import commands, hooks, tasks
    from app.jobs import kinds
    from app.schedules import shipped
    from app.schedules.shipped import Shipped

    for kind, name, label, when in (
        (tasks.CREATE, "nightly-backup", _l("Nightly backup"), "0 2 * * *"),
        (tasks.REHEARSE, "nightly-rehearsal", _l("Nightly rehearsal of a restore"), "0 3 * * *"),
    ):
        kinds.add(app, kind)
        shipped.add(app, Shipped(name, label, kind.name, when))
    app.cli.add_command(commands.backup)
    app.before_request(hooks.refuse_while_restoring)
