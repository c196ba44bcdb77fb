"""How many sign-ins under a person's name have failed since the last one, counted in Redis: a
stranger's attempt must neither write to the database nor take longer if the name exists.
"""

from app.redis.client import redis_store

NOBODY = 0  # where attempts under names that nobody has are counted


def key(person_id: int) -> str:
    return f"gz:sign-in-failed:{person_id}"


def count_failure(person_id: int | None) -> None:
    """Count a sign-in that failed."""
    redis_store.client.incr(key(person_id or NOBODY))


def take_failures(person_id: int) -> int:
    """How many have failed; the count begins again."""
    return number(redis_store.client.getdel(key(person_id)))


def read_failures(person_id: int) -> int:
    """How many have failed."""
    return number(redis_store.client.get(key(person_id)))


def number(text: object) -> int:
    """A count as Redis has it, or 0."""
    return int(text) if isinstance(text, str) and text.isdecimal() else 0
