"""Search keys: fills them in for rows that other programs wrote, keeps them by the present rules,
and finds cities of one name by them."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from sqlalchemy import bindparam, select, union_all, update

from app.cities.models import City
from app.cities.rules import keys, pair_of, sort_key
from app.concurrency import yield_to_hub
from app.database.engine import db
from app.database.failures import tolerated
from app.database.service import unrecorded
from app.errors import Locked

FILL_BATCH, FILL_BATCHES = 500, 40
ALIKE_MOST = 500

# Rows whose keys are due: the original program inserted or renamed them, or the previous release,
# which does not know the last key, inserted them. Each condition has an index.
DUE = (City.keys_due, City.province_same.is_(None))
# The rows that may be the same city: those with the same keys, and those whose keys are due (many
# only between a large insert by the original program and the next search).
NAMES = select(City.id, City.provincename, City.cityname).limit(ALIKE_MOST)
ALIKE = union_all(
    select(
        NAMES.where(
            City.city_key == bindparam("city_key"), City.province_key == bindparam("province_key")
        ).subquery()
    ),
    *(select(NAMES.where(condition).subquery()) for condition in DUE),
)
KEYS = tuple(getattr(City, name) for name in keys(None, None))
KEYED = select(City.id, City.provincename, City.cityname, *KEYS)


def fill_keys() -> None:
    """Fill in the keys that are due: mostly none, which is a look into two indexes. Bounded to a
    second or two after a large insert: the next search continues with the rest, and with rows that
    are locked now. It is part of a read, which would not find these rows otherwise."""
    due = union_all(*(select(select(City.id).where(each).limit(1).subquery()) for each in DUE))
    with tolerated("search keys were not filled in"):
        for _round in range(FILL_BATCHES):
            if db.session.scalar(due) is None:
                return
            fill_batch()


@unrecorded
def fill_batch() -> None:
    for condition in DUE:
        query = KEYED.where(condition).limit(FILL_BATCH)
        update_keys(changed_keys(db.session.execute(query.with_for_update()).all()))


def refresh_keys() -> None:
    """Compare the keys of all rows with the rules of this release, and store those that differ:
    after an upgrade, and for rows that the previous release wrote during it. A batch at a time,
    each in a short transaction; rows that are locked now are left to the next time."""
    last: int | None = 0
    while last is not None:
        last = refresh_batch(last)
        yield_to_hub()


class KeyWalk:
    """Refreshes the keys of the whole register again and again, a batch at a time: of 170,000 rows
    within an hour."""

    def __init__(self) -> None:
        self.last = 0

    def step(self) -> None:
        self.last = refresh_batch(self.last) or 0


def refresh_batch(after: int) -> int | None:
    """Refresh the keys of the rows behind an id; returns the last id, or None at the end."""
    query = KEYED.where(City.id > after).order_by(City.id).limit(FILL_BATCH)
    rows = db.session.execute(query).all()
    db.session.rollback()
    if changes := changed_keys(rows):
        # A row that is renamed in the meantime has the keys of its old name: they are due.
        with suppress(Locked):
            store_keys(changes)
    return rows[-1].id if len(rows) == FILL_BATCH else None


def changed_keys(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """The keys of those rows that have others, with their ids."""
    found = []
    for row in rows:
        right = keys(row.provincename, row.cityname)
        if any(getattr(row, name) != value for name, value in right.items()):
            found.append({"id": row.id, **right})
    return found


@unrecorded
def store_keys(changes: list[dict[str, Any]]) -> None:
    update_keys(changes)


def update_keys(changes: list[dict[str, Any]]) -> None:
    if changes:
        db.session.execute(update(City), changes)


def find_same(province: str, city: str, other_than: int | None = None) -> int | None:
    """The smallest id of a city that has these names, as pair_of() compares them."""
    pair = pair_of(province, city)
    wanted = {"province_key": sort_key(province), "city_key": sort_key(city)}
    rows = db.session.execute(ALIKE, wanted)
    same = (row.id for row in rows if pair_of(row.provincename, row.cityname) == pair)
    return min((city_id for city_id in same if city_id != other_than), default=None)
