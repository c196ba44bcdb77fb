"""Where a dump is loaded: beside the database of the application, which can then become it."""

import secrets
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from app.backups.archive.manifest import BadBackup, DatabasePart
from app.backups.databases import mariadb, sqlite
from app.backups.databases.sources import FILES
from app.backups.databases.sql import RowCounter, statements
from app.database.engine import create_command_engine
from app.database.failures import DATABASE_ERRORS, number_of
from app.database.schema import make_private
from app.errors import Conflict, Locked, Refused
from app.text import N_, dump_messages
from app.times import now

# What changes in a restored database before it is used, by the table that this needs. Its identity
# (app/auth/sessions/installation.py), so that all sessions end; and jobs that had not ended, and
# results that were to be sent, which whoever still needs them starts again.
RENEWALS = {
    "installation": "UPDATE installation SET token = :token",
    "job": "UPDATE job SET state = 'lost', message = :message, running_key = NULL,"
    " claimed_by = NULL, ended_at = :moment WHERE state IN ('queued', 'running')",
    "delivery": "UPDATE delivery SET state = 'given_up', last_error = :message, next_at = NULL,"
    " done_at = :moment WHERE state = 'waiting'",
}
NOT_ENDED = N_("This had not ended when the restored backup was made.")
OUR_TABLE = "gazetteer_scratch"  # the table by which a database is known to be ours
ACCESS_DENIED, LOCKED = (1044, 1045), (1205, 1213)
SWITCH_SECONDS = 30.0  # until others have finished what they are changing
SESSION = (
    "SET SESSION foreign_key_checks=0, unique_checks=0, sql_mode='NO_AUTO_VALUE_ON_ZERO',"
    " time_zone='+00:00', wait_timeout=86400, lock_wait_timeout=10"
)
END_TURN = text("SELECT RELEASE_ALL_LOCKS()")
TURN = text("SELECT GET_LOCK(CONCAT('gazetteer-restore:', LEFT(SHA1(DATABASE()), 20)), 0)")
DIFFERENT = N_("After restoring, the table %(name)s does not have what the backup says.")


def renewal_values() -> dict[str, str]:
    """The values of RENEWALS."""
    return {
        "token": secrets.token_hex(16),
        "message": dump_messages([NOT_ENDED]),
        "moment": now().strftime("%Y-%m-%d %H:%M:%S.%f"),
    }


class Target(ABC):
    """A database beside that of the application, which exists within the block."""

    @abstractmethod
    def load(self, blocks: Iterable[bytes]) -> None:
        """Fill it with a dump."""

    @abstractmethod
    def count_rows(self) -> Mapping[str, int]: ...

    @abstractmethod
    def check_content(self, part: DatabasePart) -> None:
        """BadBackup if its rows are not those that were backed up."""

    @abstractmethod
    def stored_files(self) -> Iterator[tuple[str, str]]:
        """The stored names of all files that its rows name, with their hashes."""

    @abstractmethod
    def renew(self) -> None:
        """Make the changes of RENEWALS."""

    @abstractmethod
    def switch(self) -> None:
        """Put it in the place of the application's database: all of it or nothing."""

    @abstractmethod
    def discard(self) -> None: ...

    def check_counts(self, part: DatabasePart) -> None:
        found = self.count_rows()
        for name in sorted({*found, *part.tables}):
            if found.get(name) != part.tables.get(name):
                raise BadBackup(N_(DIFFERENT.text, name=name))


