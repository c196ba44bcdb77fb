"""The schema: creating the database, running migrations, comparing the tables with the code."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from app.config import ROOT
from app.database.engine import create_command_engine, db
from app.database.failures import (
    DATABASE_ERRORS,
    DatabaseError,
    Kind,
    classify,
    describe,
    statement_of,
)
from app.database.stored_keys import Report, no_report, refresh_all
from app.disk import OWNER_ONLY, limit_rights

MIGRATIONS = ROOT / "migrations" / "versions"
UNKNOWN_DATABASE = 1049
CONNECT_SECONDS = 5
# Locks of each database, for which others wait two minutes.
LOCK = text("SELECT GET_LOCK(CONCAT(:purpose, LEFT(SHA1(DATABASE()), 20)), 120)")
STEPS_LOCK = "gazetteer-steps:"
DYNAMIC = "ALTER TABLE city ENGINE=InnoDB ROW_FORMAT=DYNAMIC KEY_BLOCK_SIZE=0"
# Engines that store their rows in this server, from which a table can be converted.
CONVERTIBLE = ("InnoDB", "MyISAM", "Aria", "MEMORY", "TokuDB", "ROCKSDB")
# A right that migrations need is tried on a table of ours.
RIGHTS = (
    "CREATE TABLE IF NOT EXISTS gazetteer_rights (id INT PRIMARY KEY) ENGINE=InnoDB",
    "DROP TABLE gazetteer_rights",
    "CREATE TABLE gazetteer_rights (id INT PRIMARY KEY) ENGINE=InnoDB",
    "INSERT INTO gazetteer_rights VALUES (1)",
    "UPDATE gazetteer_rights SET id = 2",
    "SELECT id FROM gazetteer_rights FOR UPDATE",
    "DELETE FROM gazetteer_rights",
    "ALTER TABLE gazetteer_rights ADD COLUMN other INT",
    "CREATE INDEX ix_gazetteer_rights_other ON gazetteer_rights (other)",
    "ALTER TABLE gazetteer_rights ADD CONSTRAINT fk_gazetteer_rights FOREIGN KEY (other)"
    " REFERENCES gazetteer_rights (id)",
)


class SchemaError(Exception):
    """The database cannot be used; the message says why, without the password."""


class State(StrEnum):
    """The tables, compared with the migrations of this release."""

    SAME = "same"
    MISSING = "missing"
    OLDER = "older"
    NEWER = "newer"  # for the old release during a roll-out


def create_database(url: str) -> None:
    """Create the MariaDB database of the URL if it does not exist. An account without the right to
    create databases can use an existing one."""
    address = make_url(url)
    if not address.drivername.startswith("mysql"):
        return
    try:
        execute(url, "SELECT 1")
    except OperationalError as error:
        if error.orig is None or error.orig.args[0] != UNKNOWN_DATABASE:
            raise
        name = (address.database or "").replace("`", "``")
        execute(
            address.set(database="").render_as_string(hide_password=False),
            f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        )


def execute(url: str, statement: str) -> None:
    engine = create_command_engine(
        url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": CONNECT_SECONDS}
    )
    with engine.connect() as connection:
        connection.execute(text(statement))


def bring_up_to_date(url: str, report: Report = no_report) -> None:
    """Create the database if it does not exist, and run pending migrations, while no other process
    does; then fill in stored keys, and create the indexes that were left for after that. Tables of
    a newer release are not changed, so that an older release can be started again."""
    from flask_migrate import upgrade

    try:
        create_database(url)
        with alone(url) as connection:
            before = state(connection)
            connection.rollback()
            if before not in (State.SAME, State.NEWER):
                check_server(connection)
                upgrade()
        refresh_all(report)
        add_missing_indexes(url, report)
    except DATABASE_ERRORS as error:
        raise SchemaError(reason(error)) from None
    except OSError as error:  # of the folder with the SQLite file
        why = f"{error.filename} cannot be opened: {error.strerror}"
        raise SchemaError(f"{why}. See DATABASE_URL.") from None


def reason(error: DatabaseError) -> str:
    """A sentence about an error of a migration."""
    said = describe(error).rstrip(".")
    if classify(error) is Kind.FAULT:
        return (
            f"A migration failed: {said} ({statement_of(error)}). Mend the cause and run "
            "`flask prepare` again; it goes on where it stopped."
        )
    return f"The database cannot be used: {said}. See DATABASE_URL."


def check_server(connection: Connection) -> None:
    """Before the first migration on MariaDB, so that none stops in the middle: raise an error with
    the statement to type, or convert the original program's table where that loses nothing."""
    if connection.dialect.name != "mysql":
        return
    try_rights(connection)
    check_row_format(connection)
    convert_original(connection)


