"""One service call, one transaction: begun fresh, committed at its end, replayed when unlucky."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

from app.extensions import db

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 5
# MariaDB: 1213 deadlock, 1205 lock wait timed out.
MYSQL_RETRY = (1213, 1205)


def transaction(service: Callable[P, T]) -> Callable[P, T]:
    """Run a service in a transaction of its own; a service called by another joins it.

    It starts from a fresh transaction (BEGIN IMMEDIATE on SQLite), commits at its end, and is
    replayed whole, at most five times with a random pause, when the database was busy or chose it
    as the victim of a deadlock. So a service has no other effect before its commit: what must
    follow it (clearing a cache) is handed to `after_commit()`. On SQLite nothing between the first
    write and the commit may yield to another request: no Redis, no file, no sleep.
    """

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        session = db.session()
        if session.info.get("in_service"):
            return service(*args, **kwargs)
        for attempt in range(1, TRIES + 1):
            session.rollback()
            session.info["in_service"], session.info["after_commit"] = True, []
            try:
                session.connection(execution_options={"immediate": True})
                result = service(*args, **kwargs)
                session.commit()
            except DBAPIError as error:
                session.rollback()
                if attempt == TRIES or not is_busy(error):
                    raise
                time.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - only jitter
            except BaseException:
                session.rollback()
                raise
            else:
                break
            finally:
                session.info["in_service"] = False
        for follow_up in session.info.pop("after_commit"):
            follow_up()
        return result

    return run


def is_busy(error: DBAPIError) -> bool:
    """Whether the same transaction may well succeed when it is tried again."""
    code = error.orig.args[0] if error.orig is not None and error.orig.args else ""
    return code in MYSQL_RETRY or "database is locked" in str(code)


def after_commit(follow_up: Callable[[], object]) -> None:
    """Have `follow_up` called once the running service's transaction is committed."""
    db.session().info["after_commit"].append(follow_up)