class MariaDbTarget(Target):
    """A database named after that of the application. The tables change places by one statement,
    which the server carries out as a whole."""

    def __init__(self, engine: Engine) -> None:
        self.live = str(engine.url.database)
        self.scratch, self.former = f"{self.live}_restored", f"{self.live}_former"
        self.server = create_command_engine(engine.url, isolation_level="AUTOCOMMIT")
        self.turn = self.server.connect()
        self.take_turn()
        url = engine.url.set(database=self.scratch)
        self.engine = create_command_engine(url, isolation_level="AUTOCOMMIT", hide_parameters=True)
        try:
            for name in (self.scratch, self.former):
                self.create(name)
        except BaseException:
            self.end_turn()
            raise

    def take_turn(self) -> None:
        """Have the two databases for ourselves, whichever host others run on."""
        self.turn.execute(text("SET SESSION wait_timeout=86400"))
        if not self.turn.scalar(TURN):
            self.turn.close()
            raise Conflict(N_("A backup is being made or restored. Try again when it is done."))

    def end_turn(self) -> None:
        self.turn.execute(END_TURN)
        self.turn.close()

    def create(self, name: str) -> None:
        """Create an empty database in the place of one that we left there."""
        with self.server.connect() as connection, explained(self.live):
            self.drop(connection, name)
            connection.execute(
                text(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
            )
            connection.execute(text(f"CREATE TABLE `{name}`.`{OUR_TABLE}` (id INT PRIMARY KEY)"))

    def drop(self, connection: Connection, name: str) -> None:
        """Drop a database of ours; Refused if one of that name is not."""
        tables = tables_of(connection, name)
        if tables and OUR_TABLE not in tables:
            raise Refused(
                N_(
                    "The database %(name)s is needed to restore, but it has other tables.",
                    name=name,
                )
            )
        connection.execute(text(f"DROP DATABASE IF EXISTS `{name}`"))

    def load(self, blocks: Iterable[bytes]) -> None:
        with self.engine.connect() as connection:
            connection.execute(text(SESSION))
            plain = connection.execution_options(no_parameters=True)  # "%" is only a character
            for statement in statements(blocks):
                plain.exec_driver_sql(statement.decode("utf-8", "surrogateescape"))

    def count_rows(self) -> dict[str, int]:
        with self.engine.connect() as connection:
            names = [name for name in tables_of(connection, self.scratch) if name != OUR_TABLE]
            return {
                name: int(connection.scalar(text(f"SELECT COUNT(*) FROM `{name}`")) or 0)  # noqa: S608
                for name in names
            }

    def check_content(self, part: DatabasePart) -> None:
        counter = RowCounter({})
        for statement in statements(mariadb.dumped(self.engine)):
            counter.count(statement)
        for name, sha256 in part.hashes.items():
            if counter.hashes.get(name) != sha256:
                raise BadBackup(N_(DIFFERENT.text, name=name))

    def stored_files(self) -> Iterator[tuple[str, str]]:
        with self.engine.connect() as connection:
            rows = connection.execution_options(stream_results=True).execute(text(FILES))
            for name, _size, sha256 in rows:
                yield name, sha256

    def renew(self) -> None:
        with self.engine.connect() as connection:
            present = set(inspect(connection).get_table_names())
            for table in present & RENEWALS.keys():
                connection.execute(text(RENEWALS[table]), renewal_values())

    def switch(self) -> None:
        deadline = time.monotonic() + SWITCH_SECONDS
        with self.server.connect() as connection:
            connection.execute(text(SESSION))
            moves = [
                f"`{source}`.`{name}` TO `{target}`.`{name}`"
                for source, target in ((self.live, self.former), (self.scratch, self.live))
                for name in tables_of(connection, source)
                if name != OUR_TABLE
            ]
            rename = text(f"RENAME TABLE {', '.join(moves)}")
            while True:
                try:
                    connection.execute(rename)
                except DATABASE_ERRORS as error:
                    if number_of(error) not in LOCKED:
                        raise
                    if time.monotonic() > deadline:
                        raise Locked() from error
                else:
                    return

    def discard(self) -> None:
        try:
            with self.server.connect() as connection:
                for name in (self.scratch, self.former):
                    self.drop(connection, name)
        finally:
            self.end_turn()


def tables_of(connection: Connection, name: str) -> list[str]:
    """The names of the tables of a database."""
    query = text(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = :name AND table_type = 'BASE TABLE' ORDER BY table_name"
    )
    return list(connection.scalars(query, {"name": name}))


@contextmanager
def explained(live: str) -> Iterator[None]:
    """Say which right is missing, and how it is granted."""
    try:
        yield
    except DATABASE_ERRORS as error:
        if number_of(error) not in ACCESS_DENIED:
            raise
        raise Refused(
            N_(
                "To restore, the account needs its rights in the databases %(name)s_... too. "
                "docs/operating.md has the statement to type.",
                name=live,
            )
        ) from None


class SqliteTarget(Target):
    """A file beside the database of the application. SQLite's backup interface writes it into that
    one, in one transaction: processes that have it open read the state before, then the new."""

    def __init__(self, database: Path, scratch: Path) -> None:
        self.database, self.scratch = database, scratch
        scratch.unlink(missing_ok=True)

    def load(self, blocks: Iterable[bytes]) -> None:
        self.scratch.touch(0o600)
        with self.scratch.open("wb") as file:
            for block in blocks:
                file.write(block)

    def count_rows(self) -> dict[str, int]:
        with sqlite.opened(self.scratch) as connection:
            return sqlite.count_rows(connection)

    def check_content(self, part: DatabasePart) -> None:
        """Its bytes were compared when they were read; this is about what they were before."""
        with sqlite.opened(self.scratch) as connection:
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            row = connection.execute("PRAGMA foreign_key_check").fetchone()
        if found != "ok":
            raise BadBackup(N_("The restored database is damaged: %(reason)s", reason=found))
        if row:
            raise BadBackup(N_(DIFFERENT.text, name=row[0]))

    def stored_files(self) -> Iterator[tuple[str, str]]:
        with sqlite.opened(self.scratch) as connection:
            for name, _size, sha256 in connection.execute(FILES):
                yield name, sha256

    def renew(self) -> None:
        with closing(sqlite3.connect(self.scratch, isolation_level=None)) as connection:
            present = {name for (name,) in connection.execute(sqlite.TABLES)}
            for table in present & RENEWALS.keys():
                connection.execute(RENEWALS[table], renewal_values())

    def switch(self) -> None:
        deadline = time.monotonic() + SWITCH_SECONDS

        def give_up(*_state: int) -> None:
            if time.monotonic() > deadline:
                raise Locked()

        self.database.parent.mkdir(parents=True, exist_ok=True)
        make_private(self.database)
        with (
            closing(sqlite3.connect(self.scratch)) as source,
            closing(sqlite3.connect(self.database, timeout=SWITCH_SECONDS)) as target,
        ):
            target.execute("PRAGMA journal_mode=WAL")
            target.execute("PRAGMA synchronous=FULL")
            source.backup(target, progress=give_up, sleep=0.05)

    def discard(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self.scratch.with_name(self.scratch.name + suffix).unlink(missing_ok=True)
