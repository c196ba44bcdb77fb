"""Results that all processes share in Redis; each is computed by one of them.

The hashes `pis` and `fibs` hold the results, field n and value both as text, as in the original
program. Beside each hash a sorted set holds the time of last use of its fields, for eviction. A
lookup is one script, so that a hit costs one round trip, counter and last use included. It takes
Redis about 15 µs more than a bare HGET; in return the counts are exact.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from redis.exceptions import RedisError

from app.current import worker_name
from app.errors import Unavailable
from app.redis.client import redis_store
from app.redis.lock import Lock, find_or_acquire
from app.text import N_, read_count

TURN_SECONDS = 4  # to wait for a turn within the process; shorter than the lease of the lock
COUNTERS = "gz:numbers:counters"
WORKERS = "gz:numbers:workers"
WORKER_MINUTES = 10

# Computations at once in this process. They share its one thread, a block of π each in turn, so
# four of them delay other requests by about 10 ms. It limits this process only.
turns = threading.BoundedSemaphore(4)

LOOK_UP = """
ask('ZADD', KEYS[4], ARGV[2], ARGV[3])
local value = ask('HGET', KEYS[1], ARGV[1])
if value then
  ask('ZADD', KEYS[2], ARGV[2], ARGV[1])
  ask('HINCRBY', KEYS[3], 'hits', 1)
end
return value
"""

# Over the budget, fields whose last use is not known (written by the original program) are evicted
# first, then the least recently used; at most 100 at a time, so that Redis is never blocked.
STORE = """
ask('HSET', KEYS[1], ARGV[1], ARGV[2])
ask('ZADD', KEYS[2], ARGV[3], ARGV[1])
ask('HINCRBY', KEYS[3], 'computed', 1)
local over = ask('HLEN', KEYS[1]) - tonumber(ARGV[4])
over = math.min(100, math.max(over, ask('ZCARD', KEYS[2]) - tonumber(ARGV[4])))
if over <= 0 then return 0 end
local removed = 0
for _, field in ipairs(ask('HRANDFIELD', KEYS[1], over)) do
  if not ask('ZSCORE', KEYS[2], field) then
    removed = removed + ask('HDEL', KEYS[1], field)
  end
end
if removed < over then
  local oldest = ask('ZPOPMIN', KEYS[2], over - removed)
  for i = 1, #oldest, 2 do ask('HDEL', KEYS[1], oldest[i]) end
end
return over
"""

# KEYS: the counters, the workers by the time they last asked. ARGV: the earliest time that counts.
STATISTICS = """
local counts = ask('HMGET', KEYS[1], 'hits', 'computed')
ask('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])
return {counts[1], counts[2], ask('ZCARD', KEYS[2])}
"""


@dataclass(frozen=True)
class ResultHash:
    """One hash of results, at most `budget` of them. `parse` turns a stored text into the result
    as JSON writes it, or returns None if the text is not a result for that n."""

    name: str
    budget: int
    parse: Callable[[str, int], str | None]

    @property
    def last_use(self) -> str:
        """The key of the sorted set."""
        return f"gz:{self.name}:used"

    def find(self, n: int) -> str | None:
        """The stored result, or None; counted as a hit."""
        keys = (self.name, self.last_use, COUNTERS, WORKERS)
        args = (n, int(time.time()), worker_name())
        value = redis_store.script(LOOK_UP)(keys=keys, args=args)
        return None if value is None else self.parse(value, n)

    def store(self, n: int, result: str) -> None:
        """Store a result and evict what is over the budget."""
        args = (n, result, int(time.time()), self.budget)
        redis_store.script(STORE)(keys=(self.name, self.last_use, COUNTERS), args=args)


def get_or_compute(
    results: ResultHash, n: int, compute: Callable[[Lock], str], allow: Callable[[], None]
) -> tuple[str, bool]:
    """The result and whether it was cached. `allow` is called before a computation and may refuse
    it. Without Redis the result is computed here and not stored."""
    lock = Lock(f"gz:lock:{results.name}:{n}")
    try:
        found = find_or_acquire(lock, lambda: results.find(n))
    except RedisError:
        with turn():
            return compute(lock), False
    if found is not None:
        return found, True
    try:
        allow()
        with turn():
            result = compute(lock)
        with suppress(RedisError):
            results.store(n, result)
    finally:
        lock.release()
    return result, False


@contextmanager
def turn() -> Iterator[None]:
    """One of the few computations that this process does at once."""
    if not turns.acquire(timeout=TURN_SECONDS):
        raise Unavailable(N_("Many numbers are being computed right now. Try again in a moment."))
    try:
        yield
    finally:
        turns.release()


@dataclass(frozen=True)
class CacheStatistics:
    """Cache hits, computations, and the workers that asked recently."""

    hits: int
    computed: int
    workers: int

    @property
    def hit_rate(self) -> float | None:
        """The share of hits, 0 to 1."""
        total = self.hits + self.computed
        return self.hits / total if total else None


def read_statistics() -> CacheStatistics | None:
    """The counters, or None without Redis."""
    try:
        oldest = int(time.time()) - 60 * WORKER_MINUTES
        found = redis_store.script(STATISTICS)(keys=[COUNTERS, WORKERS], args=[oldest])
    except RedisError:
        return None
    hits, computed = map(read_count, found[:2])
    return CacheStatistics(hits, computed, workers=found[2])
