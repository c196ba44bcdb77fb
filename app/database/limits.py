"""The pool of connections, their time limits, and how they let other requests of the process run.
Each limit is shorter than the one around it (lock, statement, reading the answer), so that the
server ends what nobody waits for."""

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine, ExceptionContext, QueuePool, event

from app.concurrency import WORK_SECONDS, finish_in_thread, yield_after, yield_to_hub
from app.database.failures import DATABASE_ERRORS

BATCH = 500  # values of one statement
T = TypeVar("T", str, int)

# Of one process, and how many of them stay open.
CONNECTIONS, POOL_SIZE = 30, 20

# A web process opens them after its start, in the pauses of its requests.
FILL_SECONDS, FILL_PAUSE = 1.0, 0.01

PACE = "pace"
# Steps of SQLite's virtual machine between two looks at the clock, which take about 0.3 ms. What
# takes longer was not SQLite: the rows were used in between.
STEPS, SLICE_SECONDS = 4000, 0.1
# For how long a write transaction, or a series of short statements, runs before it yields to other
# requests. Ten times as long as a read, because nobody else can write until it commits, and it
# should not be slowed down much by readers.
HOLD_SECONDS = 0.02


@dataclass(frozen=True)
class Limits:
    """In seconds; None is no limit."""

    connect: float
    lock: float
    statement: float | None
    read: float


# A page waits two seconds for a statement at most; a command may take longer, and nobody else waits
# for it.
WEB = Limits(connect=0.9, lock=1, statement=1.2, read=1.8)
COMMAND = Limits(connect=5, lock=10, statement=None, read=120)


class Budget(threading.local):
    """The limit of each statement of the current request, in place of that of its connection."""

    seconds: float | None = None

    @contextmanager
    def of(self, seconds: float) -> Iterator[None]:
        """For reads in this block. One that takes longer is Kind.TOO_LONG."""
        self.seconds = seconds
        try:
            yield
        finally:
            self.seconds = None


budget = Budget()

# How long SQLite itself may wait for a lock in a web process. It waits in C, so no other request of
# the process goes on; app/database/service.py waits longer, without blocking.
SQLITE_WEB_WAIT = 0.005


def engine_options(url: str, web: bool = False) -> dict[str, Any]:
    """The options of the engine. Parameters of statements (names, password hashes) stay out of
    logged tracebacks."""
    limits = WEB if web else COMMAND
    options = {
        "pool_size": POOL_SIZE,
        "max_overflow": CONNECTIONS - POOL_SIZE,
        "pool_timeout": 2,
        "hide_parameters": True,
    }
    if url.startswith("sqlite"):
        paced = {"timeout": SQLITE_WEB_WAIT, "factory": PacedConnection}
        return {**options, "connect_args": paced if web else {"timeout": limits.lock}}
    return {
        **options,
        "pool_recycle": 360,
        # Replaces connections that a restart of the database has closed.
        "pool_pre_ping": True,
        # Arguments of app/database/mariadb.py::SharedTlsConnection.
        "connect_args": {
            "connect_timeout": limits.connect,
            "read_timeout": limits.read,
            "write_timeout": limits.read,
            "lock_seconds": limits.lock,
            "statement_seconds": limits.statement,
        },
    }


def fill_pool(engine: Engine) -> None:
    """Open the connections that stay open, one after the other, for FILL_SECONDS at most: they are
    in use until all are open. If the database is away, the requests that need it report that."""
    pool, deadline = cast(QueuePool, engine.pool), time.monotonic() + FILL_SECONDS
    with ExitStack() as opened, suppress(*DATABASE_ERRORS):
        while pool.checkedin() + pool.checkedout() < POOL_SIZE and time.monotonic() < deadline:
            opened.enter_context(engine.connect())
            time.sleep(FILL_PAUSE)


class PacedConnection(sqlite3.Connection):
    """A connection of a web process, which commits in a thread: that waits for the disk, sometimes
    until the whole write-ahead log is in the database, and makes no steps in the meantime."""

    def commit(self) -> None:
        finish_in_thread(super().commit)


class Pace:
    """Lets other requests run during long transactions of SQLite, and ends a read after
    the seconds of its limit. SQLite calls `step` every STEPS steps. One per connection."""

    def __init__(self) -> None:
        self.writing = False
        self.limit = WEB.statement or 0.0
        self.spent = self.since = self.resumed = 0.0
        self.raised: BaseException | None = None

    def start(self) -> None:
        """Called before each statement."""
        self.let_others_run(HOLD_SECONDS)
        self.limit = budget.seconds or WEB.statement or 0.0
        self.spent, self.since, self.raised = 0.0, time.monotonic(), None

    def step(self) -> int:
        """SQLite interrupts the statement if this is not 0. It would swallow an exception."""
        self.spent += min(time.monotonic() - self.since, SLICE_SECONDS)
        if not self.writing and self.spent > self.limit:
            return 1
        try:
            self.let_others_run(WORK_SECONDS)
        except BaseException as error:  # the request is killed while another one runs
            self.raised = error
            return 1
        self.since = time.monotonic()
        return 0

    def let_others_run(self, seconds: float) -> None:
        """If they have waited for so long; during a write, after HOLD_SECONDS of its own."""
        if self.writing:
            self.resumed = yield_after(self.resumed, HOLD_SECONDS)
        else:
            yield_to_hub(seconds)


def pace(engine: Engine) -> None:
    """Give each SQLite connection of a web process its Pace."""
    event.listen(engine, "connect", add_pace)
    event.listen(engine, "begin", begin_pace)
    event.listen(engine, "before_cursor_execute", start_pace)
    event.listen(engine, "handle_error", raise_kill)


def add_pace(connection: sqlite3.Connection, record: Any) -> None:
    record.info[PACE] = added = Pace()
    connection.set_progress_handler(added.step, STEPS)


def begin_pace(connection: Connection) -> None:
    begun = connection.info[PACE]
    begun.writing = connection.get_execution_options().get("immediate", False)
    begun.resumed = time.monotonic()


def start_pace(connection: Connection, *_more: Any) -> None:
    connection.info[PACE].start()


def raise_kill(context: ExceptionContext) -> BaseException | None:
    """The exception that ended a paced statement, in place of SQLite's "interrupted"."""
    connection = context.connection
    if connection is None or connection.closed or connection.invalidated:
        return None
    raised: BaseException | None = connection.info[PACE].raised
    return raised


def slices(values: Iterable[T]) -> Iterator[list[T]]:
    """Texts or ids in order, as many at a time as one statement has."""
    ordered = sorted(values)
    return (ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH))
