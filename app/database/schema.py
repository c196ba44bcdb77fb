"""The database and its tables: created when absent, brought up to date, compared with the code."""

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
    """The database cannot be used as it is; the text says what to do, without a password in it."""


class State(StrEnum):
    """The tables as the code sees them."""

    SAME = "same"
    MISSING = "missing"
    OLDER = "older"
    NEWER = "newer"  # the old release of a roll-out sees this


def create_database(url: str) -> None:
    """Create the MariaDB database of the address when it is absent and the account may. An account
    without the right to create is not asked to, when the database is there."""
    address = make_url(url)
    if not address.drivername.startswith("mysql"):
        return
    try:
        ask(url, "SELECT 1")
    except OperationalError as error:
        if error.orig is None or error.orig.args[0] != UNKNOWN_DATABASE:
            raise
        name = (address.database or "").replace("`", "``")
        ask(
            address.set(database="").render_as_string(hide_password=False),
            f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        )


def ask(url: str, statement: str) -> None:
    """Run one statement over a connection of its own."""
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        connect_args={"connect_timeout": CONNECT_SECONDS},
    )
    with engine.connect() as connection:
        connection.execute(text(statement))


def bring_up_to_date(url: str) -> None:
    """Create the database when it is absent, and run the migrations that it lacks. Tables that a
    newer release made are left as they are: that is the way back to an older one."""
    from flask_migrate import upgrade

    try:
        create_database(url)
        with db.engine.connect() as connection:
            present = state(connection)
        if present is not State.NEWER:
            upgrade()
    except OperationalError as error:
        reason = error.orig.args[-1] if error.orig is not None and error.orig.args else error
        raise SchemaError(f"The database cannot be used: {reason}. See DATABASE_URL.") from None


def state(connection: Connection) -> State:
    """Compare the tables with the migrations that came with the code. Their files are named by
    revision, in order; Alembic would say the same and cost every web process 10 MB."""
    known = sorted(path.name.split("_")[0] for path in MIGRATIONS.glob("[0-9]*_*.py"))
    if not inspect(connection).has_table("alembic_version"):
        return State.MISSING
    present = set(connection.scalars(text("SELECT version_num FROM alembic_version")))
    if not present:
        return State.MISSING
    if present == {known[-1]}:
        return State.SAME
    return State.OLDER if present <= set(known) else State.NEWER
