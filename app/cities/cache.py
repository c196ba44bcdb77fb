"""What the register caches in Redis: fragments of pages, the total, names of provinces, figures."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any, TypeVar

from app.redis.cache import VersionedCache

T = TypeVar("T")

TEXTS = VersionedCache("gz:cities")
changed, kept = TEXTS.changed, TEXTS.kept


def cached_value(key: str, shape: type[T], make: Callable[[], T]) -> T:
    """A dataclass of plain values, cached as JSON. Its fields are part of the key, so that the
    workers of two releases do not read each other's values; a value of another shape is not
    used."""
    plain: Any = shape
    text = kept(
        f"{key}:{shape_of(plain)}",
        lambda: json.dumps(asdict(make())),  # type: ignore[call-overload]
    )
    found: dict[str, Any] = json.loads(text)
    names = {field.name for field in fields(plain)}
    return shape(**found) if found.keys() == names else make()


def shape_of(shape: Any) -> str:
    """A short digest of a dataclass's fields and their types."""
    text = json.dumps([[field.name, str(field.type)] for field in fields(shape)])
    return hashlib.sha256(text.encode()).hexdigest()[:8]
