"""Values computed from a table, cached in Redis until the table changes.

Every value is stored with the version of its table, a random word that each change made here
replaces after its commit, and with a digest of its own shape. A value with another version is
stale; one with another shape was written by another release. Both count as absent, as does whatever
cannot be read. A value also expires after LIFE_SECONDS, so that changes by another program or by
the passing of time show soon. Without Redis everything is computed every time.
"""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import msgspec
from redis.exceptions import RedisError

from app.database.engine import db
from app.redis.client import redis_store

T = TypeVar("T")

LIFE_SECONDS = 30


@dataclass(frozen=True)
class VersionedCache:
    """The values computed from one table; their keys in Redis begin with `prefix`."""

    prefix: str

    def invalidate(self) -> None:
        """Let all processes know that the table changed; handed to after_commit()."""
        with suppress(RedisError):
            redis_store.client.set(self._version_key, secrets.token_hex(8))

    def get_or_compute(self, key: str, shape: type[T], compute: Callable[[], T]) -> T:
        """The cached value, or what `compute` returns, which is then cached. `shape` is its type:
        text, or dataclasses, lists and tuples of plain values. May end the transaction of the
        session."""
        try:
            version, text = self._read(key)
        except RedisError:
            return compute()
        header = f"{version} {digest(shape)}\n"  # type: ignore[arg-type]  # a type is hashable
        if text and text.startswith(header):
            with suppress(msgspec.DecodeError):
                return msgspec.json.decode(text[len(header) :], type=shape)
        # This request may have begun to read the database before it read the version. What is
        # cached must be read after it: then a change in between is either part of the value, or
        # has replaced the version.
        db.session.rollback()
        made = msgspec.json.encode(compute())
        db.session.rollback()  # no connection is held while Redis is asked
        with suppress(RedisError):
            text = header + made.decode()
            redis_store.client.set(self._value_key(key), text, ex=LIFE_SECONDS)
        # Read back, so that it is the same as from the cache, and of this shape.
        return msgspec.json.decode(made, type=shape)

    def _read(self, key: str) -> tuple[str, str | None]:
        """The version of the table and the text of a value, if any."""
        found: Any = redis_store.client.mget(self._version_key, self._value_key(key))
        version, text = found
        if not version:
            redis_store.client.set(self._version_key, secrets.token_hex(8), nx=True)
            version = redis_store.client.get(self._version_key)
        return str(version), text

    @property
    def _version_key(self) -> str:
        return f"{self.prefix}:mark"  # as in earlier releases, whose workers may still be running

    def _value_key(self, key: str) -> str:
        return f"{self.prefix}:{key}"


@cache
def digest(shape: Any) -> str:
    """A digest of a type: of the names and types of its fields."""
    schema = msgspec.json.encode(msgspec.json.schema(shape), order="deterministic")
    return hashlib.sha256(schema).hexdigest()[:8]
