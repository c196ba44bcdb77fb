"""A lock in Redis for work that should be done once, while the other processes wait for its result.

The lock expires unless its holder renews it, so the work of a process that died is taken over by
one of those that wait. Losing a lock does no harm if every process gets the same result.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from redis.exceptions import RedisError

from app.errors import Unavailable
from app.redis.client import redis_store
from app.text import N_

T = TypeVar("T")

LEASE_SECONDS = 5  # without renewal another process takes the lock
RENEW_SECONDS = 1
WAIT_SECONDS = 15  # for the result of another process
WITHOUT_EXPIRY = -1  # what Redis answers
POLL_SECONDS = (0.01, 0.1)  # the first pause and the longest; each pause doubles


class Lock:
    """The right to do some work, for as long as it is renewed. `key` names the work."""

    def __init__(self, key: str) -> None:
        self.token = secrets.token_hex(16)
        self._lease = redis_store.client.lock(key, timeout=LEASE_SECONDS, thread_local=False)
        self._lease.local.token = self.token.encode()  # for owned(), also before acquire()

    def acquire(self) -> bool:
        """Take the lock if nobody holds it. We may hold it already: an attempt can succeed although
        its answer is lost."""
        lease = self._lease
        if lease.acquire(blocking=False, token=self.token) or lease.owned():
            return True
        if redis_store.client.pttl(str(lease.name)) == WITHOUT_EXPIRY:
            redis_store.client.delete(str(lease.name))  # no lock: something else wrote it
        return False

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Extend the lease again and again while something else does the work, such as a child
        process: what happens within must not block this one."""
        done = threading.Event()
        thread = threading.Thread(target=self._renew_until, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _renew_until(self, done: threading.Event) -> None:
        while not done.wait(RENEW_SECONDS):
            with suppress(RedisError):
                self._lease.reacquire()

    def release(self) -> None:
        """Give the lock up, if it is still ours."""
        with suppress(RedisError):
            self._lease.release()


def find_or_acquire(lock: Lock, find: Callable[[], T | None]) -> T | None:
    """What `find` finds, or None as soon as this process holds the lock and has to do the work.
    While another process holds it, asks again and again; `Unavailable` after WAIT_SECONDS."""
    pause, longest = POLL_SECONDS
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        if (found := find()) is not None:
            return found
        if lock.acquire():
            if (found := find()) is not None:  # stored between the two calls
                lock.release()
            return found
        if time.monotonic() >= deadline:
            raise Unavailable(N_("This is still being computed. Try again in a moment."))
        time.sleep(pause)
        pause = min(2 * pause, longest)
