"""Values computed from a table, cached in Redis until the table changes; each is computed by one
process, while the others wait or show the previous one.

Moments are microseconds of the clock of Redis, each later than all before. A value begins with the
moment at which its computation began, and a digest of its shape. It is outdated by a later change
of one of its parts, and unusable if another release wrote it, if it cannot be read, or if it began
before Redis knew all changes: then it counts as absent. A value also expires LIFE_SECONDS after it,
and all values that it was computed from, began (lifetime.py), so that changes by another program or
by the passing of time show soon. While one process computes, a visitor, and a person who has not
changed anything since, may see what was right PREVIOUS_SECONDS ago. Without Redis everything is
computed every time.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Generic, TypeVar

import msgspec
from flask import current_app
from redis.exceptions import RedisError

from app.current import actor, note_write
from app.database.engine import release_connection
from app.redis.client import PERSON_PREFIX, PERSON_SECONDS, redis_store
from app.redis.flight import Flight, turns, turns_without_redis
from app.redis.lifetime import lifetime
from app.redis.lock import LOCK, Lock

T = TypeVar("T")

PREVIOUS_SECONDS = 1.0
WAIT_SECONDS = 1.8  # for the computation of another request
# The part that a value is computed from, and a change affects, unless it names others.
ALL = ("*",)

# The first KEYS of LOOK and CHANGE: the hash of changes and the version. The hash has for each part
# the moments of its last change and of the one before, in `clock` the last moment that was given,
# and in `complete` the moment since which it has all changes. The version is a word that the
# release before this one replaces with each of its changes; its workers run beside ours during a
# reload. If it is not the one of the hash, or if that is lost, older values count as absent.
MOMENTS = """
local function word(moment) return string.format("%.0f", moment) end
local function peek()
  local time = redis.call("TIME")
  local last = tonumber(ask("HGET", KEYS[1], "clock") or "") or 0
  return math.max(time[1] * 1000000 + time[2], last + 1)
end
local function moment()
  local now = peek()
  ask("HSET", KEYS[1], "clock", word(now))
  return now
end
local function complete()
  local known, version = ask("HMGET", KEYS[1], "version", "complete"), ask("GET", KEYS[2])
  local since = tonumber(known[2] or "")
  if version and known[1] == version and since then return since end
  local now = moment()
  if not version then
    version = "v" .. word(now)
    ask("SET", KEYS[2], version)
  end
  ask("HSET", KEYS[1], "version", version, "complete", word(now))
  return now
end
"""

# Returns the moment. KEYS: also the hash of the person, if one made the change. ARGV: its life, the
# parts.
CHANGE = f"""{MOMENTS}
complete()
local now = moment()
for i = 2, #ARGV do
  local last = string.match(ask("HGET", KEYS[1], ARGV[i]) or "", "^%d+") or "0"
  ask("HSET", KEYS[1], ARGV[i], word(now) .. " " .. last)
end
ask("HSET", KEYS[1], "version", "v" .. word(now))
ask("SET", KEYS[2], "v" .. word(now))
if KEYS[3] then
  ask("HSET", KEYS[3], "wrote", word(now))
  ask("EXPIRE", KEYS[3], ARGV[1])
end
return now
"""

# Returns the value, or the moment and 1 if this request has to compute it, 0 if another does. A
# value that began after the request first looked is right for it, whatever has changed since.
# It was outdated by the last change, or by an earlier one, of which only the last but one is known.
# KEYS: also the value, the lock. ARGV: the token and the lease of the lock, the shape, the moment
# when this request first looked, the last change of its person or -1 if it needs a present value,
# for how long the previous value is shown, the parts.
LOOK = f"""{LOCK}{MOMENTS}
local valid, value, begun, outdated = complete(), ask("GET", KEYS[3]), nil, nil
if value then
  local moment, shape = string.match(value, "^(%d+) (%w+)\\n")
  if shape == ARGV[3] and tonumber(moment) >= valid then begun = tonumber(moment) end
end
if begun then
  for _, change in ipairs(ask("HMGET", KEYS[1], unpack(ARGV, 7))) do
    local last, before = string.match(change or "0 0", "^(%d+) (%d+)$")
    last, before = tonumber(last), tonumber(before)
    if last > begun then
      outdated = math.min(outdated or last, before > begun and begun or last)
    end
  end
  if not outdated or (ARGV[4] ~= "0" and begun >= tonumber(ARGV[4])) then return value end
end
if acquire(KEYS[4], ARGV[1], ARGV[2]) == 1 then return {{moment(), 1}} end
local now, wrote = peek(), tonumber(ARGV[5])
if begun and wrote >= 0 and begun >= wrote and now - outdated <= tonumber(ARGV[6]) then
  return value
