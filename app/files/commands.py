"""flask commands for shared files."""

from collections import Counter
from pathlib import Path

import click
from flask.cli import with_appcontext

from app.actor import Actor
from app.auth import queries
from app.auth.models import Person
from app.errors import DomainError
from app.files import adoption, services


@click.command("adopt-files")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument(
    "mapping", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--owner", help="The name of their owner. Default: the first administrator.")
@with_appcontext
def adopt_files(folder: Path, mapping: Path | None, owner: str | None) -> None:
    """Copy a FOLDER of the original program's files; MAPPING is its SQLite file, if it had one."""
    person = find_owner(owner)
    counts: Counter[str] = Counter()
    try:
        for result in adoption.adopt_files(Actor.operator(), folder, mapping, person.id):
            counts[result.state] += 1
            reason = f": {result.reason}" if result.reason else ""
            click.echo(f"{result.name}\t{result.state}{reason}")
    except DomainError as error:
        raise click.ClickException(error.message) from None
    states = (adoption.ADOPTED, adoption.PRESENT, adoption.SKIPPED)
    click.echo(", ".join(f"{counts[state]} {state}" for state in states))


def find_owner(name: str | None) -> Person:
    """The person of this name, or the first administrator, who is then named in the output."""
    if name is not None:
        person = queries.find_person(name)
        if person is None:
            raise click.ClickException(f"There is nobody named {name}.")
        return person
    person = queries.first_administrator()
    if person is None:
        raise click.ClickException("There is no administrator. Name a person with --owner.")
    click.echo(f"The files will belong to {person.name}; use --owner for somebody else.")
    return person


@click.command("purge-files")
@with_appcontext
def purge_files() -> None:
    """Delete permanently the removed files that can no longer be restored, and orphaned files."""
    counts = services.purge_files(Actor.operator())
    click.echo(f"Deleted files: {counts.removed} removed, {counts.orphaned} orphaned.")
