"""Backups: one archive of database, files and settings, and proving that it can be restored."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.backups import commands, hooks, tasks
    from app.jobs import kinds

    for kind in (tasks.CREATE, tasks.REHEARSE):
        kinds.add(app, kind)
    app.cli.add_command(commands.backup)
    app.before_request(hooks.refuse_while_restoring)
