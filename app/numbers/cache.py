"""Results that all processes share in Redis, each computed by one of them.

The hashes `pis` and `fibs` hold the results, field n and value both as text, as the original kept
them. Beside each stands a sorted set of last use, by which the longest unused leaves when there
are too many. A lookup is one script, so that a hit costs one round trip with its counter and last
use included. It takes Redis about 15 µs more than a bare HGET, and the worker nothing; in return
the counts are exact, where a sample would show nothing for the first few answers.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from redis.exceptions import NoScriptError, RedisError

from app.current import worker_name
from app.errors import Unavailable
from app.redis.client import redis_store

LOCK_MILLISECONDS = 5000  # after this long without renewal another process computes
RENEW_SECONDS = 1
WAIT_SECONDS = 15  # for somebody else's result
POLL_SECONDS = (0.01, 0.1)  # the first pause and the longest; each is twice the one before
TURN_SECONDS = 4  # for one's turn within the process; shorter than the lock lives
COUNTERS = "gz:numbers:counters"
WORKERS = "gz:numbers:workers"
WORKER_MINUTES = 10

# Computations at once in this process. They share its one thread, a block of π each in turn, so
# four of them keep other requests waiting for about 10 ms. It bounds this process only.
turns = threading.BoundedSemaphore(4)


class Script:
    """Commands that Redis runs in one go, sent by their digest once it knows them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, keys: tuple[str, ...], *values: str | int) -> Any:
        try:
            return redis_store.client.evalsha(self.digest, len(keys), *keys, *values)
        except NoScriptError:
            return redis_store.client.eval(self.text, len(keys), *keys, *values)


# Answers 1 and the value, or 2 when the asker holds the lock now (perhaps since a try whose answer
# was lost), or 3 when somebody else does. With ARGV[6] = 1 a value there counts for none.
FOUND, MINE = 1, 2
CLAIM = Script("""
redis.call('ZADD', KEYS[5], ARGV[3], ARGV[4])
local value = redis.call('HGET', KEYS[1], ARGV[1])
if value and ARGV[6] == '0' then
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
  redis.call('HINCRBY', KEYS[4], 'hits', 1)
  return {1, value}
end
if redis.call('SET', KEYS[3], ARGV[2], 'NX', 'PX', ARGV[5]) then return {2, ''} end
if redis.call('GET', KEYS[3]) == ARGV[2] then return {2, ''} end
return {3, ''}
""")

RENEW = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
""")

RELEASE = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
""")

# Keeps a result. Over the budget, fields whose last use is not known (the original's) leave first,
# then the longest unused; at most 100 at a time, so that Redis is never held up.
STORE = Script("""
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('HINCRBY', KEYS[3], 'computed', 1)
local over = redis.call('HLEN', KEYS[1]) - tonumber(ARGV[4])
over = math.min(100, math.max(over, redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[4])))
if over <= 0 then return 0 end
local removed = 0
for _, field in ipairs(redis.call('HRANDFIELD', KEYS[1], over)) do
  if not redis.call('ZSCORE', KEYS[2], field) then
    removed = removed + redis.call('HDEL', KEYS[1], field)
  end
end
if removed < over then
  local oldest = redis.call('ZPOPMIN', KEYS[2], over - removed)
  for i = 1, #oldest, 2 do redis.call('HDEL', KEYS[1], oldest[i]) end
end
return over
""")


@dataclass(frozen=True)
class Kind:
    """One hash of results. `read` turns a kept text into the result as JSON writes it, or None
    when it is none; `budget` is how many are kept."""

    hash: str
    budget: int
    read: Callable[[str, int], str | None]

    @property
    def used(self) -> str:
        """The sorted set of last use."""
        return f"gz:{self.hash}:used"

    def lock(self, n: int) -> str:
        """The key held by the process that computes n."""
        return f"gz:lock:{self.hash}:{n}"


