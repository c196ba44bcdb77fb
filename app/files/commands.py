"""flask commands for shared files."""

from collections import Counter
from pathlib import Path

import click
from flask.cli import with_appcontext

from app.auth import queries
from app.auth.models import Person
from app.current import settings
from app.errors import DomainError
from app.files import adoption, purging, storage


@click.command("adopt-files")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument(
    "mapping", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--owner", help="Whose files they become: a name. Default: the first administrator.")
@with_appcontext
def adopt_files(folder: Path, mapping: Path | None, owner: str | None) -> None:
    """Copy a FOLDER of the original program's files; MAPPING is its SQLite file, if it had one."""
    person = find_owner(owner)
    counts: Counter[str] = Counter()
    try:
        for result in adoption.adopt_files(folder, mapping, person.id):
            counts[result.state] += 1
            reason = f": {result.reason}" if result.reason else ""
            click.echo(f"{result.name}\t{result.state}{reason}")
    except DomainError as error:
        raise click.ClickException(error.message) from None
    states = (adoption.ADOPTED, adoption.PRESENT, adoption.SKIPPED)
    click.echo(", ".join(f"{counts[state]} {state}" for state in states))


def find_owner(name: str | None) -> Person:
    """Who is named, or else the first administrator, which is said."""
    if name is not None:
        person = queries.find_person(name)
        if person is None:
            raise click.ClickException(f"There is nobody named {name}.")
        return person
    person = queries.first_administrator()
    if person is None:
        raise click.ClickException("There is no administrator. Name a person with --owner.")
    click.echo(f"The files become {person.name}'s; --owner names somebody else.")
    return person


@click.command("purge-files")
@with_appcontext
def purge_files() -> None:
    """Delete for good what can no longer be brought back, and bytes that belong to nothing."""
    removed = purging.purge_removed(most=100_000)
    strays = purging.purge_strays() + storage.remove_leftovers(settings().files_dir)
    click.echo(f"{removed} removed files and {strays} strays are deleted.")
