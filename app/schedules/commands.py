"""flask schedules: listing, showing, adding, pausing, resuming, running and removing schedules."""

import json
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import click
from flask.cli import AppGroup

from app.actor import Actor
from app.current import settings
from app.schedules import queries, services
from app.schedules.models import AT_ONCE, GRACE_SECONDS
from app.schedules.rows import describe_schedules, state_of
from app.schedules.rules import ScheduleInput
from app.schedules.triggers import TriggerKind
from app.times import now

schedules = AppGroup("schedules", help="Schedules: what starts jobs again and again, or once.")


def text_of(moment: datetime | None, zone: str) -> str:
    """A moment in the time zone of a schedule."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}" if moment else "-"


@schedules.command("list")
def list_schedules() -> None:
    """List all schedules: name, kind, when, next run, last run and its state, person."""
    operator = Actor.operator()
    for row in describe_schedules(operator, queries.list_schedules(operator)):
        schedule, zone = row.schedule, row.schedule.time_zone
        following = "paused" if schedule.paused else text_of(schedule.next_at, zone)
        last = text_of(row.last and row.last.planned_at, zone)
        state = row.last.state if row.last else ""
        words = (schedule.name, schedule.kind, row.when, following, last, state, row.who)
        click.echo("\t".join(words))


@schedules.command("show")
@click.argument("name")
def show_schedule(name: str) -> None:
    """Show a schedule with its next moments and its latest runs."""
    operator = Actor.operator()
    schedule = queries.find_schedule(operator, name)
    [row] = describe_schedules(operator, [schedule])
    zone = schedule.time_zone
    for title, value in (
        ("name", schedule.name), ("kind", schedule.kind), ("arguments", schedule.args),
        ("when", row.when), ("person", row.who), ("paused", "yes" if schedule.paused else "no"),
        ("last run", text_of(row.last and row.last.planned_at, zone)),
    ):  # fmt: skip
        click.echo(f"{title}: {value}")
    if not schedule.paused:
        for moment in schedule.timing.preview(now()):
            click.echo(f"next: {text_of(moment, zone)}")
    for run in queries.list_runs(operator, schedule.id, most=20):
        job = f"\tjob {run.job_id}" if run.job_id else ""
        more = f"\t{run.shown}" if run.message else ""
        click.echo(f"{text_of(run.planned_at, zone)}\t{state_of(run)}{job}{more}")


@schedules.command("add")
@click.argument("name")
@click.argument("kind")
@click.argument("trigger", type=click.Choice([each.value for each in TriggerKind]))
@click.argument("expression")
@click.option("--args", "args_text", default="{}", help="The arguments of the jobs, as JSON.")
@click.option("--zone", default="", help="The time zone; without it TIME_ZONE of the settings.")
@click.option("--coalesce/--no-coalesce", default=True, help="Of several that are due, run one.")
@click.option("--at-once", default=AT_ONCE, show_default=True, help="Most jobs at once.")
@click.option("--grace", default=GRACE_SECONDS, show_default=True, help="Seconds of delay.")
def add_schedule(
    name: str,
    kind: str,
    trigger: str,
    expression: str,
    args_text: str,
    zone: str,
    coalesce: bool,
    at_once: int,
    grace: int,
) -> None:
    """Add a schedule that starts jobs of a kind: `flask schedules add nightly digest cron
    "0 2 * * *" --args '{"text": "x"}'`."""
    try:
        args = json.loads(args_text)
    except ValueError:
        args = None
    if not isinstance(args, dict):
        raise click.BadParameter("The arguments must be a JSON object.")
    zone = zone or settings().time_zone
    given = ScheduleInput(name, trigger, expression, zone, coalesce, at_once, grace)
    click.echo(services.create_schedule(Actor.operator(), given, kind, args))


def command_of(verb: str, change: Callable[[Actor, int], object], done: str, help: str) -> None:
    """Add a command that does one thing with a schedule."""

    @schedules.command(verb, help=help)
    @click.argument("name")
    def run(name: str) -> None:
        operator = Actor.operator()
        result = change(operator, queries.find_schedule(operator, name).id)
        if result is False:
            raise click.ClickException(f"Nothing was changed: it is {done} already.")
        click.echo(result if verb == "run" else done)


command_of("pause", services.pause_schedule, "paused", "Start no more jobs until it is resumed.")
command_of("resume", services.resume_schedule, "resumed", "Go on with the next moment from now.")
command_of("run", services.run_schedule, "started", "Start a job now; prints its id.")


@schedules.command("remove")
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Remove all that are not built in.")
def remove(name: str | None, everything: bool) -> None:
    """Remove a schedule, or all that are not built in."""
    operator = Actor.operator()
    if everything == (name is not None):
        raise click.UsageError("Name a schedule, or use --all.")
    if name is None:
        click.echo(services.delete_all(operator))
    else:
        services.delete_schedule(operator, queries.find_schedule(operator, name).id)
        click.echo("removed")
