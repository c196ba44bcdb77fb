"""Rate limits: how often something may happen under a key, counted in Redis.

Each event is an entry of a sorted set, scored with its time, which it leaves after the window. So a
limit holds for any window, where a counter per calendar minute would let nearly twice as many
through around the turn of the minute.

If Redis is away, the caller decides: sign-in refuses, because passwords could be guessed without a
limit; a computation continues.
"""

import secrets
from dataclasses import dataclass
from math import ceil

from app.redis.client import redis_store
from app.redis.networks import networks

MINUTE, DAY = 60, 86_400
WIDER = 5  # each wider network of an address may have so many times the count
PREFIX = "gz:rate:"

# How long an attempt may be unresolved; afterwards it counts, as if its process had died.
UNRESOLVED_SECONDS = 30
UNRESOLVED = "?"  # what the names of such events begin with

# All limits in one script: either the event is counted under every key, or one of them is full and
# nothing is counted; the result is then the milliseconds until there is room, the number of the
# limit that takes longest, and 1 if every full limit would have room without unresolved attempts.
# So concurrent events cannot exceed a limit together, and refused events do not make the wait
# longer.
# KEYS: one per limit. ARGV: the name of the event, milliseconds for which an attempt may be
# unresolved, then count and milliseconds of each limit.
HIT = """
local clock = redis.call("TIME")
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local wait, full, busy = 0, 0, 0
for i, key in ipairs(KEYS) do
  local count, window = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
  ask("ZREMRANGEBYSCORE", key, "-inf", now - window)
  local counted = ask("ZCARD", key)
  if counted >= count then
    for _, event in ipairs(ask("ZRANGEBYSCORE", key, now - ARGV[2], "+inf")) do
      if string.sub(event, 1, 1) == "?" then counted = counted - 1 end
    end
    busy = 1
  end
  if counted >= count then
    local leaves = ask("ZRANGE", key, -count, -count, "WITHSCORES")
    local room = tonumber(leaves[2]) + window - now
    if room > wait then wait, full = room, i end
  end
end
if full > 0 then return {wait, full, 0} end
if busy > 0 then return {0, 0, 1} end
for i, key in ipairs(KEYS) do
  ask("ZADD", key, now, ARGV[1])
  ask("PEXPIRE", key, ARGV[2 * i + 2])
end
return {0, 0, 0}
"""

# ARGV: the name of the event, and the one under which it counts from now on, or nothing.
RESOLVE = """
for _, key in ipairs(KEYS) do
  local time = ask("ZSCORE", key, ARGV[1])
  if time and ARGV[2] ~= "" then ask("ZADD", key, time, ARGV[2]) end
  ask("ZREM", key, ARGV[1])
end
"""


@dataclass(frozen=True)
class Limit:
    """At most `count` events under `key` within any `seconds`."""

    count: int
    key: str
    seconds: int = MINUTE

    @property
    def redis_key(self) -> str:
        """Where the events are counted; two windows under one key count separately."""
        return f"{PREFIX}{self.seconds}:{self.key}"


@dataclass(frozen=True)
class Hit:
    """An event: counted under all its limits or, if one of them is `full`, under none; that one
    has room again in so many seconds. If it is `busy`, attempts whose outcome is not known yet take
    the room that is left."""

    event: str
    limits: tuple[Limit, ...]
    full: Limit | None = None
    seconds: int = 0
    busy: bool = False


def per_network(count: int, key: str, address: str) -> tuple[Limit, ...]:
    """Limits a minute for the networks of an address: `count` for the narrowest."""
    return tuple(
        Limit(count * WIDER**step, f"{key}:{network}")
        for step, network in enumerate(networks(address))
    )


def hit(*limits: Limit, unresolved: bool = False) -> Hit:
    """Count an event under all of the limits, unless one of them is full. An `unresolved` one is an
    attempt whose outcome the caller reports with resolve()."""
    event = (UNRESOLVED if unresolved else "") + secrets.token_hex(8)
    args: list[str | int] = [event, UNRESOLVED_SECONDS * 1000]
    for limit in limits:
        args += [limit.count, limit.seconds * 1000]
    keys = [limit.redis_key for limit in limits]
    milliseconds, full, busy = redis_store.script(HIT)(keys=keys, args=args)
    if not full:
        return Hit(event, limits, busy=bool(busy))
    return Hit(event, limits, limits[full - 1], ceil(int(milliseconds) / 1000))


def resolve(attempt: Hit, counts: bool) -> None:
    """End an unresolved attempt: it counts from when it was made, or not at all."""
    keys = [limit.redis_key for limit in attempt.limits]
    remains = attempt.event.removeprefix(UNRESOLVED) if counts else ""
    redis_store.script(RESOLVE)(keys=keys, args=[attempt.event, remains])


def forget(key: str) -> None:
    """Remove all events under the keys that begin with this one and a colon. It walks through all
    keys of Redis, so it is for what operators do."""
    for found in redis_store.client.scan_iter(f"{PREFIX}*:{key}:*", count=1000):
        redis_store.client.unlink(found)
