"""Results that all processes share in Redis; each is computed by one of them."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from redis.exceptions import RedisError

from app.numbers.results import Result, ResultStore, made_here
from app.redis.flight import Flight
from app.redis.lock import Lock

WAIT_SECONDS = 15  # for the result of another process


def get_or_compute(
    results: ResultStore, n: int, compute: Callable[[Lock], str], allow: Callable[[], None]
) -> tuple[Result, bool]:
    """The result and whether it was cached. `allow` is called before a computation and may refuse
    it. Without Redis the result is computed here and not stored."""
    with Flight(f"gz:lock:{results.name}:{n}", WAIT_SECONDS) as flight:
        try:
            found = flight.find(partial(results.find, n, flight.lock))
        except RedisError:
            return made_here(compute(flight.lock)), False
        if found is not None:
            return found, True
        allow()
        result = made_here(compute(flight.lock))
        with suppress(RedisError):
            results.store(n, result, flight.lock)
    return result, False
