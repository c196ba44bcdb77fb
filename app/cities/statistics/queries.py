"""Reading the statistics."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from app.actor import Actor
from app.cities import cache
from app.cities.models import City
from app.cities.rules import check_reader
from app.cities.search_keys import fill_keys
from app.database.engine import db

PROVINCES_SHOWN = 30
LARGEST_SHOWN = 10
# A decimal on MariaDB; the sum of no rows is NULL.
USERS: ColumnElement[Any] = func.coalesce(func.sum(City.usernumber), 0)


@dataclass(frozen=True)
class Statistics:
    """Plain values, cached as JSON. A province is (name, users, cities); a city is (id, name,
    province, users). `nowhere` is users and number of the cities without a province, `unnumbered`
    how many cities have no number of users."""

    cities: int
    users: int
    unnumbered: int
    province_count: int
    provinces: list[tuple[str, int, int]]
    nowhere: tuple[int, int]
    largest: list[tuple[int, str, str, int]]

    @property
    def rest(self) -> tuple[int, int, int]:
        """The provinces that are not shown: how many, their users and their cities."""
        users, cities = self.nowhere
        return (
            self.province_count - len(self.provinces),
            self.users - users - sum(row[1] for row in self.provinces),
            self.cities - cities - sum(row[2] for row in self.provinces),
        )

    @property
    def longest(self) -> int:
        """The users of the province with the longest bar; at least one."""
        shown = [row[1] for row in self.provinces] + [self.nowhere[0]]
        return max(1, *shown)


def read_statistics(actor: Actor) -> Statistics:
    """The statistics, cached until a city is changed here, and for half a minute at most."""
    check_reader(actor)
    return cache.get_or_compute("glance", Statistics, compute_statistics)


def compute_statistics() -> Statistics:
    """The statistics from the database; rows of the original program may lack name or number."""
    empty_names = read_empty_names()
    named = and_(City.provincename.is_not(None), City.provincename.not_in(empty_names))
    unnamed = or_(City.provincename.is_(None), City.provincename.in_(empty_names))
    cities, users, unnumbered, province_count = read_totals(named)
    nowhere = db.session.execute(select(USERS, func.count()).where(unnamed)).one()
    return Statistics(
        cities=cities,
        users=users,
        unnumbered=unnumbered,
        province_count=province_count,
        provinces=read_provinces(named),
        nowhere=(int(nowhere[0]), nowhere[1]),
        largest=read_largest(),
    )


def read_empty_names() -> list[str]:
    """The names of provinces without a visible character, found by their empty key, because
    databases differ on what a space is. The other queries compare names: their index has no key."""
    fill_keys()
    is_empty = and_(City.province_key == "", City.provincename.is_not(None))
    return list(db.session.scalars(select(City.provincename).where(is_empty).distinct()))


def read_totals(named: ColumnElement[bool]) -> tuple[int, int, int, int]:
    """The numbers of cities, of users, of cities without a number, and of named provinces."""
    cities, users, numbered = db.session.execute(
        select(func.count(), USERS, func.count(City.usernumber)).select_from(City)
    ).one()
    names = select(City.provincename).where(named).distinct().subquery()
    provinces = db.session.scalar(select(func.count()).select_from(names))
    return cities, int(users), cities - numbered, provinces or 0


def read_provinces(named: ColumnElement[bool]) -> list[tuple[str, int, int]]:
    """The provinces with most users. If only one more is left, it is shown too."""
    query = (
        select(City.provincename, USERS, func.count())
        .where(named)
        .group_by(City.provincename)
        .order_by(USERS.desc(), City.provincename)
        .limit(PROVINCES_SHOWN + 2)
    )
    rows = [(name or "", int(users), cities) for name, users, cities in db.session.execute(query)]
    return rows if len(rows) <= PROVINCES_SHOWN + 1 else rows[:PROVINCES_SHOWN]


def read_largest() -> list[tuple[int, str, str, int]]:
    query = (
        select(City.id, City.cityname, City.provincename, City.usernumber)
        .where(City.usernumber.is_not(None))
        .order_by(City.usernumber.desc(), City.id.desc())
        .limit(LARGEST_SHOWN)
    )
    return [
        (city_id, name or "", province or "", users or 0)
        for city_id, name, province, users in db.session.execute(query)
    ]
