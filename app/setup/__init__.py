"""The first minutes of an installation: the one-time link that makes the first administrator."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the page behind the link, and the command that prints it."""
    from app.setup import commands, views

    app.register_blueprint(views.bp)
    app.cli.add_command(commands.setup_link)
