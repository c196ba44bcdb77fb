"""Taking over the files of the original program: a folder, with or without the table that maps
original names to stored ones. Everything is copied; the folder stays as it is."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask_babel import gettext as _

from app.current import settings
from app.disk import has_space
from app.errors import DomainError, Invalid, NoSpace
from app.files import services, storage
from app.files.models import NAME_LENGTH
from app.files.names import clean_path, printable

# Rows that name a file, rows with equal endings, and (original name, stored name) of all rows.
Candidate = tuple[int, int, list[tuple[str, str]]]

ADOPTED, PRESENT, SKIPPED = "adopted", "already here", "skipped"


@dataclass(frozen=True)
class Source:
    """A file to take over: where its bytes are, what people call it, and its stored name if the
    original's table had one."""

    path: Path | None
    name: str
    former_name: str | None = None
    problem: str = ""


@dataclass(frozen=True)
class Result:
    """What became of one file."""

    name: str
    state: str
    reason: str = ""


def adopt_files(folder: Path, mapping: Path | None, owner_id: int) -> Iterator[Result]:
    """Take over every file, one after another; a second run finds them here and copies nothing."""
    sources = read_folder(folder) if mapping is None else read_mapping(folder, mapping)
    for source in sources:
        yield adopt_file(source, owner_id)


def adopt_file(source: Source, owner_id: int) -> Result:
    """Copy one file through the checks that uploads pass."""
    shown = printable(source.name)
    if source.path is None or source.problem:
        return Result(shown, SKIPPED, source.problem)
    own = settings()
    if not has_space(own.files_dir, source.path.stat().st_size):
        raise NoSpace()
    incoming = storage.Incoming(own.files_dir, own.upload_max_bytes)
    try:
        path = clean_path(source.name, with_folder=True)
        services.check_ending(path.ending)
        for block in storage.read(source.path):
            incoming.write(block)
        if services.has_copy(owner_id, path, incoming.sha256, source.former_name):
            return Result(shown, PRESENT)
        made = datetime.fromtimestamp(source.path.stat().st_mtime, UTC)
        services.store_upload(
            owner_id, path, incoming, created_at=made, former_name=source.former_name
        )
    except (DomainError, OSError) as error:
        reason = error.message if isinstance(error, DomainError) else error.strerror or ""
        return Result(shown, SKIPPED, reason)
    finally:
        incoming.discard()
    return Result(shown, ADOPTED)


def read_folder(folder: Path) -> Iterator[Source]:
    """Every file below the folder, under its path there. Links are not followed."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield Source(path, path.relative_to(folder).as_posix())


def read_mapping(folder: Path, mapping: Path) -> Iterator[Source]:
    """Every row of the original's table, then the files that no row names."""
    stored = {
        path.name: path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and not path.samefile(mapping)
    }
    rows = find_mapping(mapping, set(stored))
    for name, stored_name in rows:
        path = stored.get(stored_name)
        problem = "" if path else _("its file %(name)s is missing", name=printable(stored_name))
        yield Source(path, name, stored_name[:NAME_LENGTH], problem)
    for name in sorted(stored.keys() - {stored_name for _name, stored_name in rows}):
        yield Source(None, name, problem=_("the table does not name it"))


def find_mapping(mapping: Path, stored: set[str]) -> list[tuple[str, str]]:
    """Original and stored names. How the table and its columns are called does not matter: the
    column of stored names is the one whose values are files of the folder, and the original name
    is the text beside it, with the same ending where there are several texts."""
    address = f"{mapping.resolve().as_uri()}?mode=ro"
    best: Candidate = (0, 0, [])
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            for table in tables(connection):
                best = max([best, *candidates(connection, table, stored)], key=lambda c: c[:2])
    except sqlite3.Error:
        raise Invalid(_("%(path)s is no SQLite database.", path=mapping)) from None
    if not best[0]:
        raise Invalid(_("No table in %(path)s names files of this folder.", path=mapping))
    return best[2]


def tables(connection: sqlite3.Connection) -> list[str]:
    """The tables of a database."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return [name for (name,) in connection.execute(query)]


def candidates(connection: sqlite3.Connection, table: str, stored: set[str]) -> Iterator[Candidate]:
    """For each pair of columns: how many rows name a file of the folder, in how many of them both
    names have the same ending, and the names."""
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
