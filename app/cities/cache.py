"""What the list keeps in Redis: drawn fragments, the total, the names of provinces.

Every kept text begins with the register's mark, a random word that each change made here replaces
after its commit; a text under another mark is no longer true. Mark and text are read in one round
trip. A text also ends after KEPT_SECONDS, so that changes by the original program or by plain SQL
show soon. Nothing kept is personal. Redis being empty or away only costs the work of drawing anew.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import current_app
from redis.exceptions import RedisError

from app.extensions import db, redis_store

KEPT_SECONDS = 30
MARK = "gz:cities:mark"


def changed() -> None:
    """Tell all processes that the register changed; handed to after_commit()."""
    with suppress(RedisError):
        redis_store.client.set(MARK, new_mark())


def new_mark() -> str:
    """A mark that was never used."""
    return secrets.token_hex(8)


def kept(key: str, make: Callable[[], str]) -> str:
    """The text kept under a key, or else what `make` returns, which is then kept."""
    try:
        found: Any = redis_store.client.mget(MARK, f"gz:cities:{key}")
        mark, text = found
        if not mark:
            redis_store.client.set(MARK, new_mark(), nx=True)
            mark = redis_store.client.get(MARK)
    except RedisError:
        return make()
    if text and text.startswith(f"{mark}\n"):
        return str(text[len(mark) + 1 :])
    # On the database this request may have begun to read before the mark was. What is kept must be
    # read after it: then a change meanwhile either is in it or has replaced the mark.
    db.session.rollback()
    made = make()
    try:
        redis_store.client.set(f"gz:cities:{key}", f"{mark}\n{made}", ex=KEPT_SECONDS)
    except RedisError as error:
        current_app.logger.warning("a list could not be kept: %s", error.__class__.__name__)
    return made
