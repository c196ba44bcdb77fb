"""Search keys: fills them in for rows that other programs wrote, and finds cities of one name by
them."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, false, null, select, true, union_all

from app.cities.cache import CACHE
from app.cities.models import City, RemovedCity
from app.cities.rules import Pair, keys, pair_of, search_keys, sort_key
from app.database.engine import db, release_connection
from app.database.idempotency import created_by_form
from app.database.service import after_commit, unrecorded
from app.database.stored_keys import BATCH, StoredKeys, update_rows
from app.errors import Locked

FILL_BATCHES = 40
ALIKE_MOST = 500

CITIES = City.__table__  # used without the ORM, which costs more than the statements
# Rows whose keys are due: the original program inserted or renamed them, or the previous release,
# which does not know the last key, inserted them. Each condition has an index.
DUE = (CITIES.c.keys_due, CITIES.c.province_same.is_(None))
FIND_DUE = union_all(*(select(select(CITIES.c.id).where(each).limit(1).subquery()) for each in DUE))
# The rows that may be the same city: those with the same keys, and those whose keys are due (many
# only between a large insert by the original program and the next look of the clock).
NAMES = select(CITIES.c.id, CITIES.c.provincename, CITIES.c.cityname).limit(ALIKE_MOST)
SAME_KEYS = and_(
    CITIES.c.city_key == bindparam("city_key"), CITIES.c.province_key == bindparam("province_key")
)
ALIKE = [select(NAMES.where(condition).subquery()) for condition in (SAME_KEYS, *DUE)]
FIND_ALIKE = union_all(*ALIKE)
FIND_ADDED = created_by_form(CITIES).add_columns(
    null().label("provincename"), null().label("cityname"), true().label("by_form")
)
FIND_BOTH = union_all(*(query.add_columns(false().label("by_form")) for query in ALIKE), FIND_ADDED)
NAME_COLUMNS = ("provincename", "cityname")
KEYS = StoredKeys(City, NAME_COLUMNS, keys)
REMOVED_KEYS = StoredKeys(
    RemovedCity,
    NAME_COLUMNS,
    lambda province, city: {"search_key": search_keys(province, city)["search_key"]},
)


def fill_keys() -> int:
    """Fill in the keys that are due: mostly none, which is a look into two indexes; returns of how
    many rows. Bounded to a second or two after a large insert: the next call continues with the
    rest, and with rows that are locked now."""
    count = 0
    release_connection()  # a transaction that was begun earlier would not see the latest rows
    with suppress(Locked):
        for _round in range(FILL_BATCHES):
            if not are_due():
                break
            count += fill_batch()
    return count


def are_due() -> bool:
    """True if a row has no keys, or those of another name."""
    return db.session.scalar(FIND_DUE) is not None


@unrecorded
def fill_batch() -> int:
    """Fill in some; returns of how many rows. What is cached does not have them."""
    count = 0
    for condition in DUE:
        query = KEYS.query.where(condition).limit(BATCH).with_for_update()
        changes = KEYS.changed(db.session.execute(query).all())
        update_rows(City, changes)
        count += len(changes)
    if count:
        after_commit(CACHE.invalidate)
    return count


class Existing(NamedTuple):
    """What there is before a city is added: the smallest id of a city with its names, whether the
    form was sent before, and the city that it added then if that is still there."""

    same: int | None
    sent_before: bool
    added: int | None = None


def find_same(province: str, city: str, other_than: int | None = None) -> int | None:
    """The smallest id of a city that has these names, as pair_of() compares them."""
    rows = db.session.execute(FIND_ALIKE, wanted(province, city))
    return smallest_id((row for row in rows if row.id != other_than), pair_of(province, city))


def find_existing(province: str, city: str, form_key: str, anyway: bool) -> Existing:
    """Look for cities with these names, unless they do not matter (`anyway`), and for what a form
    with this key has added, if there is a key, in one query."""
    query = FIND_ADDED if anyway else FIND_BOTH
    rows = db.session.execute(query, {**wanted(province, city), "form_key": form_key}).all()
    same = smallest_id((row for row in rows if not row.by_form), pair_of(province, city))
    by_form = [row.id for row in rows if row.by_form]
    return Existing(same, bool(by_form), by_form[0] if by_form else None)


def wanted(province: str, city: str) -> dict[str, str]:
    """The parameters of SAME_KEYS."""
    return {"province_key": sort_key(province), "city_key": sort_key(city)}


def smallest_id(rows: Iterable[Any], pair: Pair) -> int | None:
    same = (row.id for row in rows if pair_of(row.provincename, row.cityname) == pair)
    return min(same, default=None)
