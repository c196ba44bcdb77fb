"""How many statements a request sends to the database, and how long it waits for them."""

import logging
import time
from dataclasses import dataclass
from typing import Any

from flask import g, has_app_context
from sqlalchemy import Engine, ExceptionContext, event

from app.database.failures import one_line

log = logging.getLogger("gazetteer.database")

SLOW_SECONDS = 0.5


@dataclass
class Spent:
    """What one request or command has sent; without commits."""

    statements: int = 0
    seconds: float = 0.0


def spent() -> Spent:
    """What the current request or command has sent so far."""
    found: Spent = g.setdefault("spent_on_database", Spent())
    return found


def listen(engine: Engine) -> None:
    """Measure the statements of an engine, and log those that take long."""
    event.listen(engine, "before_cursor_execute", start)
    event.listen(engine, "after_cursor_execute", end)
    event.listen(engine, "handle_error", fail)


def start(_1: object, _2: object, _3: object, _4: object, context: Any, _5: object) -> None:
    context.started = time.perf_counter()


def end(_1: object, _2: object, statement: str, _3: object, context: Any, _4: object) -> None:
    seconds = time.perf_counter() - context.started
    if seconds >= SLOW_SECONDS:
        log.warning("a statement took %d ms: %s", seconds * 1000, one_line(statement))
    if has_app_context():
        total = spent()
        total.statements += not statement.startswith("BEGIN")
        total.seconds += seconds


def fail(context: ExceptionContext) -> None:
    """A statement that failed, whose error is reported elsewhere, took its time too."""
    started = getattr(context.execution_context, "started", None)
    if started is not None and has_app_context():
        spent().statements += 1
        spent().seconds += time.perf_counter() - started
