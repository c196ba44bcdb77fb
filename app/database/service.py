"""Services: one call is one actor, one permission, one transaction.

`@service(role)` is for whatever changes what people own; such a function also records what it
changed, with `history.services.record()`. `@bookkeeping` is the transaction alone, for what
nobody asked for: last use, download counts, search keys, purging.
"""

import inspect
import logging
import random
import time
from collections.abc import Callable
from functools import partial, wraps
from typing import Concatenate, ParamSpec, TypeVar

from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from app.actor import Actor, Role
from app.database.engine import db
from app.errors import Forbidden, Locked, Unauthorized
from app.text import N_

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("gazetteer.transactions")

ANYONE = None  # the role of services for visitors: signing in, claiming a new installation
ATTEMPTS = 5
# MariaDB: 1213 deadlock, 1467 deadlock while INSERT ... SELECT waits for its ids, 1020 a row read
# earlier in this transaction has changed since (asked for by default from 11.6 on).
MYSQL_RETRY = (1213, 1467, 1020)
MYSQL_LOCK_WAIT_TIMEOUT = 1205


def permitted(
    role: Role | None, by_token: bool = True
) -> Callable[[Callable[Concatenate[Actor, P], T]], Callable[Concatenate[Actor, P], T]]:
    """A function whose first argument is the actor, for actors of at least this role; with
    `by_token=False` not for scripts. Others are refused before anything is read: visitors with
    Unauthorized, everybody else with Forbidden.

    On its own it is for a service that hashes or writes a file before its transaction, and for
    reads that not everybody may do.
    """

    def decorate(
        function: Callable[Concatenate[Actor, P], T],
    ) -> Callable[Concatenate[Actor, P], T]:
        @wraps(function)
        def run(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> T:
            if role is not None and actor.role is None:
                raise Unauthorized(N_("Please sign in, or send a token."))
            if role is not None and not actor.has_role(role):
                raise Forbidden(N_("Your role does not include this."))
            if actor.by_token and not by_token:
                raise Forbidden(N_("A token is not enough for this: sign in."))
            return function(actor, *args, **kwargs)

        run.required_role = role  # type: ignore[attr-defined]
        return run

    return decorate


def service(
    role: Role | None, by_token: bool = True
) -> Callable[[Callable[Concatenate[Actor, P], T]], Callable[Concatenate[Actor, P], T]]:
    """A permitted function in a transaction of its own, as `run_transaction()` describes. What two
    services share is a plain function: a service never calls another one."""

    def decorate(
        function: Callable[Concatenate[Actor, P], T],
    ) -> Callable[Concatenate[Actor, P], T]:
        return permitted(role, by_token)(bookkeeping(function))

    return decorate


def bookkeeping(function: Callable[P, T]) -> Callable[P, T]:
    """A function in a transaction of its own, without actor, permission or history."""
    if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
        # Its body would run after the commit.
        raise TypeError(f"{function.__name__}() yields; a service returns its result.")

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return run_transaction(partial(function, *args, **kwargs))

    return run


def run_transaction(work: Callable[[], T]) -> T:
    """Call `work` in a fresh transaction (BEGIN IMMEDIATE on SQLite) and commit at its end.

    It is run again from its beginning, at most five times with a random pause, when the database
    was busy or chose it as the victim of a deadlock. A row that another transaction holds locked
    is raised as Locked and not tried again: the database has waited for it already. So `work` has
    no other effect before its commit: what must follow it (clearing a cache) is passed to
    `after_commit()`. On SQLite nothing between the first write and the commit may yield to another
    request: no Redis, no file, no sleep. What the session held before is rolled back.
    """
    session = db.session()
    if session.info.get("in_service"):
        raise RuntimeError("a service was called inside another one")
    for attempt in range(1, ATTEMPTS + 1):
        session.rollback()
        session.info["in_service"], session.info["after_commit"] = True, []
        try:
            session.connection(execution_options={"immediate": True})
            result = work()
            session.commit()
        except DBAPIError as error:
            session.rollback()
            if error_code(error) == MYSQL_LOCK_WAIT_TIMEOUT:
                raise Locked() from error
            if attempt == ATTEMPTS or not is_busy(error):
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


def run_follow_up(follow_up: Callable[[], object]) -> None:
    """Call it; a failure is logged and not raised: the change is committed, and an error would
    have the person make it twice. So a follow-up only does what would also happen by itself later,
    such as clearing a cached value that expires."""
    try:
        follow_up()
    except RedisError:  # not our fault, so without a trace
        log.warning("Redis does not answer: the change is saved, and known everywhere in a minute")
    except Exception:
        log.exception("a follow-up of a committed change failed")


def is_busy(error: DBAPIError) -> bool:
    """True if the same transaction may succeed when it is tried again."""
    code = error_code(error)
    return code in MYSQL_RETRY or "database is locked" in str(code)


def error_code(error: DBAPIError) -> object:
    """MariaDB's number of an error; SQLite has a sentence in its place."""
    return error.orig.args[0] if error.orig is not None and error.orig.args else ""


def after_commit(follow_up: Callable[[], object]) -> None:
    """Call `follow_up` once the running service's transaction is committed. A service that is
    refused or run again drops what it passed."""
    info = db.session().info
    if not info.get("in_service"):
        raise RuntimeError("after_commit() works inside a service only")
    info["after_commit"].append(follow_up)
