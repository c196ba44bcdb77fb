"""What the register caches: fragments of pages, totals, the names of provinces, statistics.

With many cities totals take long to count, and after every change they would be counted again. So
all processes show the same for half a minute, with its moment; fragments with it expire with it.
If they cannot be counted in time, it is the last ones that were counted, for another half minute.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import case, func, select

from app.cities.models import City
from app.cities.rules import sort_key
from app.database.engine import db
from app.database.failures import unless_too_long
from app.database.keyset import COUNT_MOST, count_rows
from app.database.service import after_commit
from app.errors import Unavailable
from app.redis.cache import SharedCache
from app.times import now

CACHE = SharedCache("gz:cities")
get_or_compute = CACHE.get_or_compute

LARGE = 50_000  # cities; up to here all totals are those of the moment
NEWEST = select(func.max(City.id))  # read from the end of an index
COUNTED = SharedCache("gz:city-totals")  # no change invalidates it


@dataclass(frozen=True)
class Totals:
    """How many cities there are; in a subclass, what else is counted of them. `counted_at` is None
    for totals that have all changes, otherwise they are shared. `is_known` is False if counting
    took too long each time: then there are many."""

    cities: int = 0
    counted_at: datetime | None = None
    is_known: bool = True

    @property
    def is_large(self) -> bool:
        return not self.is_known or self.cities > LARGE

    @property
    def is_empty(self) -> bool:
        return self.is_known and not self.cities


T = TypeVar("T", bound=Totals)


def part_of(province: str | None) -> str:
    """The part of the register that has the cities of a province, however it is written. The list
    of one that nobody writes like this has those of the same search key."""
    return f"province {sort_key(province)}"


def invalidate_province(*names: str | None) -> None:
    """The running service changed cities of these provinces: of the one that a city was in, and
    of the one that it is in now."""
    after_commit(partial(CACHE.invalidate, *map(part_of, names)))


def invalidate_all() -> None:
    """The running service changed cities of any provinces."""
    after_commit(CACHE.invalidate)


def count_cities() -> Totals:
    """The total."""
    return count_or_last("cities", Totals, count_now)


def count_now() -> Totals:
    """The total: of a register with small ids, from one statement."""
    is_small = func.coalesce(NEWEST.scalar_subquery(), 0) <= LARGE
    exactly = select(func.count()).select_from(City).scalar_subquery()
    small = db.session.scalar(select(case((is_small, exactly))))
    if small is not None:
        return Totals(small)
    found = read_counted()
    return found if found.is_large else count_all()


def count_all() -> Totals:
    return Totals(count_rows(City))


def read_counted() -> Totals:
    """The total as it was within the last half minute."""
    return read_shared("cities", Totals, count_all)


def read_total(
    key: str, shape: type[T], compute: Callable[[], T], parts: Collection[str] = ()
) -> T:
    """Cached totals of these parts of the register. Those of a large register are shared."""
    compute_now = partial(compute_total, key, shape, compute)
    try:
        return get_or_compute(key, shape, compute_now, parts=parts)
    except Unavailable:  # another request is counting, and has been for long
        return last_totals(key, shape)


def compute_total(key: str, shape: type[T], compute: Callable[[], T]) -> T:
    if (db.session.scalar(NEWEST) or 0) > LARGE and read_counted().is_large:
        return read_shared(key, shape, compute)
    return count_or_last(key, shape, compute)


def read_shared(key: str, shape: type[T], compute: Callable[[], T]) -> T:
    """What `compute` returned within the last half minute. The last totals are shared for as long,
    so that what takes too long is not tried by every request."""
    try:
        return COUNTED.get_or_compute(key, shape, partial(share, key, shape, compute))
    except Unavailable:
        return last_totals(key, shape)


def share(key: str, shape: type[T], compute: Callable[[], T]) -> T:
    totals = count_or_last(key, shape, lambda: replace(compute(), counted_at=now()))
    if totals.cities > COUNT_MOST:  # fewer are counted in time
        COUNTED.store_last(key, totals)
    return totals


def count_or_last(key: str, shape: type[T], compute: Callable[[], T]) -> T:
    """What `compute` returns; the last totals if it takes too long."""
    return unless_too_long(compute, lambda: last_totals(key, shape), "cities were not counted")


def last_totals(key: str, shape: type[T]) -> T:
    """The totals that were shared last; unknown ones if there are none."""
    return COUNTED.read_last(key, shape) or shape(is_known=False)
