"""π and Fibonacci numbers: which n are valid, how many computations are allowed, the results."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from redis.exceptions import RedisError

from app.errors import Invalid, TooMany
from app.numbers import cache, fib, large_fib, pi
from app.numbers.results import HashedResults, LargeResults, Origin, ResultStore
from app.redis import rate_limit
from app.redis.lock import Lock
from app.redis.rate_limit import Limit, per_network
from app.text import N_, parse_integer

# Cached results are never counted, and neither is what takes less than a millisecond: π, and
# Fibonacci numbers up to this n (0.3 ms).
COMPUTATIONS_PER_MINUTE = 120
UNCOUNTED_FIB = 20_000
# 10,000 results of π take 3 MB of Redis; 2,000 of the largest Fibonacci numbers that belong to the
# hash 42 MB; 100 of the large ones 21 MB, each for a day after its last use.
PIS = HashedResults("pis", 10_000, lambda text, _n: pi.read_result(text))
FIBS = HashedResults("fibs", 2_000, fib.read_result)
LARGE_FIBS = LargeResults("fibs", 100, 86_400, fib.read_result)

# Returns the limits of the client; called only before a computation.
ClientLimits = Callable[[], tuple[Limit, ...]]


class NotANumber(Invalid):
    """n cannot be read as a number."""

    status = 400


@dataclass(frozen=True)
class NumberResult:
    """A number as JSON writes it, for which n, whether it was cached, and who computed it, if that
    is known."""

    n: int
    text: str
    cached: bool
    origin: Origin | None


GetNumber = Callable[[str, ClientLimits], NumberResult]


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


def get_pi(text: str, _limits: ClientLimits) -> NumberResult:
    """π from the terms below n. All n that have the last result share its place in the cache."""
    n = check_n(text, pi.LIMIT)
    terms = min(n, pi.LAST_N)
    return replace(get(PIS, terms, lambda _lock: repr(pi.compute(terms)), None), n=n)


def get_fib(text: str, limits: ClientLimits) -> NumberResult:
    """The n-th Fibonacci number."""
    n = check_n(text, fib.LIMIT)
    if n > fib.LARGE:
        return get(LARGE_FIBS, n, partial(large_fib.digits, n), limits)
    counted = n > UNCOUNTED_FIB
    return get(FIBS, n, lambda _lock: fib.digits(n), limits if counted else None)


def get(
    results: ResultStore, n: int, compute: Callable[[Lock], str], limits: ClientLimits | None
) -> NumberResult:
    """A result from the cache, or computed within the limits, if there are any."""
    allow = partial(count_computation, limits)
    result, cached = cache.get_or_compute(results, n, compute, allow)
    return NumberResult(n, result.text, cached, result.origin)


def count_computation(limits: ClientLimits | None) -> None:
    """Count a computation, or raise `TooMany`. Without Redis nothing is counted; how many child
    processes compute at once stays limited."""
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
