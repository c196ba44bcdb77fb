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

MINUTE, DAY = 60, 86_400

# All limits in one script: either the event is counted under every key, or one of them is full and
# nothing is counted; the result is then the milliseconds until there is room. So concurrent events
# cannot exceed a limit together, and refused events do not make the wait longer.
# KEYS: one per limit. ARGV: the name of the event, then count and milliseconds of each limit.
HIT = """
local clock = redis.call("TIME")
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local wait = 0
for i, key in ipairs(KEYS) do
  local count, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  ask("ZREMRANGEBYSCORE", key, "-inf", now - window)
  if ask("ZCARD", key) >= count then
    local leaves = ask("ZRANGE", key, -count, -count, "WITHSCORES")
    wait = math.max(wait, tonumber(leaves[2]) + window - now)
  end
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  ask("ZADD", key, now, ARGV[1])
  ask("PEXPIRE", key, ARGV[2 * i + 1])
end
return 0
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
        return f"gz:rate:{self.seconds}:{self.key}"


def hit(*limits: Limit) -> tuple[str, int]:
    """Count an event under all of the limits. Returns the event's name, for `give_back()`, and 0;
    or, if a limit is reached, the seconds to wait, and the event is not counted anywhere."""
    name = secrets.token_hex(8)
    args: list[str | int] = [name]
    for limit in limits:
        args += [limit.count, limit.seconds * 1000]
    milliseconds = redis_store.script(HIT)(keys=[limit.redis_key for limit in limits], args=args)
    return name, ceil(int(milliseconds) / 1000)


def give_back(name: str, *limits: Limit) -> None:
    """Remove an event from the limits it was counted under."""
    redis_store.script(GIVE_BACK)(keys=[limit.redis_key for limit in limits], args=[name])
