"""Copying SQLite's file with its backup interface, step by step, while people write."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.backups.archive.writing import BLOCK

PAGES = 500  # of one step
TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table'"
    " AND name NOT LIKE 'sqlite^_%' ESCAPE '^' ORDER BY name"
)


def copy(source: Path, target: Path, note: Callable[[int], object]) -> None:
    """Copy the database as it is now. The open transaction reads one state of it, so that what
    others write between two steps neither waits nor starts the copy again. `note` gets the bytes of
    each step."""
    target.touch(0o600)
    with closing(sqlite3.connect(source, isolation_level=None)) as original:
        original.execute("BEGIN")
        (page_size,) = original.execute("PRAGMA page_size").fetchone()
        original.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        with closing(sqlite3.connect(target)) as copied:
            copied.execute("PRAGMA synchronous=OFF")
            original.backup(
                copied, pages=PAGES, progress=lambda *_: note(PAGES * page_size), sleep=0
            )


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A copy that nobody changes, for reading."""
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
        yield connection


def count_rows(connection: sqlite3.Connection) -> dict[str, int]:
    """The number of rows of each table."""
    names = [name for (name,) in connection.execute(TABLES)]
    counts = {}
    for name in names:
        quoted = name.replace('"', '""')
        (counts[name],) = connection.execute(f'SELECT COUNT(*) FROM "{quoted}"').fetchone()  # noqa: S608
    return counts


def blocks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
