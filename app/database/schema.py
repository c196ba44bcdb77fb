"""The schema: creating the database, running migrations, comparing the tables with the code."""

from enum import StrEnum

from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from app.config import ROOT
from app.database.engine import db

MIGRATIONS = ROOT / "migrations" / "versions"
UNKNOWN_DATABASE = 1049
CONNECT_SECONDS = 5


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
    """Run one statement on a new connection."""
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        connect_args={"connect_timeout": CONNECT_SECONDS},
    )
    with engine.connect() as connection:
        connection.execute(text(statement))


def bring_up_to_date(url: str) -> None:
    """Create the database if it does not exist, and run pending migrations. Tables of a newer
    release are not changed, so that an older release can be started again."""
    from flask_migrate import upgrade

    try:
        create_database(url)
        with db.engine.connect() as connection:
            before = state(connection)
        if before is not State.NEWER:
            upgrade()
    except OperationalError as error:
        reason = error.orig.args[-1] if error.orig is not None and error.orig.args else error
        raise SchemaError(f"The database cannot be used: {reason}. See DATABASE_URL.") from None


def state(connection: Connection) -> State:
    """Compare the revision of the tables with the file names of the migrations, which start with
    it. Alembic could do this, but needs 10 MB of memory in every web process."""
    known = sorted(path.name.split("_")[0] for path in MIGRATIONS.glob("[0-9]*_*.py"))
    if not inspect(connection).has_table("alembic_version"):
        return State.MISSING
    present = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if present is None:
        return State.MISSING
    if present == known[-1]:
        return State.SAME
    return State.OLDER if present in known else State.NEWER
