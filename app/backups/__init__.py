"""Backups: one archive of database, files and settings, and proving that it can be restored."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.backups import commands

    app.cli.add_command(commands.backup)
