"""flask history: deleting old entries."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask.cli import AppGroup

from app.actor import Actor
from app.current import settings
from app.history import services
from app.history.queries import FIRST_YEAR
from app.times import now, start_of_day


class Day(click.DateTime):
    """A day; an invalid one is refused with an example instead of a format."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is not a day such as 2025-01-01", param, ctx)


history = AppGroup("history", help="The history of changes.")


@history.command("prune")
@click.option(
    "--before",
    "day",
    type=Day(["%Y-%m-%d"]),
    required=True,
    metavar="DATE",
    help="Entries written before this day are deleted, for example 2025-01-01.",
)
def prune(day: datetime) -> None:
    """Delete old entries for good."""
    zone = ZoneInfo(settings().time_zone)
    if day.year < FIRST_YEAR:
        raise click.BadParameter(f"the year is before {FIRST_YEAR}", param_hint="--before")
    if day.date() > now().astimezone(zone).date():
        raise click.BadParameter("the day is in the future", param_hint="--before")
    count = services.prune(Actor.operator(), start_of_day(day.date(), zone))
    entries = "entry" if count == 1 else "entries"
    click.echo(f"Deleted {count} {entries} written before {day.date()} ({zone.key}).")
