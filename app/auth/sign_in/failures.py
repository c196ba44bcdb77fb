"""How many sign-ins under a person's name have failed since the last one, counted in Redis: a
stranger's attempt must neither write to the database nor take longer if the name exists.
"""

from typing import Any

from app.redis.client import redis_store
from app.text import read_count

NOBODY = 0  # where attempts under names that nobody has are counted


def key(person_id: int) -> str:
    return f"gz:sign-in-failed:{person_id}"


def count_failure(person_id: int | None) -> None:
    redis_store.client.incr(key(person_id or NOBODY))


def forget_failures(person_id: int) -> None:
    redis_store.client.delete(key(person_id))


def read_failures(person_id: int) -> int:
    count: Any = redis_store.client.get(key(person_id))
    return read_count(count)
