"""Single flight: of all who want one result, one computes it, and the others wait for it.

Between processes a lock in Redis decides (app/redis/lock.py). In one process a single request asks
Redis again and again, and the others wait until it has got the result, or computed it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TypeVar

from flask import current_app

from app.errors import Unavailable
from app.redis.lock import Lock
from app.text import N_

T = TypeVar("T")

POLL_SECONDS = (0.01, 0.05)  # the first pause and the longest; each pause doubles
TURN_SECONDS = 5.0  # on a busy machine many different searches take turns
BUSY = N_("This is still being computed. Try again in a moment.")


class Turns:
    """At most so many computations at once in this process; more wait, and `Unavailable` after
    TURN_SECONDS. What a computation needs in turn is part of it."""

    def __init__(self, count: int) -> None:
        self.free = threading.BoundedSemaphore(count)
        self.own = threading.local()  # of a request

    @property
    def has_one(self) -> bool:
        return getattr(self.own, "taken", False)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take a turn, unless this request has one."""
        if self.has_one:
            yield
            return
        self._take()
        try:
            yield
        finally:
            self._give_back()

    @contextmanager
    def given_back(self) -> Iterator[None]:
        """Give a turn back while this request waits for another one, which may need it."""
        had = self.has_one
        self._give_back()
        yield
        if had:
            self._take()

    def _take(self) -> None:
        if not self.free.acquire(timeout=TURN_SECONDS):
            raise Unavailable(BUSY)
        self.own.taken = True

    def _give_back(self) -> None:
        if self.has_one:
            self.own.taken = False
            self.free.release()


turns = Turns(4)
turns_without_redis = Turns(8)  # nobody computes for others


class Flight:
    """One request that wants a result, for as long as it looks for it or computes it."""

    def __init__(self, key: str, seconds: float) -> None:
        self.lock = Lock(key)
        self.seconds = seconds
        self.landed = threading.Event()
        # Of each key that one of this process waits for or computes: what its others wait for.
        self.flights: dict[str, threading.Event] = current_app.extensions.setdefault(
            "redis-flights", {}
        )

    def __enter__(self) -> "Flight":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        try:
            self.lock.release()
        finally:
            self._land()

    def find(self, look: Callable[[], T | None]) -> T | None:
        """What `look` finds, or None as soon as this request has to compute it: `look` takes the
        lock if it finds nothing and nobody else holds it. Asks again and again; `Unavailable`
        after so many seconds."""
        deadline = time.monotonic() + self.seconds
        pause, longest = POLL_SECONDS
        try:
            while (found := look()) is None and not self.lock.held:
                if time.monotonic() >= deadline:
                    raise Unavailable(BUSY)
                with turns.given_back():
                    first = self._first()
                    if first is self.landed:
                        time.sleep(pause)
                        pause = min(2 * pause, longest)
                    else:
                        first.wait(deadline - time.monotonic())
        except BaseException:
            self._land()
            raise
        if self.lock.held:
            self._first()
        return found

    def _first(self) -> threading.Event:
        """That of the first in this process, which may be this one."""
        return self.flights.setdefault(self.lock.key, self.landed)

    def _land(self) -> None:
        """The others of this process look for themselves."""
        if self.flights.get(self.lock.key) is self.landed:
            del self.flights[self.lock.key]
        self.landed.set()