end
return {{now, 0}}
"""

# Never in the place of a value that began later. KEYS: the value, the lock. ARGV: the token, when
# it began, its life in milliseconds, the text.
STORE = f"""{LOCK}
release(KEYS[2], ARGV[1])
local begun = string.match(ask("GETRANGE", KEYS[1], 0, 40), "^(%d+) ")
if not begun or tonumber(begun) <= tonumber(ARGV[2]) then
  ask("SET", KEYS[1], ARGV[4], "PX", ARGV[3])
end
"""


@dataclass(frozen=True)
class VersionedCache:
    """The values computed from one table; their keys in Redis begin with `prefix`."""

    prefix: str

    @property
    def keys(self) -> list[str]:
        """The hash of changes and the version."""
        return [f"{self.prefix}:changed", f"{self.prefix}:mark"]

    def invalidate(self, parts: tuple[str, ...] = ALL) -> None:
        """Let all processes know that the table changed; handed to after_commit(). Who made the
        change sees it from now on."""
        who = actor()
        note_write(None)
        self._missed.add((parts, who.id))
        with suppress(RedisError):
            note_write(self._send_changes())

    def get_or_compute(
        self, key: str, shape: type[T], compute: Callable[[], T], parts: tuple[str, ...] = ALL
    ) -> T:
        """The cached value, or what `compute` returns, which is then cached. `shape` is its type:
        text, or dataclasses, lists and tuples of plain values. Ends the transaction of the session:
        no connection is held while Redis is asked or others compute, and what is cached is read
        after Redis was asked."""
        release_connection()
        value = CachedValue(self, key, shape, parts)
        with Flight(f"gz:lock:{value.key}", WAIT_SECONDS) as flight:
            try:
                self._send_changes()
                found = flight.find(partial(value.look, flight.lock))
            except RedisError:
                found = None
            if found is not None:
                return found
            if flight.lock.held:
                with lifetime.begun():
                    with flight.lock.renewed(), turns.taken():
                        made = encode(compute())
                        release_connection()
                    value.store(flight.lock, made)
                # Read back, so that it is the same as from the cache, and of this shape.
                return decode(made, shape)
        with turns_without_redis.taken():
            return compute()

    @property
    def _missed(self) -> set[tuple[tuple[str, ...], int | None]]:
        """Changes that Redis does not know yet, because it could not be asked: the parts, and who
        made it."""
        missed: dict[str, Any] = current_app.extensions.setdefault("redis-changes", {})
        return missed.setdefault(self.prefix, set())  # type: ignore[no-any-return]

    def _send_changes(self) -> int | None:
        """Send them to Redis; the moment of the last one."""
        now, missed = None, self._missed
        while missed:
            change = parts, person = missed.pop()
            keys = [*self.keys, *([] if person is None else [f"{PERSON_PREFIX}{person}"])]
            try:
                now = redis_store.script(CHANGE)(keys=keys, args=[PERSON_SECONDS, *parts])
            except BaseException:
                missed.add(change)
                raise
        return now


@dataclass
class CachedValue(Generic[T]):
    """A value, as one request looks for it."""

    of: VersionedCache
    name: str
    shape: type[T]
    parts: tuple[str, ...]
    first_look: int = field(default=0, init=False)
    begun: int = field(default=0, init=False)

    @property
    def key(self) -> str:
        return f"{self.of.prefix}:{self.name}"

    def look(self, lock: Lock) -> T | None:
        """The value that Redis has, if this request may have it. Otherwise it has the lock, unless
        another request has it."""
        # What another value is computed from must be present, as that one will be.
        wrote = None if turns.has_one else actor().wrote
        found = redis_store.script(LOOK)(
            keys=[*self.of.keys, self.key, lock.key],
            args=[
                *(lock.token, lock.lease, digest(self.shape), self.first_look),  # type: ignore[arg-type]  # a type is hashable
                -1 if wrote is None else wrote,
                int(PREVIOUS_SECONDS * 1_000_000),
                *self.parts,
            ],
        )
        if isinstance(found, str):
            if lifetime.ends is not None:
                lifetime.limit(redis_store.client.pttl(self.key))
            try:
                return decode(found.partition("\n")[2], self.shape)
            except msgspec.DecodeError:
                redis_store.client.delete(self.key)  # absent the next time
                return None
        self.begun, lock.held = found[0], bool(found[1])
        self.first_look = self.first_look or self.begun
        return None

    def store(self, lock: Lock, text: str) -> None:
        """Cache the text of the value, and give the lock up."""
        header = f"{self.begun} {digest(self.shape)}\n"  # type: ignore[arg-type]  # a type is hashable
        with suppress(RedisError):
            redis_store.script(STORE)(
                keys=[self.key, lock.key],
                args=[lock.token, self.begun, lifetime.left, header + text],
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
