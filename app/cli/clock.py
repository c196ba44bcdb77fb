"""`flask clock`: the program `clock` of supervisor.conf."""

import click
from flask import current_app

from app.cli.processes import Stop
from app.clock.registry import jobs_of
from app.clock.run import Clock
from app.current import settings
from app.logs.process import configure


@click.command("clock")
def clock_command() -> None:
    """Do the housekeeping until it is stopped."""
    configure(settings())
    stop = Stop()
    Clock(jobs_of(current_app._get_current_object()).values()).run(lambda: stop.requested)  # type: ignore[attr-defined]
