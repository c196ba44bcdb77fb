"""What the cache has counted: hits and computations, in all and by the hour, and the workers that
share it. Lookups count within their own scripts."""

from dataclasses import dataclass
from datetime import UTC, datetime

from redis.exceptions import RedisError

from app import times
from app.current import worker_name
from app.redis.client import redis_store
from app.text import read_count

COUNTERS = "gz:numbers:counters"
WORKERS = "gz:numbers:workers"
WORKER_MINUTES = 10
WORKERS_SHOWN = 20
HOURS = 24

# KEYS: the counters, the workers by the time they last asked, then the counters of each hour. ARGV:
# the time, this worker, the earliest time that counts, how many workers are listed.
READ = """
ask('ZADD', KEYS[2], ARGV[1], ARGV[2])
ask('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[3])
local found = {
  ask('ZCARD', KEYS[2]), ask('ZREVRANGE', KEYS[2], 0, ARGV[4] - 1, 'WITHSCORES'),
  ask('HMGET', KEYS[1], 'hits', 'computed'),
}
for i = 3, #KEYS do found[i + 1] = ask('HMGET', KEYS[i], 'hits', 'computed') end
return found
"""


def hour_key(hour: int) -> str:
    """The key of the counters of an hour, counted since 1970."""
    return f"gz:numbers:hour:{hour}"


@dataclass(frozen=True)
class Counts:
    """How many results were found, and how many computed."""

    hits: int
    computed: int

    @property
    def hit_rate(self) -> float | None:
        """The share of hits, 0 to 1."""
        total = self.hits + self.computed
        return self.hits / total if total else None


@dataclass(frozen=True)
class HourCounts:
    """The counts of the hour that began at this time."""

    began: datetime
    counts: Counts


@dataclass(frozen=True)
class Worker:
    """A worker that shares the cache, as host and process, and when it last asked."""

    host: str
    pid: str
    asked: datetime

    @property
    def is_this(self) -> bool:
        """True if it is this process."""
        return f"{self.host}:{self.pid}" == worker_name()


@dataclass(frozen=True)
class CacheStatistics:
    """Counts since the cache exists, those of the last hours, the oldest first, and the workers
    that asked recently, the last first; not all of them are listed if there are many."""

    total: Counts
    hours: list[HourCounts]
    workers: list[Worker]
    worker_count: int


def read_statistics() -> CacheStatistics | None:
    """The statistics, or None without Redis. This worker has just asked."""
    now = int(times.now().timestamp())
    hours = range(now // 3600 - HOURS + 1, now // 3600 + 1)
    keys = [COUNTERS, WORKERS, *map(hour_key, hours)]
    args: list[str | int] = [now, worker_name(), now - 60 * WORKER_MINUTES, WORKERS_SHOWN]
    try:
        count, workers, total, *counts = redis_store.script(READ)(keys=keys, args=args)
    except RedisError:
        return None
    return CacheStatistics(
        read_counts(total),
        [
            HourCounts(at(3600 * hour), read_counts(of))
            for hour, of in zip(hours, counts, strict=True)
        ],
        list(map(read_worker, workers[::2], workers[1::2])),
        count,
    )


def read_counts(found: list[str | None]) -> Counts:
    """Hits and computations as they are stored."""
    hits, computed = map(read_count, found)
    return Counts(hits, computed)


def read_worker(name: str, score: str) -> Worker:
    """A worker as it is stored: `host:4711` and the time."""
    host, _colon, pid = name.rpartition(":")
    return Worker(host, pid, at(float(score)))


def at(seconds: float) -> datetime:
    """A time that is stored as seconds since 1970; nothing happened in the future."""
    return datetime.fromtimestamp(min(seconds, times.now().timestamp()), UTC)
