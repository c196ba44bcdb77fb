"""The database session and engine, the base class of models, and the set-up of connections."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL, Connection, Dialect, Engine, MetaData, NullPool, create_engine, event
from sqlalchemy.orm import DeclarativeBase

WAL_MOST = 16 << 20  # four times what SQLite lets it grow to as long as nobody reads
WAL_WAIT = 2.0  # seconds for reads to end, during which nobody writes


class Base(DeclarativeBase):
    """The base class of models; every constraint has a name, so that a migration can drop it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def connect_mariadb(dialect: Dialect, _record: object, args: Any, options: Any) -> Any:
    """Connect to MariaDB with our subclass of the driver's connection."""
    if dialect.driver != "pymysql":
        return None  # the dialect connects
    from app.database.mariadb import SharedTlsConnection

    return SharedTlsConnection(*args, **options)


def prepare_sqlite(connection: Any, _record: object) -> None:
    """Set WAL mode, durable commits and foreign keys; transactions are begun by begin_sqlite()."""
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")


def begin_sqlite(connection: Connection) -> None:
    """Begin a transaction, IMMEDIATE for writers: upgrading from reading to writing would fail at
    once when another connection writes."""
    if connection.dialect.name == "sqlite":
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def listen(engine: Engine) -> None:
    """Set up the connections and transactions of an engine."""
    event.listen(engine, "do_connect", connect_mariadb)
    event.listen(engine, "connect", prepare_sqlite)
    event.listen(engine, "begin", begin_sqlite)


def create_command_engine(url: str | URL, **options: Any) -> Engine:
    """An engine for a migration or command: each connection is closed after its use."""
    engine = create_engine(url, poolclass=NullPool, **options)
    listen(engine)
    return engine


db = SQLAlchemy(model_class=Base)


def truncate_wal() -> int:
    """Empty SQLite's write-ahead log if it is large; returns by how many bytes. SQLite itself
    begins it again only when nobody reads: while reads overlap it grows without bound, and it
    never shrinks. Writers wait until the present reads have ended; later ones do not need the
    log."""
    database = db.engine.url.database
    log = Path(f"{database}-wal")
    size = log.stat().st_size if log.exists() else 0
    if size < WAL_MOST:
        return 0
    with closing(sqlite3.connect(str(database), timeout=WAL_WAIT)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return size - log.stat().st_size


def release_connection() -> None:
    """Return the connection of a read to the pool, before asking Redis, hashing a password,
    computing or streaming: slow requests would otherwise use up the pool."""
    db.session.rollback()
