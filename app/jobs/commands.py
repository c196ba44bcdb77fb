"""flask jobs: listing, showing, cancelling and retrying jobs, sending their results again.
flask id: what an id says."""

import click
from flask.cli import AppGroup

from app.actor import Actor
from app.current import settings
from app.database.cursor import FIRST
from app.jobs import queries, services
from app.jobs.deliveries.queries import list_deliveries
from app.jobs.deliveries.rows import DeliveryRow, describe_deliveries
from app.jobs.deliveries.services import send_again
from app.jobs.deliveries.signing import key_of
from app.jobs.models import Job, JobState
from app.jobs.queries import JobListing
from app.jobs.rows import JobRow, describe_jobs, file_name_of
from app.redis.ids import split_id

jobs = AppGroup("jobs", help="Jobs: long work that a worker does.")


@jobs.command("list")
@click.option("--state", type=click.Choice([state.value for state in JobState]), default=None)
@click.option("--kind", default="", help="Only jobs of this kind.")
@click.option("--most", type=click.IntRange(1, 1000), default=20, show_default=True)
def list_jobs(state: str | None, kind: str, most: int) -> None:
    """List jobs, the newest first."""
    listing = JobListing(state=state or "", kind=kind, size=most)
    page, _total = queries.select_jobs(Actor.operator(), listing, FIRST)
    for row in describe_jobs(page.rows):
        click.echo(line_of(row))
    if not queries.has_worker():
        click.echo("No worker is running: work waits.", err=True)


def line_of(row: JobRow) -> str:
    """A job on one line."""
    job = row.job
    share = "" if row.share is None else f"{row.share:.0%}"
    begun = f"{job.created_at:%Y-%m-%d %H:%M:%S}"
    return "\t".join((str(job.id), job.state, share, job.kind, row.who, begun))


@jobs.command("show")
@click.argument("job_id", type=int)
def show_job(job_id: int) -> None:
    """Show a job with its result and its log."""
    job = queries.load_job(Actor.operator(), job_id)
    [row] = describe_jobs([job])
    for name, value in details(row):
        if value not in (None, ""):
            click.echo(f"{name}: {value}")
    for each in describe_deliveries(list_deliveries(Actor.operator(), job_id)):
        click.echo(delivery_line(each))
    for line in queries.read_lines(Actor.operator(), job):
        click.echo(f"{line.at:%Y-%m-%d %H:%M:%S}\t{line.shown}")


def delivery_line(row: DeliveryRow) -> str:
    """Where the result is sent, on one line; `resend` takes the id."""
    each = row.delivery
    following = f"next attempt {each.next_at:%Y-%m-%d %H:%M:%S}" if each.next_at else ""
    attempts = f"attempts {each.attempts}"
    words = ("delivery", str(each.id), each.state, attempts, each.target, following, row.error)
    return "\t".join(filter(None, words))


def details(row: JobRow) -> list[tuple[str, object]]:
    job: Job = row.job
    total = "" if job.progress_total is None else f" of {job.progress_total}"
    return [
        ("id", job.id), ("kind", job.kind), ("state", job.state), ("person", row.who),
        ("progress", f"{job.progress_done}{total}"), ("message", row.message),
        ("created", job.created_at), ("started", job.started_at), ("ended", job.ended_at),
        ("attempts", job.attempt), ("process", row.process), ("result", job.result),
        ("file", file_name_of(job)),
    ]  # fmt: skip


@jobs.command("cancel")
@click.argument("job_id", type=int)
def cancel_job(job_id: int) -> None:
    """Cancel a job."""
    if not services.cancel_job(Actor.operator(), job_id):
        raise click.ClickException("This job has ended already.")
    click.echo("The job is cancelled.")


@jobs.command("retry")
@click.argument("job_id", type=int)
def retry_job(job_id: int) -> None:
    """Start a job again with the same arguments."""
    click.echo(services.retry_job(Actor.operator(), job_id))


@jobs.command("resend")
@click.argument("job_id", type=int)
@click.argument("delivery_id", type=int)
def resend(job_id: int, delivery_id: int) -> None:
    """Send the result of a job again that was not received."""
    send_again(Actor.operator(), job_id, delivery_id)
    click.echo("The result is sent again.")


@jobs.command("delivery-keys")
def print_delivery_keys() -> None:
    """Print the key of each server of DELIVERY_TARGETS, with which it checks signatures."""
    for target in settings().delivery_targets:
        click.echo(f"{target.origin}\t{key_of(target.origin)}")


@click.command("id")
@click.argument("number", type=int)
def explain_id(number: int) -> None:
    """Say when and by which process an id was made."""
    try:
        parts = split_id(number)
    except ValueError:
        raise click.ClickException(f"{number} is not an id of 63 bits.") from None
    click.echo(f"made: {parts.at:%Y-%m-%d %H:%M:%S.%f} UTC")
    click.echo(f"data centre: {parts.data_centre}\nworker: {parts.worker}")
    click.echo(f"sequence: {parts.sequence}")
