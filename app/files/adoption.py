"""Adopting the files of the original program: a folder, with or without the table that maps
original names to stored names. Everything is copied; the folder stays as it is."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.actor import Actor, Role
from app.auth.models import Person
from app.auth.queries import first_administrator
from app.current import settings
from app.database.service import permitted
from app.disk import has_space
from app.errors import DomainError, Invalid, NoSpace, NotFound, Text, Unavailable
from app.files import queries
from app.files.models import NAME_LENGTH
from app.files.names import clean_path, printable
from app.files.rules import check_extension
from app.files.storage.folder import Incoming, read_blocks
from app.files.upload.services import check, store
from app.history.services import new_batch_id
from app.text import N_

# Of a pair of columns: rows that name a file, rows with equal extensions, and (original name,
# stored name) of all rows.
Candidate = tuple[int, int, list[tuple[str, str]]]

ADOPTED, PRESENT, SKIPPED = "adopted", "already here", "skipped"


@dataclass(frozen=True)
class SourceFile:
    """A file to adopt: its path, None if there is a problem, its name, and its stored name if the
    original's table had one."""

    path: Path | None
    name: str
    former_name: str | None = None
    problem: Text = ""


@dataclass(frozen=True)
class AdoptionResult:
    name: str
    state: str
    reason: str = ""


def default_owner() -> Person:
    """Who owns the files if the operator names nobody: the first administrator."""
    person = first_administrator()
    if person is None:
        raise NotFound(N_("There is no administrator. Name a person with --owner."))
    return person


@permitted(Role.ADMIN)
def adopt_files(
    actor: Actor, folder: Path, mapping: Path | None, owner_id: int
) -> Iterator[AdoptionResult]:
    """Adopt the files one after another, as one batch. A second run copies nothing."""
    sources = read_folder(folder) if mapping is None else read_mapping(folder, mapping)
    batch_id = new_batch_id()
    for source in sources:
        yield adopt_file(actor, source, owner_id, batch_id)


def adopt_file(actor: Actor, source: SourceFile, owner_id: int, batch_id: str) -> AdoptionResult:
    """Copy one file, with the same checks as an upload."""
    shown = printable(source.name)
    if source.path is None:
        return AdoptionResult(shown, SKIPPED, str(source.problem))
    folder, limit = settings().files_dir, settings().upload_max_bytes
    if not has_space(folder, source.path.stat().st_size):
        raise NoSpace()
    incoming = Incoming(folder, limit)
    try:
        path = clean_path(source.name, with_folder=True)
        check_extension(path.extension, settings().upload_extensions)
        for block in read_blocks(source.path):
            incoming.write(block)
        if queries.has_copy(owner_id, path, incoming.sha256, source.former_name):
            return AdoptionResult(shown, PRESENT)
        created = datetime.fromtimestamp(source.path.stat().st_mtime, UTC)
        own = {"created_at": created, "former_name": source.former_name}
        store(actor, check(path, incoming, owner_id, **own), batch_id)
    except Unavailable:
        raise
    except (DomainError, OSError) as error:
        reason = error.message if isinstance(error, DomainError) else error.strerror or ""
        return AdoptionResult(shown, SKIPPED, reason)
    finally:
        incoming.discard()
    return AdoptionResult(shown, ADOPTED)


def read_folder(folder: Path) -> Iterator[SourceFile]:
    """Every file below the folder, named by its path there. Links are not followed."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield SourceFile(path, path.relative_to(folder).as_posix())


def read_mapping(folder: Path, mapping: Path) -> Iterator[SourceFile]:
    """Every row of the original's table, then the files without a row."""
    stored = {
        path.name: path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and not path.samefile(mapping)
    }
    rows = find_mapping(mapping, set(stored))
    for name, stored_name in rows:
        path = stored.get(stored_name)
        missing = N_("its file %(name)s is missing", name=printable(stored_name))
        yield SourceFile(path, name, stored_name[:NAME_LENGTH], "" if path else missing)
    for name in sorted(stored.keys() - {stored_name for _name, stored_name in rows}):
        yield SourceFile(None, name, problem=N_("not in the table"))


def find_mapping(mapping: Path, stored: set[str]) -> list[tuple[str, str]]:
    """Original and stored names. The names of the table and its columns do not matter: the column
    of stored names is the one whose values are files of the folder, and the original name is the
    text in another column, with the same extension if there are several such columns."""
    address = f"{mapping.resolve().as_uri()}?mode=ro"
    best: Candidate = (0, 0, [])
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            for table in tables(connection):
                best = max([best, *candidates(connection, table, stored)], key=lambda c: c[:2])
    except sqlite3.Error:
        raise Invalid(N_("%(path)s is not a SQLite database.", path=mapping)) from None
    if not best[0]:
        raise Invalid(N_("No table in %(path)s names files of this folder.", path=mapping))
    return best[2]


def tables(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return [name for (name,) in connection.execute(query)]


def candidates(connection: sqlite3.Connection, table: str, stored: set[str]) -> Iterator[Candidate]:
    """For each pair of columns: how many rows name a file of the folder, in how many of them both
    names have the same extension, and the names."""
    quoted = table.replace('"', '""')
    rows = connection.execute(f'SELECT * FROM "{quoted}"').fetchall()  # noqa: S608 - quoted above
    columns = range(len(rows[0]) if rows else 0)
    for column, other in ((a, b) for a in columns for b in columns if a != b):
        texts = [(row[other], row[column]) for row in rows
                 if isinstance(row[other], str) and isinstance(row[column], str)]  # fmt: skip
        pairs = [(name, re.split(r"[/\\]", value)[-1]) for name, value in texts]
        known = [pair for pair in pairs if pair[1] in stored]
        alike = sum(
            Path(name).suffix.lower() == Path(value).suffix.lower() for name, value in known
        )
        yield len(known), alike, pairs
