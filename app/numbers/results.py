"""Where results are stored in Redis, and what is noted about them.

The hashes `pis` and `fibs` hold the results, field n and value both as text, as in the original
program. Beside each hash a sorted set holds the time of last use of its fields, for eviction, and
another hash who computed them. Results that are too long for a hash that never expires have keys of
their own. A lookup is one script, so that a hit costs one round trip, counters and last use
included. It takes Redis about 20 µs more than a bare HGET; in return the counts are exact. If it
finds nothing it takes the lock of the computation, which the script that stores the result gives
up: a result that is not cached costs two round trips.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from app import times
from app.current import worker_name
from app.numbers.counters import COUNTERS, WORKERS, hour_key
from app.redis.client import redis_store
from app.redis.lock import LOCK, Lock
from app.text import read_count

# The first KEYS of all scripts: the counters, those of this hour, the workers by the time they last
# asked, the lock. The first ARGV: the time, the worker, the token and the lease of the lock.
BEGIN = f"""{LOCK}
local function count(name)
  ask('HINCRBY', KEYS[1], name, 1)
  if ask('HINCRBY', KEYS[2], name, 1) == 1 then ask('EXPIRE', KEYS[2], 90000) end
end
"""

# KEYS: the hash, the last use of its fields, who computed them. ARGV: n.
LOOK_UP = """
ask('ZADD', KEYS[3], ARGV[1], ARGV[2])
local value = ask('HGET', KEYS[5], ARGV[5])
if not value then return acquire(KEYS[4], ARGV[3], ARGV[4]) end
ask('ZADD', KEYS[6], ARGV[1], ARGV[5])
count('hits')
return {value, ask('HGET', KEYS[7], ARGV[5])}
"""

# Over the budget, fields whose last use is not known (written by the original program) are evicted
# first, then the least recently used; at most 100 at a time, so that Redis is never blocked.
# ARGV: n, the result, the budget.
STORE = """
release(KEYS[4], ARGV[3])
count('computed')
ask('HSET', KEYS[5], ARGV[5], ARGV[6])
ask('ZADD', KEYS[6], ARGV[1], ARGV[5])
ask('HSET', KEYS[7], ARGV[5], ARGV[1] .. ' ' .. ARGV[2])
local over = ask('HLEN', KEYS[5]) - tonumber(ARGV[7])
over = math.min(100, math.max(over, ask('ZCARD', KEYS[6]) - tonumber(ARGV[7])))
if over <= 0 then return 0 end
local removed = 0
for _, field in ipairs(ask('HRANDFIELD', KEYS[5], over)) do
  if not ask('ZSCORE', KEYS[6], field) then
    removed = removed + ask('HDEL', KEYS[5], field)
  end
end
if removed < over then
  local oldest = ask('ZPOPMIN', KEYS[6], over - removed)
  for i = 1, #oldest, 2 do
    ask('HDEL', KEYS[5], oldest[i])
    ask('HDEL', KEYS[7], oldest[i])
  end
