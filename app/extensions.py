"""The extensions, unbound; `create_app()` binds them. Nothing here opens a connection."""

import re
import sqlite3
from collections.abc import Callable
from time import monotonic
from typing import Any

from flask import Flask, current_app
from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from sqlalchemy import Connection, Dialect, Engine, MetaData, event
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


@event.listens_for(Engine, "connect")
def prepare_sqlite(connection: Any, _record: object) -> None:
    """Write-ahead log, every commit on disk, foreign keys on; we begin transactions ourselves."""
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "do_connect")
def connect_mariadb(dialect: Dialect, _record: object, args: Any, options: Any) -> Any:
    """Connect to MariaDB with our subclass of the driver's connection, in every process."""
    if dialect.driver != "pymysql":
        return None  # as the dialect does by itself
    from app.mariadb import SharedTlsConnection

    return SharedTlsConnection(*args, **options)


@event.listens_for(Engine, "begin")
def begin_sqlite(connection: Connection) -> None:
    """Writers begin IMMEDIATE: one that read first and then writes would fail at once."""
    if connection.dialect.name == "sqlite":
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


class BreakerRetry(Retry):
    """One retry for a refused connection, none for a time-out; after a failure every call fails at
    once for a second, so that a page answers 503 quickly however often it would ask Redis.

    The open-until time is a fact about this process's own connections, not shared state.
    """

    OPEN_SECONDS = 1.0

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 1, (RedisConnectionError,))
        self.open_until = 0.0

    def __deepcopy__(self, _memo: object) -> "BreakerRetry":
        return self  # redis-py copies it for each connection; all must see the same state

    def call_with_retry(
        self, do: Callable[[], Any], fail: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        if monotonic() < self.open_until:
            raise RedisConnectionError("Redis did not answer a moment ago")
        try:
            return super().call_with_retry(do, fail, *args, **kwargs)
        except (RedisConnectionError, RedisTimeoutError):
            self.open_until = monotonic() + self.OPEN_SECONDS
            raise


class RedisStore:
    """The application's Redis client: `redis_store.client`, text in and out."""

    def init_app(self, app: Flask) -> None:
        url = app.config["SETTINGS"].redis_url
        seconds = app.config["SETTINGS"].redis_timeout_ms / 1000
        client = Redis.from_url(
            url,
            decode_responses=True,
            encoding_errors="replace",  # what another program wrote may not be UTF-8
            max_connections=1000,  # as many as a worker answers at once; the default is 100
            socket_connect_timeout=seconds,
            socket_timeout=seconds,
            retry=BreakerRetry(),
        )
        app.extensions["redis"] = client
        # Flask-Limiter counts over the same connections, with the same time-outs.
        app.config["RATELIMIT_STORAGE_URI"] = re.sub(r"^unix:", "redis+unix:", url)
        app.config["RATELIMIT_STORAGE_OPTIONS"] = {"connection_pool": client.connection_pool}

    @property
    def client(self) -> "Redis":
        """The client of the current application; connections open at the first command."""
        client: Redis = current_app.extensions["redis"]
        return client


db = SQLAlchemy(model_class=Base)
csrf = CSRFProtect()
babel = Babel()
limiter = Limiter(get_remote_address)
redis_store = RedisStore()
