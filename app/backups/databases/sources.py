"""What is read of the database for a backup: the dump, and from it its counts and its files."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine

from app.backups.archive.manifest import DatabasePart, Member
from app.backups.databases import mariadb, sqlite
from app.backups.databases.content import Compressed
from app.backups.databases.sql import RowCounter, statements

Note = Callable[[int], object]  # gets the number of bytes after each piece of work
TakeFile = Callable[[str, int, str], object]  # gets stored name, size and SHA-256

KINDS = {"sqlite": "sqlite", "mysql": "mariadb"}  # by the names of SQLAlchemy's dialects
FILES = "SELECT stored_name, size, sha256 FROM file ORDER BY id"
REVISION = "SELECT version_num FROM alembic_version"


class DatabaseSource(ABC):
    """The database, as it is when blocks() is called. Afterwards part() describes that."""

    kind: str
    member: str  # its name in the archive

    @abstractmethod
    def size(self) -> int:
        """About how many bytes the dump has."""

    @abstractmethod
    def blocks(self, note: Note, take_file: TakeFile) -> Iterator[bytes]:
        """The compressed dump; hands on all files of its rows."""

    @abstractmethod
    def part(self, packed: Member) -> DatabasePart:
        """The description of what blocks() returned; `packed` is the member with it."""


class MariaDbSource(DatabaseSource):
    kind, member = "mariadb", "database.sql.gz"

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.revision = ""
        self.compressed = Compressed(())

    def size(self) -> int:
        return mariadb.size_of(self.engine)

    def blocks(self, note: Note, take_file: TakeFile) -> Iterator[bytes]:
        def take_row(row: Mapping[str, str]) -> None:
            take_file(row["stored_name"], int(row["size"]), row["sha256"])

        self.counter = RowCounter({"file": take_row, "alembic_version": self.take_revision})
        self.compressed = Compressed(self.counted(note))
        yield from self.compressed

    def counted(self, note: Note) -> Iterator[bytes]:
        """The statements of the dump, each counted."""
        for statement in statements(mariadb.dumped(self.engine)):
            self.counter.count(statement)
            note(len(statement))
            yield statement

    def take_revision(self, row: Mapping[str, str]) -> None:
        self.revision = row["version_num"]

    def part(self, packed: Member) -> DatabasePart:
        content, counter = self.compressed.content, self.counter
        return DatabasePart(
            self.kind, self.revision, content, packed, counter.tables, counter.hashes
        )


class SqliteSource(DatabaseSource):
    """Copies the file to a temporary one beside the archive first."""

    kind, member = "sqlite", "database.sqlite.gz"

    def __init__(self, database: Path, copy: Path) -> None:
        self.database, self.copy = database, copy
        self.compressed = Compressed(())

    def size(self) -> int:
        return self.database.stat().st_size

    def blocks(self, note: Note, take_file: TakeFile) -> Iterator[bytes]:
        try:
            sqlite.copy(self.database, self.copy, note)
            self.read_copy(take_file)
            self.compressed = Compressed(sqlite.blocks_of(self.copy))
            yield from self.compressed
        finally:
            self.copy.unlink(missing_ok=True)

    def read_copy(self, take_file: TakeFile) -> None:
        with sqlite.opened(self.copy) as connection:
            self.tables = sqlite.count_rows(connection)
            self.revision = first_text(connection, REVISION)
            with suppress(sqlite3.OperationalError):  # there is no such table yet
                for row in connection.execute(FILES):
                    take_file(*row)

    def part(self, packed: Member) -> DatabasePart:
        content = self.compressed.content
        return DatabasePart(self.kind, self.revision, content, packed, self.tables)


def first_text(connection: sqlite3.Connection, query: str) -> str:
    """The first value that a query finds."""
    with suppress(sqlite3.OperationalError):
        row: tuple[str] | None = connection.execute(query).fetchone()
        return row[0] if row else ""
    return ""
