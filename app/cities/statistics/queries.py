"""Reading the statistics."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, func, select

from app.actor import Actor
from app.cities import cache
from app.cities.models import City
from app.cities.queries import check_reader, province_names
from app.cities.rules import shown_name
from app.database.engine import db
from app.database.keyset import count_some

PROVINCES_SHOWN = 30
LARGEST_SHOWN = 10
# So many bars of the chart are cut at most, from how many times the length of the next on, and to
# how many times.
CUT_MOST, CUT_FROM, CUT_LENGTH = 2, 4, 1.25
NAMED = City.province_same > ""
# A decimal on MariaDB; the sum of no rows is NULL.
USERS: ColumnElement[Any] = func.coalesce(func.sum(City.usernumber), 0)


@dataclass(frozen=True)
class Statistics(cache.Totals):
    """Plain values, cached as JSON. A province is (name, users, cities); a city is (id, name,
    province, users). `nowhere` is users and number of the cities without a province, `unnumbered`
    how many cities have no number of users."""

    users: int = 0
    unnumbered: int = 0
    province_count: int = 0
    provinces: list[tuple[str, int, int]] = field(default_factory=list)
    nowhere: tuple[int, int] = (0, 0)
    largest: list[tuple[int, str, str, int]] = field(default_factory=list)

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
        return max(1, *self.bars)

    @property
    def bars(self) -> list[int]:
        """The users of what the chart shows."""
        return [row[1] for row in self.provinces] + [self.nowhere[0]]

    @property
    def scale(self) -> int:
        """What a bar over the whole width stands for. Beside a few that are many times as long as
        the others, those would be stubs: then these few are cut."""
        users = sorted(self.bars, reverse=True)
        for bar, following in pairwise(users[: CUT_MOST + 1]):
            if following > 0 and bar > CUT_FROM * following:
                return ceil(CUT_LENGTH * following)
        return self.longest


def read_statistics(actor: Actor) -> Statistics:
    """The statistics, cached for half a minute; of a register that is not large, until a city is
    changed here."""
    check_reader(actor)
    return cache.read_total("glance", Statistics, compute_statistics)


def count_changed(actor: Actor, since: datetime) -> int | None:
    """How many cities were added or changed since a moment; None for more than COUNT_MOST."""
    check_reader(actor)
    return count_some(City.id, [City.changed_at >= since])


def compute_statistics() -> Statistics:
    """The statistics from the database; rows of the original program may lack name or number."""
    cities, users, unnumbered, province_count = read_totals()
    unnamed = City.province_same == ""
    nowhere = db.session.execute(select(USERS, func.count()).where(unnamed)).one()
    return Statistics(
        cities=cities,
        users=users,
        unnumbered=unnumbered,
        province_count=province_count,
        provinces=read_provinces(),
        nowhere=(int(nowhere[0]), nowhere[1]),
        largest=read_largest(),
    )


def read_totals() -> tuple[int, int, int, int]:
    """The numbers of cities, of users, of cities without a number, and of named provinces."""
    names = select(City.province_same).where(NAMED).distinct().subquery()
    provinces = select(func.count()).select_from(names).scalar_subquery()
    cities, users, numbered, named = db.session.execute(
        select(func.count(), USERS, func.count(City.usernumber), provinces).select_from(City)
    ).one()
    return cities, int(users), cities - numbered, named


def read_provinces() -> list[tuple[str, int, int]]:
    """The provinces with most users. If only one more is left, it is shown too."""
    query = (
        select(City.province_same, USERS.label("users"), func.count().label("cities"))
        .where(NAMED)
        .group_by(City.province_same)
        .order_by(USERS.desc(), City.province_same)
        .limit(PROVINCES_SHOWN + 2)
    )
    found = sorted(province_names(query), key=lambda row: (-row[1], row[0]))
    rows = [(name, int(users), cities) for _key, users, cities, name in found]
    return rows if len(rows) <= PROVINCES_SHOWN + 1 else rows[:PROVINCES_SHOWN]


def read_largest() -> list[tuple[int, str, str, int]]:
    query = (
        select(City.id, City.cityname, City.provincename, City.usernumber)
        .where(City.usernumber.is_not(None))
        .order_by(City.usernumber.desc(), City.id.desc())
        .limit(LARGEST_SHOWN)
    )
    return [
        (city_id, shown_name(name), shown_name(province), users or 0)
        for city_id, name, province, users in db.session.execute(query)
    ]
