"""Changes of cached tables that Redis does not know yet.

A request that may save its session holds its changes back, and sends them in the trip that saves
it; alone at its end if the session is not saved, and before its next transaction or look-up in a
cache. Everybody else sends a change at once. Other scripts may run in the same trip. What Redis
does not take is missed, and sent by the same process as soon as Redis answers. If the process is
killed first, others see what is cached until it expires (lifetime.py).
"""

import logging
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from flask import Flask, current_app, g
from redis.exceptions import RedisError

from app.current import note_last_write
from app.database.failures import close_session
from app.database.service import before_next
from app.redis.changes import add_kinds, call_of, kinds_of_change
from app.redis.scripts import Call, run_together

log = logging.getLogger("gazetteer.redis")

RETRY_SECONDS = 0.2
# The kinds of changes, by the prefix of their cache and who made them.
Changes = dict[tuple[str, int | None], set[str]]


def init_app(app: Flask) -> None:
    app.extensions["redis-changes"] = Missed(app)
    app.teardown_request(end_hold)


def hold() -> None:
    """Hold changes of this request back from now on; the session interface, or the teardown of the
    request, calls `end_hold()`."""
    g.holds_changes = True


def end_hold(_error: object = None) -> None:
    """Send what this request held back. Later changes are sent at once."""
    g.pop("holds_changes", None)
    if unsent() or "waiting_calls" in g:
        close_session()  # which logs that the connection was lost, and does not raise
        send_quietly()


def unsent() -> Changes:
    """The changes of this request or command that were not sent yet."""
    found: Changes = g.setdefault("unsent_changes", {})
    return found


def run_later(call: Call) -> None:
    """Have Redis run a script in the next trip that sends changes of this request, or at its end.
    It is not run if that trip fails."""
    g.setdefault("waiting_calls", []).append(call)


class Missed:
    """The changes that an application could not send. A thread sends them again and again, as long
    as there are any: its process may have no other reason to ask Redis for a while."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.changes: Changes = {}
        self.guard = threading.Lock()
        self.is_sending = False

    def add(self, changes: Changes) -> None:
        with self.guard:
            for key, kinds in changes.items():
                add_kinds(self.changes.setdefault(key, set()), kinds)
            if self.changes and not self.is_sending:
                self.is_sending = True
                threading.Thread(target=self.retry, daemon=True).start()

    def take(self) -> Changes:
        """One of the changes, or none."""
        with self.guard:
            return dict([self.changes.popitem()]) if self.changes else {}

    def send(self) -> None:
        """Send all of them, or raise the error of Redis."""
        while changes := self.take():
            send_together(changes)

    def retry(self) -> None:
        while self.is_sending:
            time.sleep(RETRY_SECONDS)
            try:
                with self.app.app_context():
                    self.send()
            except RedisError:  # the client has logged it
                pass
            except Exception:
                log.exception("changes were not sent")
            with self.guard:
                self.is_sending = bool(self.changes)


def missed() -> Missed:
    """The changes that this process could not send."""
    found: Missed = current_app.extensions["redis-changes"]
    return found


def note(prefix: str, person: int | None, parts: Collection[str], also: Call | None) -> None:
    """A person changed parts of a table, or all of it. Hold that back, or send it, at once if
    Redis has to run something else with it."""
    note_last_write(None)
    add_kinds(unsent().setdefault((prefix, person), set()), kinds_of_change(parts))
    if also is None and "holds_changes" in g:
        before_next(send_quietly)
    else:
        send_quietly(*([also] if also else []))


def send_quietly(*others: Call) -> None:
    """Send everything, if Redis takes it."""
    with suppress(RedisError):
        send_all(*others)


def send_all(*others: Call) -> None:
    """As `send()`, and then send what this process could not send before."""
    if others or unsent() or "waiting_calls" in g:
        send(*others)
    missed().send()


def send(*others: Call) -> list[Any]:
    """Send the changes of this request, and run other scripts in the same trip; returns what these
    returned."""
    changes, waiting = unsent().copy(), g.pop("waiting_calls", [])
    unsent().clear()
    results = send_together(changes, *others, *waiting)
    if changes:
        note_last_write(max(results[: len(changes)]))
    return results[len(changes) : len(changes) + len(others)]


def send_together(changes: Changes, *others: Call) -> list[Any]:
    """Send changes and run other scripts in one trip; returns what each returned."""
    try:
        return run_together(*(call_of(*key, kinds) for key, kinds in changes.items()), *others)
    except BaseException:
        missed().add(changes)
        raise
