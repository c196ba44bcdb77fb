"""A lock in Redis for work that should be done once, while the other processes wait for its result.

A script that looks for the result takes the lock if there is none, and the one that stores the
result gives it up: two round trips. The lock expires unless its holder renews it, so the work of a
process that died is taken over by one of those that wait. Losing a lock does no harm: then two
processes do the same work.
"""

import logging
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis.exceptions import RedisError

from app.redis.client import redis_store

log = logging.getLogger("gazetteer.redis")

LEASE_SECONDS = 1.0  # without renewal another process takes the lock
RENEW_SECONDS = 0.3

# Before each script that takes or gives up a lock. The token may hold it already, because the
# answer of the script that took it can be lost. What does not expire is not a lock, but something
# that another program wrote. Nobody takes a lock for more than a minute (the previous release did
# for that long): if it has longer to go, the clock of Redis was set back.
LOCK = """
local function acquire(key, token, milliseconds)
  local holder = ask("GET", key)
  if holder and holder ~= token then
    local left = ask("PTTL", key)
    if left >= 0 and left <= 60000 then return 0 end
  end
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
RELEASE = f"{LOCK}release(KEYS[1], ARGV[1])"


class Lock:
    """The right to do some work, for as long as it is renewed. `key` names the work; whoever runs
    a script with the functions of LOCK sets `held`."""

    def __init__(self, key: str) -> None:
        self.key, self.token, self.held = key, secrets.token_hex(16), False
        self._renew = redis_store.script(RENEW)
        self._release = redis_store.script(RELEASE)

    @property
    def lease(self) -> int:
        """The milliseconds for which it is taken."""
        return int(LEASE_SECONDS * 1000)

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Extend the lease again and again during work that lets other requests run, such as
        queries or a child process."""
        try:
            renewal.add(self)
            yield
        finally:
            renewal.remove(self)

    def renew(self) -> None:
        """Extend the lease, if the lock is still ours."""
        with suppress(RedisError):
            self._renew(keys=[self.key], args=[self.token, self.lease])

    def release(self) -> None:
        """Give the lock up, if it is still ours."""
        if self.held:
            self.held = False
            with suppress(RedisError):
                self._release(keys=[self.key], args=[self.token])


class Renewal:
    """Renews the locks of this process, in one thread as long as there are any."""

    def __init__(self) -> None:
        self.locks: set[Lock] = set()
        self.guard = threading.Lock()
        self.runs = False

    def add(self, lock: Lock) -> None:
        with self.guard:
            self.locks.add(lock)
            if not self.runs:
                threading.Thread(target=self.run, daemon=True).start()
                self.runs = True

    def remove(self, lock: Lock) -> None:
        with self.guard:
            self.locks.discard(lock)

    def run(self) -> None:
        while True:
            time.sleep(RENEW_SECONDS)
            with self.guard:
                locks = list(self.locks)
                self.runs = bool(locks)
            if not locks:
                return
            for lock in locks:
                try:
                    lock.renew()
                except Exception:  # the others are renewed, and this one again the next time
                    log.exception("a lock was not renewed")


renewal = Renewal()
