"""Wrong tries of the last minute, counted in Redis one by one.

A window that begins anew each minute would let nearly twice as many through around its border.
Here each try stands in a sorted set under its own moment and leaves it a minute later.
"""

import secrets
from dataclasses import dataclass

from app.redis.client import redis_store

SECONDS = 60

# One script, so that many tries at once are not more tries: either the try is added under every
# key, or none has room and the answer is the time in ms until there is. A try that was refused is
# not counted: whoever waits gets in, however often they asked meanwhile.
ADD = """
local clock = redis.call("TIME")
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local life = tonumber(ARGV[2])
local wait = 0
for i, key in ipairs(KEYS) do
  redis.call("ZREMRANGEBYSCORE", key, "-inf", now - life)
  local most = tonumber(ARGV[2 + i])
  if redis.call("ZCARD", key) >= most then
    local oldest = redis.call("ZRANGE", key, -most, -most, "WITHSCORES")
    wait = math.max(wait, tonumber(oldest[2]) + life - now)
  end
end
if wait > 0 then return wait end
for _, key in ipairs(KEYS) do
  redis.call("ZADD", key, now, ARGV[1])
  redis.call("PEXPIRE", key, life)
end
return 0
"""


@dataclass(frozen=True)
class Limit:
    """At most this many wrong tries a minute under a key."""

    most: int
    key: str


def add(*limits: Limit) -> tuple[str, int]:
    """Count a try under each of the keys. Returns its name, to take it back by, and 0; or the
    seconds to wait when one of them is full, and then it is counted nowhere."""
    name = secrets.token_hex(8)
    keys = [f"gz:tries:{limit.key}" for limit in limits]
    most = [limit.most for limit in limits]
    wait = redis_store.client.eval(ADD, len(keys), *keys, name, SECONDS * 1000, *most)
    return name, -(-int(wait) // 1000)


def take_back(name: str, *limits: Limit) -> None:
    """A try that was right: it is counted no longer."""
    with redis_store.client.pipeline(transaction=False) as pipe:
        for limit in limits:
            pipe.zrem(f"gz:tries:{limit.key}", name)
        pipe.execute()
