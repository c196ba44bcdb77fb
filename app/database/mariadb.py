"""Connections to MariaDB and MySQL. Imported only if they are used, because the driver needs
memory."""

import logging
import re
import ssl
import time
from typing import Any

from pymysql.connections import Connection
from pymysql.cursors import Cursor
from pymysql.err import OperationalError
from sqlalchemy import Connection as EngineConnection
from sqlalchemy import Engine, event

from app.concurrency import has_input
from app.database.limits import budget

log = logging.getLogger("gazetteer.database")

NO_SUCH_INDEX = 1176
HINT = re.compile(r" FORCE INDEX \([\w, ]+\)")

IDLE_SECONDS = 5.0

AUTHENTICATION_PLUGIN = 2061
NEEDS_ENCRYPTION = (
    "The account uses caching_sha2_password or sha256_password, which needs TLS, a unix socket, or "
    "the Python package cryptography"
)


def needed(error: RuntimeError) -> str:
    """What the driver needs for an account's kind of authentication."""
    return NEEDS_ENCRYPTION if "cryptography" in str(error) else str(error)


def listen(engine: Engine) -> None:
    """Run queries within their budget, and without the indexes that their hints name and that do
    not exist."""
    event.listen(engine, "before_cursor_execute", limit_query, retval=True)
    event.listen(engine, "do_execute", execute_without_missing_index)


def limit_query(
    connection: EngineConnection, _cursor: object, statement: str, values: Any, *_more: object
) -> tuple[str, Any]:
    """Send the budget with a query: MySQL takes it as a hint."""
    query = statement.removeprefix("SELECT")
    if budget.seconds is None or query == statement:
        return statement, values
    if getattr(connection.dialect, "is_mariadb", False):
        return f"SET STATEMENT max_statement_time={budget.seconds} FOR {statement}", values
    return f"SELECT /*+ MAX_EXECUTION_TIME({int(1000 * budget.seconds)}) */{query}", values


def execute_without_missing_index(
    cursor: Cursor, statement: str, values: Any, _context: object
) -> bool:
    """Send a statement again without its hints if an index does not exist: a newer release may have
    dropped or renamed it. True means that it was executed here."""
    without_hints = HINT.sub("", statement)
    if without_hints == statement:
        return False
    try:
        cursor.execute(statement, values)
    except OperationalError as error:
        if error.args[0] != NO_SUCH_INDEX:
            raise
        log.warning("%s; the query is slower without it", error.args[1])
        cursor.execute(without_hints, values)
    return True


class SharedTlsConnection(Connection):  # type: ignore[misc]
    """A PyMySQL connection with one TLS context for the process, because a context takes 25 ms of
    CPU time. TLS is "preferred": it is used if the server offers it.

    `lock_seconds` and `statement_seconds` are limits that the server observes.
    """

    _preferred: ssl.SSLContext | None = None
    answered = -IDLE_SECONDS  # when the server last answered a query, on the monotonic clock
    ended = False  # the transaction has ended, and nothing was sent since

    def __init__(
        self,
        *args: Any,
        lock_seconds: float | None = None,
        statement_seconds: float | None = None,
        **options: Any,
    ) -> None:
        self.lock_seconds = lock_seconds
        self.statement_seconds = statement_seconds
        super().__init__(*args, **options)

    def connect(self, sock: Any = None) -> None:
        try:
            super().connect(sock)
        except RuntimeError as error:  # the driver lacks a package for this account
            raise OperationalError(AUTHENTICATION_PLUGIN, needed(error)) from error
        try:
            if limits := self.limits():
                self.query(f"SET SESSION {', '.join(limits)}")
        except BaseException:
            self._force_close()
            raise

    def query(self, sql: str | bytes, unbuffered: bool = False) -> int:
        self.ended = False
        rows: int = super().query(sql, unbuffered)
        self.answered = time.monotonic()
        return rows

    def commit(self) -> None:
        super().commit()
        self.ended = True

    def rollback(self) -> None:
        """Called by the pool after each use, which mostly has ended its transaction already."""
        if not self.ended:
            super().rollback()
            self.ended = True

    def ping(self, reconnect: bool = False) -> None:
        """Called by the pool before each use. It asks the server only if the connection was idle
        for IDLE_SECONDS, or if something has arrived since: nothing does but its end."""
        idle = time.monotonic() - self.answered
        if idle >= IDLE_SECONDS or not self.open or has_input(self._sock):
            super().ping(reconnect)

    def limits(self) -> list[str]:
        """The server's variables. MySQL limits the time of a SELECT, MariaDB that of any
        statement. `lock_wait_timeout` is about tables that a migration changes."""
        found = []
        if self.lock_seconds:
            seconds = int(self.lock_seconds)
            found += [f"innodb_lock_wait_timeout={seconds}", f"lock_wait_timeout={seconds}"]
        if self.statement_seconds and "MariaDB" in self.get_server_info():
            found.append(f"max_statement_time={self.statement_seconds}")
        elif self.statement_seconds:
            found.append(f"max_execution_time={int(self.statement_seconds * 1000)}")
        return found

    def _create_ssl_ctx(self, sslp: dict[str, Any] | ssl.SSLContext) -> ssl.SSLContext:
        """Share the context only if the URL has no TLS options: those name files, which may be
        renewed and are read for each connection."""
        if sslp:
            context: ssl.SSLContext = super()._create_ssl_ctx(sslp)
            return context
        cls = SharedTlsConnection
        if cls._preferred is None:
            cls._preferred = super()._create_ssl_ctx({})
        return cls._preferred
