"""flask commands for shared files."""

from collections import Counter
from pathlib import Path

import click

from app.actor import Actor
from app.auth import queries
from app.files import adoption, services


@click.command("adopt-files")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument(
    "mapping", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--owner", help="The name of their owner. Default: the first administrator.")
def adopt_files(folder: Path, mapping: Path | None, owner: str | None) -> None:
    """Copy a FOLDER of the original program's files; MAPPING is its SQLite file, if it had one."""
    if owner is not None:
        person = queries.load_person_by_name(owner)
    else:
        person = adoption.default_owner()
        click.echo(f"The files will belong to {person.name}; use --owner for somebody else.")
    counts: Counter[str] = Counter()
    status = 0
    for result in adoption.adopt_files(Actor.operator(), folder, mapping, person.id):
        counts[result.state] += 1
        reason = f": {result.reason}" if result.reason else ""
        status = 1 if reason else status
        click.echo(f"{result.name}\t{result.state}{reason}")
    states = (adoption.ADOPTED, adoption.FLAGGED, adoption.PRESENT, adoption.SKIPPED)
    click.echo(", ".join(f"{counts[state]} {state}" for state in states))
    raise SystemExit(status)


@click.command("purge-files")
def purge_files() -> None:
    """Delete permanently the removed files that can no longer be restored, and orphaned files."""
    counts = services.purge_files(Actor.operator())
    click.echo(f"Deleted files: {counts.removed} removed, {counts.orphaned} orphaned.")
