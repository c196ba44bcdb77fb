"""Services: one call is one actor, one permission, one transaction."""

import inspect
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Concatenate, ParamSpec, TypeVar

from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.actor import Actor, Role, check_permission
from app.database.engine import db
from app.database.failures import DATABASE_ERRORS, Kind, classify, report
from app.errors import Locked

P = ParamSpec("P")
T = TypeVar("T")
Service = Callable[Concatenate[Actor, P], T]
FollowUps = list[Callable[[], object]]

log = logging.getLogger("gazetteer.transactions")

ANYONE = None  # the role of services for visitors: signing in, claiming a new installation
ATTEMPTS = 5
SQLITE_WAIT, SQLITE_SHORT_WAIT = 5.0, 1.0  # seconds until others have written
write_lock = threading.Lock()  # held by the request that writes to SQLite


def permitted(role: Role | None, by_token: bool = True) -> Callable[[Service[P, T]], Service[P, T]]:
    """Require that the actor, the first argument, has at least this role, and with
    `by_token=False` that it is not a script. Visitors get Unauthorized, everybody else Forbidden.

    Used alone for a service that hashes or writes a file before its transaction, and for reads
    that need a role.
    """

    def decorate(function: Service[P, T]) -> Service[P, T]:
        @wraps(function)
        def run(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> T:
            check_permission(actor, role, by_token)
            return function(actor, *args, **kwargs)

        run.required_role = role  # type: ignore[attr-defined]
        return run

    return decorate


def service(role: Role | None, by_token: bool = True) -> Callable[[Service[P, T]], Service[P, T]]:
    """Check the permission, then run the function in a transaction of its own. It records what it
    changed with `history.services.record()`, and never calls another service."""
    return lambda function: permitted(role, by_token)(in_transaction(function, SQLITE_WAIT))


def unrecorded(function: Callable[P, T]) -> Callable[P, T]:
    """Run a function in a transaction of its own, without actor, permission or history: for changes
    that nobody requested, such as last use, download counts, purging. Somebody may be waiting for
    something else, so it gives up early."""
    return in_transaction(function, SQLITE_SHORT_WAIT)


def essential(function: Callable[P, T]) -> Callable[P, T]:
    """The same for a change without which long work would be done again: it waits for others as
    long as a service does."""
    return in_transaction(function, SQLITE_WAIT)


def in_transaction(function: Callable[P, T], wait: float) -> Callable[P, T]:
    if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
        # The body would run after the commit.
        raise TypeError(f"{function.__name__}() yields or awaits; a service returns its result.")

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return run_transaction(partial(function, *args, **kwargs), wait)

    return run


def run_transaction(work: Callable[[], T], wait: float = SQLITE_WAIT) -> T:
    """Call `work` in a new transaction (BEGIN IMMEDIATE on SQLite, for which it waits so many
    seconds) and commit. Anything that the session held before is rolled back.

    If the database reports a deadlock or, on SQLite, is busy, `work` is called again, so it must
    not have effects outside the database; what follows the change (clearing a cache) is passed to
    `after_commit()`. A locked row raises Locked and is not retried: the database has already waited
    for it. On SQLite `work` does not wait for anything (Redis, a file) between the first write and
    the commit, because nobody else can write. The statements themselves let others run, seldom
    (app/database/limits.py::Pace).
    """
    session = db.session()
    end_previous(session)
    with turn_to_write(session, wait) as deadline:
        result, follow_ups = commit_work(session, work, deadline)
    for follow_up in follow_ups:
        run_follow_up(follow_up)
    return result


def end_previous(session: Session) -> None:
    """Roll back what the session holds, and call what was to be done before the next service."""
    if session.info.get("in_service"):
        raise RuntimeError("a service was called inside another one")
    session.rollback()
    if preparation := session.info.pop("before_next", None):
        run_follow_up(preparation)


@contextmanager
def turn_to_write(session: Session, wait: float) -> Iterator[float]:
    """Requests of one process that write to SQLite take turns, so that only one of them asks again
    and again in begin(). Yields the time until which that waits for other processes."""
    deadline = time.monotonic() + wait
    has_turn = session.get_bind().dialect.name == "sqlite" and write_lock.acquire(timeout=wait)
    try:
        yield deadline
    finally:
        if has_turn:
            write_lock.release()


def commit_work(session: Session, work: Callable[[], T], deadline: float) -> tuple[T, FollowUps]:
    """Call `work` until it is committed; returns its result, and what follows."""
    for attempt in range(1, ATTEMPTS + 1):
        begin(session, deadline)
        session.info["in_service"], session.info["after_commit"] = True, []
        try:
            result = work()
            session.commit()
        except DBAPIError as error:
            session.rollback()
            kind = classify(error)
            if kind is Kind.LOCK:
                report(error)
                raise Locked() from error
            if attempt == ATTEMPTS or kind not in (Kind.BUSY, Kind.DEADLOCK):
                raise
            time.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - only jitter
        except BaseException:
            session.rollback()
            raise
        else:
            break
        finally:
            session.info["in_service"] = False
            follow_ups: FollowUps = session.info.pop("after_commit")
    return result, follow_ups


def begin(session: Session, deadline: float) -> None:
    """Begin a transaction. On SQLite it waits until other processes have written, and the other
    requests of this process go on."""
    while True:
        try:
            session.connection(execution_options={"immediate": True})
        except DBAPIError as error:
            session.rollback()
            if classify(error) is not Kind.BUSY or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.005, 0.02))  # noqa: S311 - only jitter
        else:
            return


def run_follow_up(follow_up: Callable[[], object]) -> None:
    """Call it, and log an error instead of raising it: the change is committed, and the person
    would repeat it. So a follow-up must not be essential."""
    try:
        follow_up()
    except RedisError:  # the client has logged it; caches expire within a minute
        pass
    except DATABASE_ERRORS as error:
        db.session.rollback()
        report(error, "a follow-up of a committed change failed")
    except Exception:
        log.exception("a follow-up of a committed change failed")


def after_commit(follow_up: Callable[[], object]) -> None:
    """Call `follow_up` after the running service has committed."""
    info = db.session().info
    if not info.get("in_service"):
        raise RuntimeError("after_commit() works inside a service only")
    info["after_commit"].append(follow_up)


def before_next(preparation: Callable[[], object]) -> None:
    """Call `preparation` before the next service of this request or command begins its
    transaction."""
    db.session().info["before_next"] = preparation