class Lease:
    """The right to compute one result, for as long as it is renewed."""

    def __init__(self, kind: Kind, n: int) -> None:
        self.kind, self.n = kind, n
        self.token = secrets.token_hex(16)
        self.renewed = time.monotonic()

    def renew(self) -> bool:
        """Hold on to the lock; to be called often, asks Redis once a second and then returns True.
        A lock lost to another process does no harm: both come to the same result."""
        if time.monotonic() - self.renewed < RENEW_SECONDS:
            return False
        self.renewed = time.monotonic()
        with suppress(RedisError):
            RENEW((self.kind.lock(self.n),), self.token, LOCK_MILLISECONDS)
        return True

    def release(self) -> None:
        """Let go, if it is still ours."""
        with suppress(RedisError):
            RELEASE((self.kind.lock(self.n),), self.token)


Compute = Callable[[Lease], str]


def get_or_compute(
    kind: Kind, n: int, compute: Compute, allow: Callable[[], None]
) -> tuple[str, bool]:
    """The result and whether somebody else computed it. `allow` is asked before a computation and
    may refuse. Without Redis the result is computed here and not kept."""
    lease = Lease(kind, n)
    try:
        found = find_or_claim(lease)
    except RedisError as error:
        current_app.logger.warning("computing without Redis: %s", error.__class__.__name__)
        with turn():
            return compute(lease), False
    if found is not None:
        return found, True
    try:
        allow()
        with turn():
            result = compute(lease)
        with suppress(RedisError):
            keep(kind, n, result)
    finally:
        lease.release()
    return result, False


@contextmanager
def turn() -> Iterator[None]:
    """One of the few computations that this process does at once."""
    if not turns.acquire(timeout=TURN_SECONDS):
        raise Unavailable(_("Many numbers are being computed right now. Try again in a moment."))
    try:
        yield
    finally:
        turns.release()


def find_or_claim(lease: Lease) -> str | None:
    """The kept result, or None when it is the asker's to compute. Waits while another process
    computes; when that one dies its lock runs out."""
    pause, longest = POLL_SECONDS
    end = time.monotonic() + WAIT_SECONDS
    unreadable = False
    while time.monotonic() < end:
        state, value = claim(lease, unreadable)
        if state == MINE:
            lease.renewed = time.monotonic()
            return replaced_meanwhile(lease) if unreadable else None
        if state == FOUND:
            result = lease.kind.read(value, lease.n)
            if result is not None:
                return result
            unreadable = True
        else:
            time.sleep(pause)
            pause = min(2 * pause, longest)
            unreadable = False
    raise Unavailable(_("This number is still being computed. Try again in a moment."))


def replaced_meanwhile(lease: Lease) -> str | None:
    """The result, if somebody put one in the place of an unreadable value just before we had the
    lock; then we let go of it."""
    value = redis_store.client.hget(lease.kind.hash, str(lease.n))
    result = None if value is None else lease.kind.read(str(value), lease.n)
    if result is not None:
        lease.release()
    return result


def claim(lease: Lease, unreadable: bool) -> tuple[int, str]:
    """Ask for the result and, where there is none, for the lock, in one step."""
    kind, n = lease.kind, lease.n
    keys = (kind.hash, kind.used, kind.lock(n), COUNTERS, WORKERS)
    state, value = CLAIM(
        keys, n, lease.token, int(time.time()), worker_name(), LOCK_MILLISECONDS, int(unreadable)
    )
    return state, value


def keep(kind: Kind, n: int, result: str) -> None:
    """Put a result into the hash, and out of it what is over the budget."""
    STORE((kind.hash, kind.used, COUNTERS), n, result, int(time.time()), kind.budget)


@dataclass(frozen=True)
class Figures:
    """How the cache does: answers from it, computations, and the workers that asked lately."""

    hits: int
    computed: int
    workers: int

    @property
    def rate(self) -> float | None:
        """The share of answers that came from it, 0 to 1."""
        asked = self.hits + self.computed
        return self.hits / asked if asked else None


def figures() -> Figures | None:
    """The counters, or None while Redis is away."""
    try:
        with redis_store.client.pipeline(transaction=False) as pipe:
            pipe.hmget(COUNTERS, "hits", "computed")
            pipe.zremrangebyscore(WORKERS, "-inf", int(time.time()) - 60 * WORKER_MINUTES)
            pipe.zcard(WORKERS)
            (hits, computed), _removed, workers = pipe.execute()
    except RedisError:
        return None
    return Figures(int(hits or 0), int(computed or 0), workers)
