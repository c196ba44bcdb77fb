"""π and Fibonacci numbers: which n are valid, how many computations are allowed, the results."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from redis.exceptions import RedisError

from app.concurrency import yield_to_hub
from app.errors import Invalid, TooMany
from app.numbers import cache, fib, pi
from app.redis import rate_limit
from app.redis.client import redis_store
from app.redis.lock import Lock
from app.redis.rate_limit import Limit, per_network
from app.text import N_, parse_integer

# Cached results are never counted. A first π up to the limit takes about a second of the
# processor, later ones a block of terms, and a Fibonacci number 10 ms at most.
COMPUTATIONS_PER_MINUTE = 120
# Up to this n a computation is not counted: it takes half a millisecond for π and a tenth for
# Fibonacci, no more than a cached result.
UNCOUNTED_N = 10_000
# The sums after each block of terms, field the number of terms, value as float.hex().
SUMS = "gz:pi:sums"
# 10,000 results of π take 2 MB of Redis; 2,000 of the largest Fibonacci numbers 42 MB.
PIS = cache.ResultHash("pis", 10_000, lambda text, _n: pi.read_result(text))
FIBS = cache.ResultHash("fibs", 2_000, fib.read_result)

# Returns the limits of the client; called only before a computation.
ClientLimits = Callable[[], tuple[Limit, ...]]


class NotANumber(Invalid):
    """n cannot be read as a number."""

    status = 400


@dataclass(frozen=True)
class NumberResult:
    """A number as JSON writes it, and whether it was cached."""

    text: str
    cached: bool


def check_n(text: str, limit: int) -> int:
    """A whole number from 0 to the limit, in plain digits."""
    if not text:
        raise NotANumber(N_("n is missing; it must be a whole number such as 100."))
    n = parse_integer(text, 0, 10**20)
    if n is None:
        raise NotANumber(N_("n must be a whole number of at most 20 digits, written with 0 to 9."))
    if n > limit:
        raise Invalid(N_("n must be at most %(limit)s.", limit=limit))
    return n


def get_pi(text: str, limits: ClientLimits) -> NumberResult:
    """π from n terms."""
    n = check_n(text, pi.LIMIT)
    allow = partial(count_computation, n, limits)
    return NumberResult(*cache.get_or_compute(PIS, n, partial(compute_pi, n), allow))


def get_fib(text: str, limits: ClientLimits) -> NumberResult:
    """The n-th Fibonacci number."""
    n = check_n(text, fib.LIMIT)
    allow = partial(count_computation, n, limits)
    return NumberResult(*cache.get_or_compute(FIBS, n, lambda _lock: fib.digits(fib.fib(n)), allow))


def count_computation(n: int, limits: ClientLimits) -> None:
    """Count a computation, or raise `TooMany`. Without Redis nothing is counted; what a process
    computes at once stays limited."""
    if n <= UNCOUNTED_N:
        return
    try:
        counted = rate_limit.hit(*limits())
    except RedisError:
        return
    if counted.full:
        text = N_("Too many computations in a short time. Wait a minute, then try again.")
        raise TooMany(text, counted.seconds)


def person_limits(person_id: int) -> tuple[Limit, ...]:
    """The limits of somebody who is signed in."""
    return (Limit(COMPUTATIONS_PER_MINUTE, f"compute:person:{person_id}"),)


def visitor_limits(address: str) -> tuple[Limit, ...]:
    """The limits of a visitor from an address."""
    return per_network(COMPUTATIONS_PER_MINUTE, "compute:address", address)


def compute_pi(n: int, lock: Lock) -> str:
    """π as its JSON text. It continues from the largest stored sum, lets other requests run after
    each block of terms, and stores the sums it passes for a larger n."""
    terms = n - 1
    done, total = latest_sum(terms)
    passed: dict[Any, Any] = {}
    while done < terms:
        end = min(done + pi.BLOCK, terms)
        total = pi.add_terms(total, done + 1, end)
        done = end
        if done % pi.BLOCK == 0:
            passed[str(done)] = total.hex()
        yield_to_hub()
        if lock.renew():
            store_sums(passed)
    store_sums(passed)
    return repr(pi.from_sum(total))


def latest_sum(terms: int) -> tuple[int, float]:
    """The largest number of terms, up to `terms`, whose sum is stored, and that sum. Invalid sums
    are skipped; (0, 0.0) if there is none, or without Redis."""
    counts = range(pi.BLOCK, terms + 1, pi.BLOCK)
    if not counts:
        return 0, 0.0
    try:
        stored: list[Any] = redis_store.client.hmget(SUMS, [str(count) for count in counts])
    except RedisError:
        return 0, 0.0
    for count, text in zip(reversed(counts), reversed(stored), strict=True):
        total = pi.read_sum(text, count)
        if total is not None:
            return count, total
    return 0, 0.0


def store_sums(passed: dict[Any, Any]) -> None:
    """Store sums in Redis and remove them from `passed`. There is at most one for each block up
    to the limit, so this hash needs no budget."""
    if not passed:
        return
    try:
        redis_store.client.hset(SUMS, mapping=passed)
    except RedisError:
        return
    passed.clear()