end
return over
"""

# KEYS: the result, the last use of all. ARGV: n, the seconds that it lives.
LOOK_UP_LARGE = """
ask('ZADD', KEYS[3], ARGV[1], ARGV[2])
local value = ask('GETEX', KEYS[5], 'EX', ARGV[6])
if not value then return acquire(KEYS[4], ARGV[3], ARGV[4]) end
ask('ZADD', KEYS[6], ARGV[1], ARGV[5])
count('hits')
local made, text = string.match(value, '^([^\\n]*)\\n(.*)$')
return {text or value, made}
"""

# ARGV: n, the seconds that it lives, the result, the budget, the prefix of the keys.
STORE_LARGE = """
release(KEYS[4], ARGV[3])
count('computed')
ask('SET', KEYS[5], ARGV[1] .. ' ' .. ARGV[2] .. '\\n' .. ARGV[7], 'EX', ARGV[6])
ask('ZADD', KEYS[6], ARGV[1], ARGV[5])
local over = ask('ZCARD', KEYS[6]) - tonumber(ARGV[8])
if over <= 0 then return 0 end
local oldest = ask('ZPOPMIN', KEYS[6], over)
for i = 1, #oldest, 2 do ask('DEL', ARGV[9] .. oldest[i]) end
return over
"""


@dataclass(frozen=True)
class Origin:
    """Which worker computed a result, and when, in seconds since 1970."""

    worker: str
    seconds: int

    @property
    def pid(self) -> str:
        """The process of the worker."""
        return self.worker.rpartition(":")[2]


@dataclass(frozen=True)
class Result:
    """A result as JSON writes it. Its origin is not known if the original program stored it."""

    text: str
    origin: Origin | None


def made_here(text: str) -> Result:
    """A result that this process has just computed."""
    return Result(text, Origin(worker_name(), int(times.now().timestamp())))


def read_origin(text: str | None) -> Origin | None:
    """An origin as it is stored: `1796083200 host:4711`."""
    seconds, _space, worker = (text or "").partition(" ")
    return (
        Origin(worker, min(read_count(seconds), int(times.now().timestamp()))) if worker else None
    )


def run_script(text: str, lock: Lock, keys: tuple[str, ...], args: tuple[str | int, ...]) -> Any:
    """What a script returns, which also counts."""
    now = int(times.now().timestamp())
    return redis_store.script(BEGIN + text)(
        keys=(COUNTERS, hour_key(now // 3600), WORKERS, lock.key, *keys),
        args=(now, worker_name(), lock.token, lock.lease, *args),
    )


# A stored text, and the origin beside it.
Found = tuple[str, str | None]


class ResultStore(Protocol):
    """The stored results of one kind."""

    @property
    def name(self) -> str: ...
    def find(self, n: int, lock: Lock) -> Result | None: ...
    def store(self, n: int, result: Result, lock: Lock) -> None: ...


@dataclass(frozen=True)
class HashedResults:
    """Results in one hash, at most `budget` of them. `parse` turns a stored text into the result
    as JSON writes it, or returns None if the text is not a result for that n."""

    name: str
    budget: int
    parse: Callable[[str, int], str | None]

    @property
    def keys(self) -> tuple[str, ...]:
        """Those of the results, of their last use, and of who computed them."""
        return (self.name, f"gz:{self.name}:used", f"gz:{self.name}:by")

    def find(self, n: int, lock: Lock) -> Result | None:
        """The stored result, counted as a hit; if there is none, take the lock."""
        found = look_up(LOOK_UP, lock, self.keys, (n,))
        result = found and read(found, n, self.parse)
        if found and not result:
            redis_store.client.hdel(self.name, str(n))  # absent the next time
        return result

    def store(self, n: int, result: Result, lock: Lock) -> None:
        """Store a result, evict what is over the budget, and give the lock up."""
        store(STORE, lock, self.keys, (n, result.text, self.budget))


@dataclass(frozen=True)
class LargeResults:
    """Results under keys of their own, at most `budget` of them, each until it was not used for
    `seconds`. A full Redis evicts first what expires soonest: not these, if they live longer than
    sessions, so the budget is part of the memory that Redis needs."""

    name: str
    budget: int
    seconds: int
    parse: Callable[[str, int], str | None]

    @property
    def prefix(self) -> str:
        """What their keys begin with."""
        return f"gz:{self.name}:large:"

    def keys(self, n: int) -> tuple[str, ...]:
        """Those of the result and of the last use of all."""
        return (f"{self.prefix}{n}", f"gz:{self.name}:large")

    def find(self, n: int, lock: Lock) -> Result | None:
        """The stored result, counted as a hit; if there is none, take the lock."""
        found = look_up(LOOK_UP_LARGE, lock, self.keys(n), (n, self.seconds))
        result = found and read(found, n, self.parse)
        if found and not result:
            redis_store.client.delete(f"{self.prefix}{n}")  # absent the next time
        return result

    def store(self, n: int, result: Result, lock: Lock) -> None:
        """Store a result, evict what is over the budget, and give the lock up."""
        args = (n, self.seconds, result.text, self.budget, self.prefix)
        store(STORE_LARGE, lock, self.keys(n), args)


def look_up(
    text: str, lock: Lock, keys: tuple[str, ...], args: tuple[str | int, ...]
) -> Found | None:
    """What a lookup found: a text, and who made it, if that is known. If it found nothing, it has
    taken the lock, unless somebody else holds it."""
    found = run_script(text, lock, keys, args)
    if isinstance(found, list):
        return found[0], found[1] if found[1:] else None
    lock.held = found == 1
    return None


def store(text: str, lock: Lock, keys: tuple[str, ...], args: tuple[str | int, ...]) -> None:
    """Store something with a script, which also gives the lock up."""
    run_script(text, lock, keys, args)
    lock.held = False


def read(found: Found, n: int, parse: Callable[[str, int], str | None]) -> Result | None:
    """The result that a lookup found, or None if it cannot be used."""
    text = parse(found[0], n)
    return None if text is None else Result(text, read_origin(found[1]))
