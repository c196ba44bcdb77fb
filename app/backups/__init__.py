"""Backups: one archive of database, files and settings, and proving that it can be restored."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.backups import commands, hooks

    app.cli.add_command(commands.backup)
    app.before_request(hooks.refuse_while_restoring)
