"""A lock in Redis for work that should be done once, while the other processes wait for its result.

A script that looks for the result takes the lock if there is none, and the one that stores the
result gives it up: two round trips. The lock expires unless its holder renews it, so the work of a
process that died is taken over by one of those that wait. Losing a lock does no harm: then two
processes do the same work.
"""

import logging
import os
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from redis import Redis
from redis.exceptions import RedisError

from app.concurrency import new_system_lock, start_system_thread
from app.redis.client import another_client, redis_store

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

# KEYS: locks. ARGV: the milliseconds of a lease, the token of each. One that was lost is left as it
# is, and so is a value of another type.
RENEW = """
for index, key in ipairs(KEYS) do
  if redis.pcall("GET", key) == ARGV[index + 1] then redis.call("PEXPIRE", key, ARGV[1]) end
end
"""
RELEASE = f"{LOCK}release(KEYS[1], ARGV[1])"


class Lock:
    """The right to do some work, for as long as it is renewed. `key` names the work; whoever runs
    a script with the functions of LOCK sets `held`."""

    def __init__(self, key: str) -> None:
        self.key, self.token, self.held = key, secrets.token_hex(16), False
        self.client = redis_store.client
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

    def release(self) -> None:
        """Give the lock up, if it is still ours."""
        if self.held:
            self.held = False
            with suppress(RedisError):
                self._release(keys=[self.key], args=[self.token])


class Renewal:
    """Renews the locks of this process, in one thread as long as there are any. The event loop of a
    web process may be busy for longer than a lease, so it is a thread of the system, with clients
    of its own."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin without locks; also in a child of this process, where the thread is missing and
        `guard` may be held forever."""
        self.locks: set[Lock] = set()
        self.guard = new_system_lock()
        self.runs = False

    def add(self, lock: Lock) -> None:
        with self.guard:
            self.locks.add(lock)
            if not self.runs:
                start_system_thread(self.run)
                self.runs = True

    def remove(self, lock: Lock) -> None:
        with self.guard:
            self.locks.discard(lock)

    def run(self) -> None:
        own: dict[Redis, Redis] = {}
        while locks := self.wait():
            for client in {lock.client for lock in locks}:
                try:
                    own[client] = own.get(client) or another_client(client)
                    renew(own[client], [lock for lock in locks if lock.client is client])
                except Exception:  # the others are renewed, and these again the next time
                    log.exception("locks were not renewed")
        for each in own.values():
            each.close()

    def wait(self) -> Collection[Lock]:
        """The locks to renew next; none if the thread has to end."""
        time.sleep(RENEW_SECONDS)
        with self.guard:
            self.runs = bool(self.locks)
            return list(self.locks)


def renew(client: Redis, locks: Collection[Lock]) -> None:
    """Extend the leases of the locks that are still ours."""
    keys, tokens = [lock.key for lock in locks], [lock.token for lock in locks]
    with suppress(RedisError):
        client.eval(RENEW, len(keys), *keys, int(LEASE_SECONDS * 1000), *tokens)


renewal = Renewal()
os.register_at_fork(after_in_child=lambda: renewal.reset())
