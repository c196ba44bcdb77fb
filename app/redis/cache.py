"""Texts about a table that are kept in Redis until the table changes.

Every kept text begins with the mark of its table, a random word that each change made here replaces
after its commit; a text under another mark is no longer true. Mark and text are read in one round
trip. A text also ends after KEPT_SECONDS, so that changes by another program, by plain SQL or by
the passing of time show soon. What is kept under a key is the same for all who ask for it. Redis
being empty or away only costs the work of making it anew.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import current_app
from redis.exceptions import RedisError

from app.database.engine import db
from app.redis.client import redis_store

LIFE_SECONDS = 30


@dataclass(frozen=True)
class VersionedCache:
    """The texts about one table; their keys in Redis begin with `prefix`."""

    prefix: str

    def changed(self) -> None:
        """Tell all processes that the table changed; handed to after_commit()."""
        with suppress(RedisError):
            redis_store.client.set(self._key("mark"), new_version())

    def kept(self, key: str, make: Callable[[], str]) -> str:
        """The text kept under a key, or else what `make` returns, which is then kept. May end
        the transaction of the session."""
        mark_key = self._key("mark")
        try:
            found: Any = redis_store.client.mget(mark_key, self._key(key))
            mark, text = found
            if not mark:
                redis_store.client.set(mark_key, new_version(), nx=True)
                mark = redis_store.client.get(mark_key)
        except RedisError:
            return make()
        if text and text.startswith(f"{mark}\n"):
            return str(text[len(mark) + 1 :])
        # On the database this request may have begun to read before the mark was. What is kept
        # must be read after it: then a change meanwhile either is in it or has replaced the mark.
        db.session.rollback()
        made = make()
        try:
            redis_store.client.set(self._key(key), f"{mark}\n{made}", ex=LIFE_SECONDS)
        except RedisError as error:
            current_app.logger.warning("a text could not be kept: %s", error.__class__.__name__)
        return made

    def _key(self, name: str) -> str:
        return f"{self.prefix}:{name}"


def new_version() -> str:
    """A mark that was never used."""
    return secrets.token_hex(8)
