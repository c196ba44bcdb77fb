"""flask backup: making backups and checking them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import click
from flask.cli import AppGroup

from app.actor import Actor
from app.backups import services
from app.backups.archive.manifest import Manifest
from app.backups.rehearsing import rehearse_backup
from app.backups.restoring import restore_backup
from app.backups.services import Backup, Progress
from app.current import settings
from app.text import Bytes

backup = AppGroup("backup", help="Backups of the database, the files and the settings.")

NOT_INCLUDED = (
    "Not included: SECRET_KEY, the password of the database, the certificate. Store them elsewhere."
)


@contextmanager
def percentage(label: str) -> Iterator[Progress]:
    """Show how much is done, if somebody looks at this terminal."""
    shown, is_seen = [-1], sys.stderr.isatty()

    def show(done: int, total: int) -> None:
        percent = 100 * done // max(1, total)
        if is_seen and percent != shown[-1]:
            shown[-1] = percent
            click.echo(f"\r{label}: {percent} %", nl=False, err=True)

    try:
        yield show
    finally:
        if shown[-1] >= 0:
            click.echo(err=True)


def contents(manifest: Manifest) -> str:
    """What a backup has, in one line."""
    files = manifest.files
    return (
        f"{manifest.database.rows:,} rows in {len(manifest.database.tables)} tables, "
        f"{files.count:,} files of {Bytes(files.bytes)}"
    )


@backup.command("create")
def create() -> None:
    """Back everything up while people work; older backups than BACKUPS_RETAINED are deleted."""
    with percentage("Backing up") as progress:
        made = services.create_backup(Actor.operator(), progress)
    assert made.manifest  # noqa: S101 - for mypy
    click.echo(f"{made.path}: {contents(made.manifest)}; {Bytes(made.bytes)}.")
    click.echo(NOT_INCLUDED)
    raise SystemExit(report_files(made.manifest))


def report_files(manifest: Manifest) -> int:
    """Name the files that were not right when the backup was made; returns the exit status."""
    files = manifest.files
    if files.missing:
        click.echo(f"{files.missing:,} files are missing in FILES_DIR.", err=True)
    if files.altered:
        click.echo(f"{files.altered:,} files in FILES_DIR are not what was uploaded.", err=True)
    for name in files.named:
        click.echo(f"  {name}", err=True)
    return 1 if files.missing or files.altered else 0


@backup.command("list")
def list_() -> None:
    """List the backups, the newest first."""
    found = services.list_backups(Actor.operator())
    for each in found:
        click.echo(f"{each.name}\t{Bytes(each.bytes)}\t{state(each)}")
    if not found:
        click.echo(f"There are no backups in {settings().backup_dir}.")


def state(each: Backup) -> str:
    """When a backup was made and what it has, or why that cannot be read."""
    if each.manifest is None:
        return each.problem
    moment = each.manifest.made_at.astimezone(ZoneInfo(settings().time_zone))
    return f"{moment:%Y-%m-%d %H:%M}\t{contents(each.manifest)}"


name_argument = click.argument("name", required=False)


@backup.command("verify")
@name_argument
def verify(name: str | None) -> None:
    """Read the backup NAME, or the newest, and compare all of it with its manifest."""
    with percentage("Verifying") as progress:
        found = services.verify_backup(Actor.operator(), name, progress)
    assert found.manifest  # noqa: S101 - for mypy
    click.echo(f"{found.name} is complete and unaltered: {contents(found.manifest)}.")
    raise SystemExit(report_files(found.manifest))


@backup.command("restore")
@name_argument
@click.option("--replace", is_flag=True, help="Replace what is here, after a backup of it.")
def restore(name: str | None, replace: bool) -> None:
    """Restore the backup NAME, or the newest, into an empty installation. First stop web, clock and
    worker. Everybody has to sign in again."""
    with percentage("Restoring") as progress:
        done = restore_backup(Actor.operator(), name, replace, progress)
    click.echo(f"Restored {done.path.name}: {contents(done.manifest)}.")
    if done.former:
        click.echo(f"What was here before is in {done.former.path}.")
    if done.sessions_ended:
        click.echo("All sessions have ended.")
    raise SystemExit(report_files(done.manifest))


@backup.command("rehearse")
@name_argument
def rehearse(name: str | None) -> None:
    """Restore the backup NAME, or the newest, into a scratch database and folder, and compare."""
    with percentage("Rehearsing") as progress:
        done = rehearse_backup(Actor.operator(), name, progress)
    assert done.manifest  # noqa: S101 - for mypy
    click.echo(f"{done.name} can be restored: {contents(done.manifest)}.")
    raise SystemExit(report_files(done.manifest))
