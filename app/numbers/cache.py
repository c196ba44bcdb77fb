"""Results that all processes share in Redis; each is computed by one of them."""

from collections.abc import Callable
from contextlib import suppress

from redis.exceptions import RedisError

from app.numbers.results import Result, ResultStore, made_here
from app.redis.lock import Lock, find_or_acquire


def get_or_compute(
    results: ResultStore, n: int, compute: Callable[[Lock], str], allow: Callable[[], None]
) -> tuple[Result, bool]:
    """The result and whether it was cached. `allow` is called before a computation and may refuse
    it. Without Redis the result is computed here and not stored."""
    lock = Lock(f"gz:lock:{results.name}:{n}")
    try:
        found = find_or_acquire(lock, lambda: results.find(n, lock))
    except RedisError:
        return made_here(compute(lock)), False
    if found is not None:
        return found, True
    try:
        allow()
        result = made_here(compute(lock))
        with suppress(RedisError):
            results.store(n, result, lock)
    finally:
        lock.release()
    return result, False
