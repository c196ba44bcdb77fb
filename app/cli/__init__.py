"""`flask` commands and the processes behind them: run, demo, dev, check-release, reload,
private Redis."""

from copy import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the private Redis starts without it
    from flask import Flask


def init_app(app: "Flask") -> None:
    """Register the commands that start and check processes, and `flask db` for migrations. Called
    last, so that the commands of all packages get friendly error messages."""
    from flask_migrate import Migrate

    from app.cli import check_release, dev, reload, run
    from app.cli.demo.command import demo_command
    from app.cli.errors import add_friendly_errors
    from app.config import ROOT
    from app.database.engine import db

    Migrate(app, db, directory=str(ROOT / "migrations"))
    for command in (
        run.start_command,
        run.prepare_command,
        run.build_assets_command,
        demo_command,
        dev.dev_command,
        check_release.check_release_command,
        reload.reload_command,
        run.clock_command,
    ):
        app.cli.add_command(command)
    former = copy(check_release.check_release_command)
    former.hidden = True
    app.cli.add_command(former, "try")  # its former name
    add_friendly_errors(app)
