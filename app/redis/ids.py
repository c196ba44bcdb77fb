"""Snowflake ids: made before the row that has them, unique over all processes and hosts, and in the
order of their times. 41 bits of milliseconds, 5 of the data centre, 5 of the worker, 12 of a
sequence.

Data centre and worker are together the number of a process, which it leases in Redis: fixed numbers
would be the same in every process of a host.
"""

import random
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import current_app
from redis.exceptions import RedisError

from app.errors import Unavailable
from app.redis.client import PREFIX, redis_store
from app.text import N_

EPOCH_MS = 1_288_834_974_657
NODES, SEQUENCES, MOST_MS = 1024, 4096, 1 << 41
LEASE_SECONDS, RENEW_SECONDS = 30, 10
EXTENSION = "gazetteer-ids"

# The lease of each number: the token of its process, when it ends by the clock of Redis, and the
# last millisecond that the process may use, by its own clock. The hash has no expiry, because a
# Redis that is full deletes what expires first. Takes the first number that is ours, or free and
# last used before our present millisecond.
# KEYS: the hash. ARGV: the token, the number to begin with, how many there are, the milliseconds of
# a lease, our time, our last millisecond.
LEASE = """
local clock = redis.call("TIME")
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for step = 0, ARGV[3] - 1 do
  local number = (ARGV[2] + step) % ARGV[3]
  local held = ask("HGET", KEYS[1], number) or ""
  local token, ends, last = string.match(held, "^(%S+) (%d+) (%d+)$")
  local is_free = not token or (now > tonumber(ends) and tonumber(last) < tonumber(ARGV[5]))
  if token == ARGV[1] or is_free then
    ask("HSET", KEYS[1], number, string.format("%s %.0f %s", ARGV[1], now + ARGV[4], ARGV[6]))
    return number
  end
end
"""


@dataclass(frozen=True)
class Parts:
    """What an id consists of."""

    milliseconds: int  # since EPOCH_MS
    data_centre: int
    worker: int
    sequence: int

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp((self.milliseconds + EPOCH_MS) / 1000, UTC)


def split_id(number: int) -> Parts:
    """The parts of an id; ValueError if it cannot be one."""
    if not 0 <= number < MOST_MS * NODES * SEQUENCES:
        raise ValueError(number)
    node = number // SEQUENCES % NODES
    return Parts(number // SEQUENCES // NODES, node // 32, node % 32, number % SEQUENCES)


def join_id(milliseconds: int, node: int, sequence: int) -> int:
    """The id of these parts; ValueError if one of them is out of range."""
    for value, most in ((milliseconds, MOST_MS), (node, NODES), (sequence, SEQUENCES)):
        if not 0 <= value < most:
            raise ValueError(value)
    return (milliseconds * NODES + node) * SEQUENCES + sequence


def wall_ms() -> int:
    return int(time.time() * 1000) - EPOCH_MS


class Snowflake:
    """Makes the ids of one process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.token = secrets.token_hex(8)
        self.node = random.randrange(NODES)  # noqa: S311 - where it begins to look
        self.leased = float("-inf")  # on the monotonic clock
        self.bound = 0  # the first millisecond that the lease does not include
        self.last, self.sequence = 0, 0

    def next_id(self) -> int:
        """A new id. Asks Redis every RENEW_SECONDS, so it is not called within a transaction."""
        with self.lock:
            now = self.next_millisecond()
            if time.monotonic() - self.leased > RENEW_SECONDS or now >= self.bound:
                self.lease(now)
            self.sequence = self.sequence + 1 if now == self.last else 0
            self.last = now
            return join_id(now, self.node, self.sequence)

    def next_millisecond(self) -> int:
        """The present one, or the next one if all ids of this one are used."""
        now = wall_ms()
        while now == self.last and self.sequence == SEQUENCES - 1:
            time.sleep(0.0002)
            now = wall_ms()
        if now < self.last:
            raise Unavailable(N_("The clock of this server was set back. Try again in a moment."))
        return now

    def lease(self, now: int) -> None:
        """Take or renew a number. While Redis is away the last lease counts until it ends."""
        begun, bound = time.monotonic(), now + LEASE_SECONDS * 1000
        own: list[str | int] = [self.token, self.node, NODES, LEASE_SECONDS * 1000, now, bound]
        try:
            node: Any = redis_store.script(LEASE)(keys=[f"{PREFIX}nodes"], args=own)
        except RedisError as error:
            if begun - self.leased < LEASE_SECONDS and now < self.bound:
                return
            raise Unavailable() from error
        if node is None:
            raise Unavailable()
        self.node, self.leased, self.bound = int(node), begun, bound


def next_id() -> int:
    """A new id of this process, before the transaction that stores it."""
    maker: Snowflake = current_app.extensions.setdefault(EXTENSION, Snowflake())
    return maker.next_id()
