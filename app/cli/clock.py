"""`flask clock`: the program `clock` of supervisor.conf."""

import os

import click
from flask import current_app

from app.cli.processes import Stop
from app.clock.registry import jobs_of
from app.clock.run import Clock
from app.current import settings
from app.logs.process import configure


@click.command("clock")
def clock_command() -> None:
    """Do the housekeeping until it is stopped, or whatever started it is gone."""
    configure(settings())
    stop, parent = Stop(), os.getppid()
    jobs = jobs_of(current_app._get_current_object()).values()  # type: ignore[attr-defined]
    Clock(jobs).run(lambda: stop.requested or os.getppid() != parent)
