"""Locks of names, so that two who add cities of one name at once do not miss each other.

On SQLite writers wait for each other anyway. On MariaDB both would look for the name before either
inserts. A locking read of the missing row would not do: the gaps that it locks belong to many, who
then wait for each other in a circle. Everybody takes the rows in the same order, after rows of the
register, and before the first plain read: that begins the snapshot in which a transaction reads.
"""

import hashlib
from collections.abc import Iterable, Sequence

from sqlalchemy.dialects.mysql import insert

from app.cities.models import NameLock
from app.cities.rules import pair_of
from app.database.engine import db

LOCKS = NameLock.__table__
LOCK = insert(LOCKS).on_duplicate_key_update(digest=LOCKS.c.digest)


def lock_names(names: Iterable[Sequence[str | None]]) -> None:
    """Lock the names of cities, each a province and a city, until the running service ends."""
    if db.engine.dialect.name != "mysql":
        return
    if digests := sorted({digest_of(*pair_of(*pair)) for pair in names}):
        db.session.execute(LOCK, [{"digest": digest} for digest in digests])


def digest_of(province: str, city: str) -> bytes:
    return hashlib.sha1(f"{province}\n{city}".encode(), usedforsecurity=False).digest()
