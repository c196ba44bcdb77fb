"""The last refusal of the database, which every process reports for some minutes."""

from contextlib import suppress

from redis.exceptions import RedisError

from app.redis.client import redis_store

KEY = "gz:fault:database"
SECONDS = 600


def note_refusal(number: int) -> None:
    """Store that the database refused a statement, for every process to report."""
    with suppress(RedisError):
        redis_store.client.set(KEY, number, ex=SECONDS)


def last_refusal() -> int | None:
    """The number of a refusal within the last minutes."""
    with suppress(RedisError, ValueError):
        return int(redis_store.client.get(KEY) or 0) or None
    return None