def try_rights(connection: Connection) -> None:
    """Use each right that migrations and pages need; a missing one is the server's own error."""
    try:
        for statement in RIGHTS:
            connection.execute(text(statement))
    finally:
        connection.execute(text("DROP TABLE IF EXISTS gazetteer_rights"))


def check_row_format(connection: Connection) -> None:
    """Our indexes are longer than older row formats allow."""
    variable = text("SHOW GLOBAL VARIABLES LIKE 'innodb_default_row_format'")
    found = connection.execute(variable).one_or_none()
    if found is not None and found[1].lower() != "dynamic":
        raise SchemaError(
            f"New tables of this server have the row format {found[1]}, which is too small for our "
            "indexes. Type: SET GLOBAL innodb_default_row_format=DYNAMIC"
        )


def convert_original(connection: Connection) -> None:
    """Give the table `city` of the original program the engine and row format that our columns and
    indexes need."""
    query = text(
        "SELECT table_type, engine, row_format FROM information_schema.tables"
        " WHERE table_schema = DATABASE() AND table_name = 'city'"
    )
    found = connection.execute(query).one_or_none()
    if found is None:
        return
    kind, engine, row_format = found
    if kind != "BASE TABLE":
        raise SchemaError(
            f"city is not a table but a {kind.lower()}. Make it a table: CREATE TABLE cities LIKE "
            "the table behind it, copy the rows, and rename it to city."
        )
    if engine not in CONVERTIBLE:
        raise SchemaError(
            f"The table city has the engine {engine}. Convert it, then run `flask prepare` again: "
            f"{DYNAMIC}"
        )
    if engine != "InnoDB" or row_format != "Dynamic":
        connection.execute(text(DYNAMIC))


def add_missing_indexes(url: str, report: Report) -> None:
    """Create the indexes that the migrations left for later (migrations/steps.py::add_index). Each
    is created while others write, and if this is interrupted the next call creates the rest."""
    with alone(url) as connection:
        if state(connection) is not State.SAME:  # a newer release may have dropped some
            return
        present = inspect(connection).get_multi_indexes()
        names = {index["name"] for indexes in present.values() for index in indexes}
        tables = db.metadata.sorted_tables
        missing = [each for table in tables for each in table.indexes if each.name not in names]
        for number, index in enumerate(missing, 1):
            index.create(connection)  # unless it is for the other database
            connection.commit()
            report("indexes", number, len(missing))


@contextmanager
def alone(url: str) -> Iterator[Connection]:
    """A connection without time limits, while every other process that calls this waits: for a
    lock of the server, or of the folder with the SQLite file."""
    address = make_url(url)
    engine = create_command_engine(url, isolation_level="AUTOCOMMIT", hide_parameters=True)
    if address.drivername.startswith("sqlite"):
        folder = os.open(Path(address.database or "").parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            make_private(Path(address.database or ""))
            with engine.connect() as connection:
                yield connection
        finally:
            os.close(folder)
        return
    with engine.connect() as connection:
        connection.execute(text("SET SESSION wait_timeout = 86400"))  # the lock ends with it
        take_lock(connection, "gazetteer:")
        yield connection


def take_lock(connection: Connection, purpose: str) -> None:
    """Take a lock of MariaDB that ends with the connection: with that of a killed process when the
    server has completed its statement."""
    if not connection.scalar(LOCK, {"purpose": purpose}):
        raise SchemaError(
            "Another `flask prepare` is changing this database. Try again when it is done."
        )


def make_private(database: Path) -> None:
    """Create a SQLite file, or restrict it, so that only our account can read it. SQLite gives the
    files beside it the same rights."""
    if not database.exists():
        database.touch(OWNER_ONLY)
    for suffix in ("", "-wal", "-shm"):
        limit_rights(Path(f"{database}{suffix}"), OWNER_ONLY)


def known_revisions() -> list[str]:
    """The revisions that this release knows, in order."""
    return sorted(path.name.split("_")[0] for path in MIGRATIONS.glob("[0-9]*_*.py"))


def state(connection: Connection) -> State:
    """Compare the revision of the tables with the file names of the migrations, which start with
    it. Alembic could do this, but needs 10 MB of memory in every web process."""
    known = known_revisions()
    if not inspect(connection).has_table("alembic_version"):
        return State.MISSING
    present = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if present is None:
        return State.MISSING
    if present == known[-1]:
        return State.SAME
    return State.OLDER if present in known else State.NEWER
