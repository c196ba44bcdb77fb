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

# All limits in one script: either the event is counted under every key, or one of them is full and
# nothing is counted; the result is then the milliseconds until there is room, and the number of the
# limit that takes longest. So concurrent events cannot exceed a limit together, and refused events
# do not make the wait longer.
# KEYS: one per limit. ARGV: the name of the event, then count and milliseconds of each limit.
HIT = """
local clock = redis.call("TIME")
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local wait, full = 0, 0
for i, key in ipairs(KEYS) do
  local count, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  ask("ZREMRANGEBYSCORE", key, "-inf", now - window)
  if ask("ZCARD", key) >= count then
    local leaves = ask("ZRANGE", key, -count, -count, "WITHSCORES")
    local room = tonumber(leaves[2]) + window - now
    if room > wait then wait, full = room, i end
  end
end
if full > 0 then return {wait, full} end
for i, key in ipairs(KEYS) do
  ask("ZADD", key, now, ARGV[1])
  ask("PEXPIRE", key, ARGV[2 * i + 1])
end
return {0, 0}
"""

GIVE_BACK = """
for _, key in ipairs(KEYS) do ask("ZREM", key, ARGV[1]) end
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
    has room again in so many seconds."""

    event: str
    limits: tuple[Limit, ...]
    full: Limit | None = None
    seconds: int = 0


def per_network(count: int, key: str, address: str) -> tuple[Limit, ...]:
    """Limits a minute for the networks of an address: `count` for the narrowest."""
    return tuple(
        Limit(count * WIDER**step, f"{key}:{network}")
        for step, network in enumerate(networks(address))
    )


def hit(*limits: Limit) -> Hit:
    """Count an event under all of the limits, unless one of them is full."""
    event = secrets.token_hex(8)
    args: list[str | int] = [event]
    for limit in limits:
        args += [limit.count, limit.seconds * 1000]
    keys = [limit.redis_key for limit in limits]
    milliseconds, full = redis_store.script(HIT)(keys=keys, args=args)
    if not full:
        return Hit(event, limits)
    return Hit(event, limits, limits[full - 1], ceil(int(milliseconds) / 1000))


def give_back(counted: Hit) -> None:
    """Remove an event from the limits it was counted under."""
    keys = [limit.redis_key for limit in counted.limits]
    redis_store.script(GIVE_BACK)(keys=keys, args=[counted.event])


def forget(key: str) -> None:
    """Remove all events under the keys that begin with this one and a colon. It walks through all
    keys of Redis, so it is for what operators do."""
    for found in redis_store.client.scan_iter(f"{PREFIX}*:{key}:*", count=1000):
        redis_store.client.unlink(found)
