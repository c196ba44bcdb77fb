"""The database session and engine, the base class of models, and the set-up of connections."""

import sqlite3
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Dialect, Engine, MetaData, event
from sqlalchemy.orm import DeclarativeBase


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


@event.listens_for(Engine, "do_connect")
def connect_mariadb(dialect: Dialect, _record: object, args: Any, options: Any) -> Any:
    """Connect to MariaDB with our subclass of the driver's connection."""
    if dialect.driver != "pymysql":
        return None  # the dialect connects
    from app.database.mariadb import SharedTlsConnection

    return SharedTlsConnection(*args, **options)


@event.listens_for(Engine, "connect")
def prepare_sqlite(connection: Any, _record: object) -> None:
    """Set WAL mode, durable commits and foreign keys; transactions are begun by begin_sqlite()."""
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def begin_sqlite(connection: Connection) -> None:
    """Begin a transaction, IMMEDIATE for writers: upgrading from reading to writing would fail at
    once when another connection writes."""
    if connection.dialect.name == "sqlite":
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


db = SQLAlchemy(model_class=Base)


def release_connection() -> None:
    """Return the connection of a read to the pool, before asking Redis, hashing a password,
    computing or streaming: slow requests would otherwise use up the pool."""
    db.session.rollback()
