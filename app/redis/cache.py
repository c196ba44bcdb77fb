"""Values computed from a table, cached in Redis until the table changes; each is computed by one
process, while the others wait or show the previous one.

Timestamps are microseconds of the clock of Redis, each later than all before. A value begins with
the timestamp at which its computation started, a digest of its shape, and the changes that it
depends on. A later one of these makes it stale. It is unusable if another release wrote it, if it
cannot be read, or if it started before Redis knew all changes: then it counts as absent. A value
also expires LIFE_SECONDS after its computation, or that of any value it was computed from, started
(lifetime.py), so that changes by another program or by the passing of time show soon. While one
process computes, a visitor, and a person who has not changed anything since, may see a value that
has been stale for PREVIOUS_SECONDS at most. Without Redis everything is computed every time.
"""

import hashlib
from collections.abc import Callable, Collection, Set
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Generic, TypeVar

import msgspec
from redis.exceptions import RedisError

from app.current import actor
from app.database.engine import release_connection
from app.redis import unsent
from app.redis.changes import ANY, TIMESTAMPS, keys_of, kinds_of_value
from app.redis.client import redis_store
from app.redis.flight import Flight, current, search_turns, turns, turns_without_redis
from app.redis.lifetime import lifetime
from app.redis.lock import LOCK, Lock
from app.redis.scripts import Call

T = TypeVar("T")

PREVIOUS_SECONDS = 1.0
WAIT_SECONDS = 1.8  # for the computation of another request
LAST_SECONDS = 7 * 86_400

# A Redis that takes no changes now (full, read-only, its disk full) did not take those of the table
# either: SETRANGE, which changes nothing here, is then refused as they were.
# Returns the value, or a timestamp and 1 if this request has to compute it, 0 if another does. A
# value that started after the request first looked is right for it, whatever has changed since. It
# has been stale since the first change after it started. Of each kind only the last two are known:
# if both were later, an earlier one may have been the first, so it counts as stale from its start.
# KEYS: also the value, the lock. ARGV: the token and the lease of the lock, the shape, when this
# request first looked, the last change of its person or -1 if it needs a current value, for how
# long a stale value is shown.
LOOK = f"""{LOCK}{TIMESTAMPS}
ask("SETRANGE", KEYS[4], 0, "")
local valid, value, started, stale_since = complete(), ask("GET", KEYS[3]), nil, nil
if value then
  local timestamp, shape, kinds = string.match(value, "^(%d+) (%w+) ([%w,]+)\\n")
  if shape == ARGV[3] and tonumber(timestamp) >= valid then
    started = tonumber(timestamp)
    if ARGV[4] ~= "0" and started >= tonumber(ARGV[4]) then return value end
    for kind in string.gmatch(kinds, "%w+") do
      local last, before = last_two(kind)
      if last > started then
        local since = before > started and started or last
        stale_since = math.min(since, stale_since or since)
      end
    end
    if not stale_since then return value end
  end
end
if acquire(KEYS[4], ARGV[1], ARGV[2]) == 1 then return {{next_timestamp(), 1}} end
local now, last_write = peek(), tonumber(ARGV[5])
local includes_own = started and last_write >= 0 and started >= last_write
if includes_own and now - stale_since <= tonumber(ARGV[6]) then return value end
return {{now, 0}}
"""

# Never in the place of a value that started later. KEYS: the value, the lock. ARGV: the token, when
# it started, its life in milliseconds, the text.
STORE = f"""{LOCK}
release(KEYS[2], ARGV[1])
local started = string.match(ask("GETRANGE", KEYS[1], 0, 40), "^(%d+) ")
if not started or tonumber(started) <= tonumber(ARGV[2]) then
  ask("SET", KEYS[1], ARGV[4], "PX", ARGV[3])
end
"""


