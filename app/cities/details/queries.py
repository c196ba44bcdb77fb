"""A city among the others: the totals of its province, its place by users."""

import hashlib
from dataclasses import dataclass
from functools import partial

from sqlalchemy import func, select

from app.actor import Actor
from app.cities import cache
from app.cities.models import City
from app.cities.queries import CityRow, check_reader
from app.cities.rules import province_same
from app.database.engine import db
from app.database.keyset import count_some


@dataclass(frozen=True)
class ProvinceTotals(cache.Totals):
    """The cities of a province, and their users."""

    users: int = 0


def read_province(actor: Actor, row: CityRow) -> ProvinceTotals | None:
    """The totals of a city's province, cached as those of the register; None without a province."""
    check_reader(actor)
    key = province_same(row.provincename)
    if not key:
        return None
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    name = f"province:{digest}"
    parts = [cache.part_of(row.provincename)]
    return cache.read_total(name, ProvinceTotals, partial(sum_province, key), parts)


def sum_province(key: str) -> ProvinceTotals:
    """The sums, from an index alone."""
    sums = select(func.count(), func.sum(City.usernumber))
    cities, users = db.session.execute(sums.where(City.province_same == key)).one()
    return ProvinceTotals(cities, users=int(users or 0))


def find_place(actor: Actor, row: CityRow) -> int | None:
    """The place of a city by users, beginning with 1; None for one far down, or without a
    number."""
    check_reader(actor)
    if row.usernumber is None:
        return None
    larger = count_some(City.id, [City.usernumber > row.usernumber])
    return None if larger is None else larger + 1
