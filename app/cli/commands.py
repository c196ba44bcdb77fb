"""flask commands for operators."""

from copy import copy

from flask import Flask
from flask_migrate import Migrate

from app.auth.commands import create_user, list_users, set_password
from app.cli.check_release import check_release_command
from app.cli.demo import demo_command
from app.cli.errors import friendly_errors
from app.cli.run import prepare_command, start_command
from app.config import ROOT
from app.database.engine import db
from app.files.commands import adopt_files, purge_files
from app.setup.commands import setup_link
from app.web.commands import build_assets


def init_app(app: Flask) -> None:
    """Register the commands, `flask db` for the migrations among them."""
    Migrate(app, db, directory=str(ROOT / "migrations"))
    for command in (
        start_command,
        prepare_command,
        demo_command,
        check_release_command,
        create_user,
        set_password,
        list_users,
        setup_link,
        build_assets,
        adopt_files,
        purge_files,
    ):
        own = copy(command)
        own.callback = friendly_errors(command)
        app.cli.add_command(own)
