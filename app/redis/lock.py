"""A lock in Redis for work that should be done once, while the other processes wait for its result.

The lock is a lease: it expires unless its holder renews it, so the work of a process that died is
taken over by one of those that wait. A lock that was lost does no harm as long as the work gives
the same result in every process.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
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

# The second GET is for an attempt that succeeded although its answer was lost.
ACQUIRE = """
if ask("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) then return 1 end
if ask("GET", KEYS[1]) == ARGV[1] then return 1 end
return 0
"""

RENEW = """
if ask("GET", KEYS[1]) ~= ARGV[1] then return 0 end
return ask("PEXPIRE", KEYS[1], ARGV[2])
"""

RELEASE = """
if ask("GET", KEYS[1]) ~= ARGV[1] then return 0 end
return ask("DEL", KEYS[1])
"""


class Lock:
    """The right to do some work, for as long as it is renewed. `key` names the work."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.token = secrets.token_hex(16)
        self.renewed = time.monotonic()

    def acquire(self) -> bool:
        """Take the lock if nobody holds it."""
        args = (self.token, round(LEASE_SECONDS * 1000))
        self.renewed = time.monotonic()
        return bool(redis_store.script(ACQUIRE)(keys=[self.key], args=args))

    def renew(self) -> bool:
        """Extend the lease; to be called often. Asks Redis once a second and then returns True."""
        if time.monotonic() - self.renewed < RENEW_SECONDS:
            return False
        self.renewed = time.monotonic()
        args = (self.token, round(LEASE_SECONDS * 1000))
        with suppress(RedisError):
            redis_store.script(RENEW)(keys=[self.key], args=args)
        return True

    def release(self) -> None:
        """Give the lock up, if it is still ours."""
        with suppress(RedisError):
            redis_store.script(RELEASE)(keys=[self.key], args=[self.token])


def find_or_acquire(lock: Lock, find: Callable[[], T | None]) -> T | None:
    """What `find` finds, or None as soon as this process holds the lock and has to do the work.

    Waits while another process holds it, and looks again and again for the result; `Unavailable`
    after WAIT_SECONDS.
    """
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
