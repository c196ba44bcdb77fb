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

from app.current import client_is_gone
from app.errors import ClientGone, Unavailable
from app.redis.lock import Lock
from app.text import N_

T = TypeVar("T")

POLL_SECONDS = (0.01, 0.05)  # the first pause and the longest; each pause doubles
BUSY = N_("This is still being computed. Try again in a moment.")


class Turns:
    """At most `count` requests of this process compute at once; the next ones wait `seconds` for
    their turn, and then get `Unavailable`. A request has one turn at most: whatever its computation
    needs, it computes within that turn. One whose client has closed the connection takes none:
    after an overload nobody waits for what nobody will read."""

    def __init__(self, count: int, seconds: float) -> None:
        self.free = threading.BoundedSemaphore(count)
        self.seconds = seconds

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take a turn, unless this request has one."""
        if current.turns:
            yield
            return
        self.take()
        try:
            yield
        finally:
            current.give_back()

    def take(self) -> None:
        if not self.free.acquire(timeout=self.seconds):
            raise Unavailable(BUSY)
        if client_is_gone():
            self.free.release()
            raise ClientGone
        current.turns = self


class Current(threading.local):
    """Of which `turns` the current request has one."""

    turns: Turns | None = None

    def give_back(self) -> None:
        turns, self.turns = self.turns, None
        if turns:
            turns.free.release()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Give the turn back while this request waits for another one, which may need it."""
        turns = self.turns
        self.give_back()
        yield
        if turns:
            turns.take()


current = Current()
# Searches read much of a table and may take a second each. Other values are quick, so they have
# turns of their own instead of queueing behind searches.
search_turns = Turns(4, 5.0)
turns = Turns(4, 1.8)
turns_without_redis = Turns(8, 1.8)  # every request computes for itself


class Flight:
    """One request that wants a result, for as long as it looks for it or computes it."""

    def __init__(self, key: str, seconds: float) -> None:
        self.lock = Lock(key)
        self.seconds = seconds
        self.landed = threading.Event()
        # For each key that this process is waiting for or computing: the event that is set when the
        # request at the front is done.
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
                with current.waiting():
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
        """The event of the request at the front in this process, which may be this one."""
        return self.flights.setdefault(self.lock.key, self.landed)

    def _land(self) -> None:
        """Let the other requests of this process look for themselves."""
        if self.flights.get(self.lock.key) is self.landed:
            del self.flights[self.lock.key]
        self.landed.set()
