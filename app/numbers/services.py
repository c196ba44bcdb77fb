"""What may be asked for, and how a result comes about."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask_babel import gettext as _
from redis.exceptions import RedisError

from app.concurrency import yield_to_hub
from app.errors import Invalid, TooMany
from app.numbers import cache, fib, pi
from app.redis import rate_limit
from app.redis.client import redis_store
from app.redis.rate_limit import Limit
from app.text import parse_integer
from app.web.formatting import format_number

# Answers from the cache are never counted. A first π up to the limit takes about a second of the
# processor, later ones a block of terms, and a Fibonacci number 10 ms at most.
COMPUTATIONS_PER_MINUTE = 120
# The sums after each block of terms, field the number of terms, value as float.hex().
SUMS = "gz:pi:sums"
# 10,000 results of π take 2 MB of Redis; 2,000 of the largest Fibonacci numbers 42 MB.
PIS = cache.Kind("pis", 10_000, lambda text, _n: pi.read_result(text))
FIBS = cache.Kind("fibs", 2_000, fib.read_result)


class NotANumber(Invalid):
    """What was asked for cannot be read as n."""

    status = 400


@dataclass(frozen=True)
class Result:
    """A number as JSON writes it, and whether it was there before it was asked for."""

    text: str
    cached: bool


def check_n(text: str, limit: int) -> int:
    """A whole number from 0 to the limit, in plain digits."""
    if not text:
        raise NotANumber(_("n is missing; it must be a whole number such as 100."))
    if parse_integer(text, 0, 10**20) is None:
        raise NotANumber(_("n must be a whole number of at most 20 digits, written with 0 to 9."))
    n = int(text)
    if n > limit:
        raise Invalid(_("n must be at most %(limit)s.", limit=format_number(limit)))
    return n


def get_pi(text: str, address: str) -> Result:
    """π from n terms, for an asker at that address."""
    n = check_n(text, pi.LIMIT)
    return Result(
        *cache.get_or_compute(PIS, n, partial(compute_pi, n), partial(count_computation, address))
    )


def get_fib(text: str, address: str) -> Result:
    """The n-th Fibonacci number, for an asker at that address."""
    n = check_n(text, fib.LIMIT)
    return Result(
        *cache.get_or_compute(
            FIBS, n, lambda _lease: fib.digits(fib.fib(n)), partial(count_computation, address)
        )
    )


def count_computation(address: str) -> None:
    """One computation more for this address, or `TooMany`. Without Redis nothing is counted; what
    a process computes at once stays bounded."""
    try:
        _name, seconds = rate_limit.hit(Limit(COMPUTATIONS_PER_MINUTE, f"compute:{address}"))
    except RedisError:
        return
    if seconds:
        text = _("Too many new numbers from this address. Wait a minute, then try again.")
        raise TooMany(text, seconds)


def compute_pi(n: int, lease: cache.Lease) -> str:
    """π as its JSON text. It goes on from the last sum that is kept, gives way to other requests
    after every block of terms, and keeps the sums it passes for a larger n."""
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
        if lease.renew():
            keep_sums(passed)
    keep_sums(passed)
    return repr(pi.from_sum(total))


def latest_sum(terms: int) -> tuple[int, float]:
    """The largest number of terms, up to `terms`, whose sum is kept, and that sum. What cannot be
    a sum is passed over; without any, or without Redis, the sum begins at nothing."""
    counts = range(pi.BLOCK, terms + 1, pi.BLOCK)
    if not counts:
        return 0, 0.0
    try:
        kept: list[Any] = redis_store.client.hmget(SUMS, [str(count) for count in counts])
    except RedisError:
        return 0, 0.0
    for count, text in zip(reversed(counts), reversed(kept), strict=True):
        total = pi.read_sum(text, count)
        if total is not None:
            return count, total
    return 0, 0.0


def keep_sums(passed: dict[Any, Any]) -> None:
    """Write down sums and forget them here. There is at most one for each block up to the limit,
    so this hash needs no budget."""
    if not passed:
        return
    try:
        redis_store.client.hset(SUMS, mapping=passed)
    except RedisError:
        return
    passed.clear()


@dataclass(frozen=True)
class Timed:
    """A result as the page shows it."""

    result: Result
    milliseconds: float


def timed(get: Callable[[str, str], Result], text: str, address: str) -> Timed:
    """A result with the time it took to have it."""
    begun = time.perf_counter()
    result = get(text, address)
    return Timed(result, round((time.perf_counter() - begun) * 1000, 1))
