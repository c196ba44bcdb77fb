"""The database session and engine, the base of all tables, and what connections need."""

import sqlite3
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Dialect, Engine, MetaData, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """The base of all tables; every constraint has a name, so that a migration can drop it."""

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
    """Connect to MariaDB with our subclass of the driver's connection, in every process."""
    if dialect.driver != "pymysql":
        return None  # as the dialect does by itself
    from app.database.mariadb import SharedTlsConnection

    return SharedTlsConnection(*args, **options)


@event.listens_for(Engine, "connect")
def prepare_sqlite(connection: Any, _record: object) -> None:
    """Write-ahead log, every commit on disk, foreign keys on; we begin transactions ourselves."""
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def begin_sqlite(connection: Connection) -> None:
    """Writers begin IMMEDIATE: one that read first and then writes would fail at once."""
    if connection.dialect.name == "sqlite":
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


db = SQLAlchemy(model_class=Base)


# What is raised when the database does not answer, or when all connections to it are taken.
DATABASE_AWAY = (OperationalError, PoolTimeout)
