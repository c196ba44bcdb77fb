"""A lock in Redis for work that should be done once, while the other processes wait for its result.

A script that looks for the result takes the lock if there is none, and the one that stores the
result gives it up: two round trips. The lock expires unless its holder renews it, so the work of a
process that died is taken over by one of those that wait. Losing a lock does no harm if every
process gets the same result.
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
POLL_SECONDS = (0.01, 0.1)  # the first pause and the longest; each pause doubles

# Before each script that takes or gives up a lock. The token may hold it already, because the
# answer of the script that took it can be lost. What does not expire is not a lock, but something
# that another program wrote.
LOCK = """
local function acquire(key, token, milliseconds)
  local holder = ask("GET", key)
  if holder and holder ~= token and ask("PTTL", key) ~= -1 then return 0 end
  ask("SET", key, token, "PX", milliseconds)
  return 1
end
local function release(key, token)
  if ask("GET", key) == token then ask("DEL", key) end
end
"""

# KEYS: the lock. ARGV: its token, the milliseconds of a lease.
RENEW = """
if ask("GET", KEYS[1]) == ARGV[1] then ask("PEXPIRE", KEYS[1], ARGV[2]) end
"""


class Lock:
    """The right to do some work, for as long as it is renewed. `key` names the work; whoever runs
    a script with the functions of LOCK sets `held`."""

    def __init__(self, key: str) -> None:
        self.key, self.token, self.held = key, secrets.token_hex(16), False
        self._renew = redis_store.script(RENEW)
        self._release = redis_store.script(LOCK + "release(KEYS[1], ARGV[1])")

    @property
    def lease(self) -> int:
        """The milliseconds for which it is taken."""
        return int(LEASE_SECONDS * 1000)

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
                self._renew(keys=[self.key], args=[self.token, self.lease])

    def release(self) -> None:
        """Give the lock up, if it is still ours."""
        if self.held:
            self.held = False
            with suppress(RedisError):
                self._release(keys=[self.key], args=[self.token])


def find_or_acquire(lock: Lock, find: Callable[[], T | None]) -> T | None:
    """What `find` finds, or None as soon as this process holds the lock and has to do the work:
    `find` takes it if it finds nothing. While another process holds it, asks again and again;
    `Unavailable` after WAIT_SECONDS."""
    pause, longest = POLL_SECONDS
    deadline = time.monotonic() + WAIT_SECONDS
    while (found := find()) is None and not lock.held:
        if time.monotonic() >= deadline:
            raise Unavailable(N_("This is still being computed. Try again in a moment."))
        time.sleep(pause)
        pause = min(2 * pause, longest)
    return found
