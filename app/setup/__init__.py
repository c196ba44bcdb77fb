"""Set-up: the one-time link that makes the first administrator of a new installation."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.setup import commands, views

    app.register_blueprint(views.bp)
    app.cli.add_command(commands.setup_link)
