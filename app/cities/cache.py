"""What the register caches: fragments of pages, totals, the names of provinces, statistics.

With many cities totals take long to count, and after every change they would be counted again. So
all processes show the same for half a minute, with its moment; fragments with it expire with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import case, func, select

from app.cities.models import City
from app.cities.rules import sort_key
from app.database.engine import db
from app.database.failures import DATABASE_ERRORS, Kind, classify, report
from app.database.keyset import count_rows
from app.database.service import after_commit
from app.redis.cache import SharedCache
from app.times import now

T = TypeVar("T")

CACHE = SharedCache("gz:cities")
get_or_compute = CACHE.get_or_compute

LARGE = 50_000  # cities; up to here all totals are those of the moment
NEWEST = select(func.max(City.id))  # read from the end of an index
COUNTED = SharedCache("gz:city-totals")  # no change invalidates it


@dataclass(frozen=True)
class Total:
    """How many cities there are. In a large register `counted_at` says when they were counted;
    `is_least` is true if that took too long, and there are more."""

    cities: int
    counted_at: datetime | None = None
    is_least: bool = False

    @property
    def is_large(self) -> bool:
        return self.is_least or self.cities > LARGE


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


def count_cities() -> Total:
    """The total: of a register with small ids, from one statement."""
    is_small = func.coalesce(NEWEST.scalar_subquery(), 0) <= LARGE
    exactly = select(func.count()).select_from(City).scalar_subquery()
    small = db.session.scalar(select(case((is_small, exactly))))
    if small is not None:
        return Total(small)
    found = read_counted()
    return found if found.is_large else Total(count_rows(City))


def read_counted() -> Total:
    """The total as it was within the last half minute."""
    return COUNTED.get_or_compute("cities", Total, count_many)


def count_many() -> Total:
    try:
        return Total(count_rows(City), now())
    except DATABASE_ERRORS as error:
        db.session.rollback()
        if classify(error) is not Kind.TOO_LONG:
            raise
        report(error, "cities were not counted")
        return Total(LARGE, now(), is_least=True)


def compute_total(key: str, shape: type[T], compute: Callable[[], T]) -> T:
    """What `compute` returns; in a large register, what it returned within the last half minute."""
    if (db.session.scalar(NEWEST) or 0) > LARGE and read_counted().is_large:
        return COUNTED.get_or_compute(key, shape, compute)
    return compute()