@dataclass(frozen=True)
class SharedCache:
    """The values computed from one table; their keys in Redis begin with `prefix`."""

    prefix: str

    def invalidate(self, *parts: str, also: Call | None = None) -> None:
        """Let all processes know that these parts of the table changed, or all of it; handed to
        after_commit(). Who made the change sees it from now on. Redis runs `also` in the same
        trip."""
        unsent.note(self.prefix, actor().id, parts, also)

    def get_or_compute(
        self,
        key: str,
        shape: type[T],
        compute: Callable[[], T],
        is_search: bool = False,
        parts: Collection[str] = (),
    ) -> T:
        """The cached value, or what `compute` returns, which is then cached. `shape` is its type:
        text, or dataclasses, lists and tuples of plain values; `is_search` is true if computing it
        reads much of the table; `parts` are those of the table that it depends on, all if none is
        named. Ends the transaction of the session: no connection is held while Redis is asked or
        others compute, and what is cached is read after Redis was asked."""
        release_connection()
        value = CachedValue(self, key, shape, kinds_of_value(parts))
        lifetime.depend(self.prefix, value.kinds)
        with Flight(f"gz:lock:{value.key}", WAIT_SECONDS) as flight:
            try:
                unsent.send_all()
                found = flight.find(partial(value.look, flight.lock))
            except RedisError:
                found = None
            if found is not None:
                return found
            if flight.lock.held:
                with lifetime.begun():
                    with flight.lock.renewed(), (search_turns if is_search else turns).taken():
                        made = encode(compute())
                        release_connection()
                    value.store(flight.lock, made)
                # Read back, so that it is the same as from the cache, and of this shape.
                return decode(made, shape)
        with turns_without_redis.taken():
            return compute()

    def store_last(self, key: str, value: object) -> None:
        """Store a value, or the last one again, for the time when it cannot be computed."""
        with suppress(RedisError):
            name = self._name_of_last(key, type(value))
            redis_store.client.set(name, encode(value), ex=LAST_SECONDS)

    def read_last(self, key: str, shape: type[T]) -> T | None:
        """The last value of this shape, however old it is; None if there is none."""
        with suppress(RedisError, msgspec.DecodeError):
            text: Any = redis_store.client.get(self._name_of_last(key, shape))
            return None if text is None else decode(text, shape)
        return None

    def _name_of_last(self, key: str, shape: Any) -> str:
        return f"{self.prefix}:last:{key}:{digest(shape)}"


@dataclass
class CachedValue(Generic[T]):
    """A value, as one request looks for it. `kinds` are the changes that make it stale, besides
    those of what it is computed from."""

    of: SharedCache
    name: str
    shape: type[T]
    kinds: Set[str] = frozenset({ANY})
    first_look: int = field(default=0, init=False)
    started: int = field(default=0, init=False)

    @property
    def key(self) -> str:
        return f"{self.of.prefix}:{self.name}"

    def look(self, lock: Lock) -> T | None:
        """The value that Redis has, if this request may have it. Otherwise it has the lock, unless
        another request has it."""
        # What another value is computed from must be current, as that one will be.
        last_write = None if current.turns else actor().last_write
        found = redis_store.script(LOOK)(
            keys=[*keys_of(self.of.prefix), self.key, lock.key],
            args=[
                *(lock.token, lock.lease, digest(self.shape), self.first_look),  # type: ignore[arg-type]  # a type is hashable
                -1 if last_write is None else last_write,
                int(PREVIOUS_SECONDS * 1_000_000),
            ],
        )
        if isinstance(found, str):
            header, _, text = found.partition("\n")
            lifetime.depend(self.of.prefix, header.split(" ")[2].split(","))
            if lifetime.ends is not None:
                lifetime.limit(redis_store.client.pttl(self.key))
            try:
                return decode(text, self.shape)
            except msgspec.DecodeError:
                redis_store.client.delete(self.key)  # absent the next time
                return None
        self.started, lock.held = found[0], bool(found[1])
        self.first_look = self.first_look or self.started
        return None

    def store(self, lock: Lock, text: str) -> None:
        """Cache the text of the value, and give the lock up."""
        kinds = ",".join(self.kinds | lifetime.changes_of(self.of.prefix))
        header = f"{self.started} {digest(self.shape)} {kinds}\n"  # type: ignore[arg-type]  # a type is hashable
        with suppress(RedisError):
            redis_store.script(STORE)(
                keys=[self.key, lock.key],
                args=[lock.token, self.started, lifetime.left, header + text],
            )
            lock.held = False


def encode(value: object) -> str:
    """A value as it is cached: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def decode(text: str, shape: type[T]) -> T:
    """A value as it was cached."""
    return text if shape is str else msgspec.json.decode(text, type=shape)  # type: ignore[return-value]


@cache
def digest(shape: Any) -> str:
    """A digest of a type: of the names and types of its fields."""
    schema = msgspec.json.encode(msgspec.json.schema(shape), order="deterministic")
    return hashlib.sha256(schema).hexdigest()[:8]
