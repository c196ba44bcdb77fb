"""One service call, one transaction: begun fresh, committed at its end, replayed when unlucky."""

import inspect
import logging
import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from app.database.engine import db
from app.errors import Locked

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("gazetteer.transactions")

TRIES = 5
# MariaDB: 1213 deadlock, 1020 a row read earlier in this transaction has changed since (asked for
# by default from 11.6 on).
MYSQL_RETRY = (1213, 1020)
MYSQL_LOCK_WAIT_TIMEOUT = 1205


def transaction(service: Callable[P, T]) -> Callable[P, T]:
    """Run a service in a transaction of its own; a service called by another joins it.

    It starts from a fresh transaction (BEGIN IMMEDIATE on SQLite), commits at its end, and is
    replayed whole, at most five times with a random pause, when the database was busy or chose it
    as the victim of a deadlock. A row that another transaction holds locked is raised as Locked and
    not tried again: the database has waited for it already. So a service has no other effect before
    its commit: what must follow it (clearing a cache) is handed to `after_commit()`. On SQLite
    nothing between the first write and the commit may yield to another request: no Redis, no file,
    no sleep.

    What the session held before (pending objects, rows read) is rolled back and read anew.
    """
    if inspect.isgeneratorfunction(service) or inspect.iscoroutinefunction(service):
        # Its body would run after the commit.
        raise TypeError(f"{service.__name__}() yields; a service returns its result.")

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
                if error_code(error) == MYSQL_LOCK_WAIT_TIMEOUT:
                    raise Locked() from error
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
                follow_ups = session.info.pop("after_commit")
        for follow_up in follow_ups:
            run_follow_up(follow_up)
        return result

    return run


def run_follow_up(follow_up: Callable[[], object]) -> None:
    """Run it, and write a failure to the log only: the change is committed, so telling the person
    that it failed would have them do it twice. A follow-up therefore never does what must not be
    missed; it clears what ends by itself."""
    try:
        follow_up()
    except RedisError:  # no fault of ours, so no trace; whatever it keeps of this ends in a minute
        log.warning("Redis does not answer: the change is saved, and known everywhere in a minute")
    except Exception:
        log.exception("a follow-up of a committed change failed")


def is_busy(error: DBAPIError) -> bool:
    """Whether the same transaction may well succeed when it is tried again."""
    code = error_code(error)
    return code in MYSQL_RETRY or "database is locked" in str(code)


def error_code(error: DBAPIError) -> object:
    """MariaDB's number of an error; SQLite has a sentence in its place."""
    return error.orig.args[0] if error.orig is not None and error.orig.args else ""


def after_commit(follow_up: Callable[[], object]) -> None:
    """Have `follow_up` called once the running service's transaction is committed; a service that
    is refused or replayed drops what it handed over."""
    info = db.session().info
    if not info.get("in_service"):
        raise RuntimeError("after_commit() is called by services, inside of their transaction.")
    info["after_commit"].append(follow_up)
