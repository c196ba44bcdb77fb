"""π and Fibonacci numbers: which n are valid, how many computations are allowed, the results."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from redis.exceptions import RedisError

from app.errors import Invalid, TooMany
from app.numbers import cache, fib, pi
from app.redis import rate_limit
from app.redis.lock import Lock
from app.redis.rate_limit import Limit, per_network
from app.text import N_, parse_integer

# Cached results are never counted, and neither is what takes less than a millisecond: up to so many
# terms of π to add (0.7 ms) and a Fibonacci number up to this n (0.2 ms).
COMPUTATIONS_PER_MINUTE = 120
UNCOUNTED_TERMS = 10_000
UNCOUNTED_FIB = 10_000
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
    if not (text.isascii() and text.isdigit()):
        raise NotANumber(N_("n must be a whole number from 0 to %(limit)s.", limit=limit))
    n = parse_integer(text.lstrip("0") or "0", 0, limit)
    if n is None:
        raise Invalid(N_("n must be at most %(limit)s.", limit=limit))
    return n


def get_pi(text: str, limits: ClientLimits) -> NumberResult:
    """π from n terms. All n that have the last result share its place in the cache."""
    n = min(check_n(text, pi.LIMIT), pi.LAST_N)
    counted = pi.count_added(n) > UNCOUNTED_TERMS
    return get(PIS, n, lambda _lock: repr(pi.compute(n)), limits if counted else None)


def get_fib(text: str, limits: ClientLimits) -> NumberResult:
    """The n-th Fibonacci number."""
    n = check_n(text, fib.LIMIT)
    counted = n > UNCOUNTED_FIB
    return get(FIBS, n, lambda _lock: fib.digits(fib.fib(n)), limits if counted else None)


def get(
    results: cache.ResultHash, n: int, compute: Callable[[Lock], str], limits: ClientLimits | None
) -> NumberResult:
    """A result from the cache, or computed within the limits, if there are any."""
    allow = partial(count_computation, limits)
    return NumberResult(*cache.get_or_compute(results, n, compute, allow))


def count_computation(limits: ClientLimits | None) -> None:
    """Count a computation, or raise `TooMany`. Without Redis nothing is counted; what a process
    computes at once stays limited."""
    if limits is None:
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
