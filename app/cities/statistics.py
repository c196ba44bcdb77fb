"""The register at a glance: totals, users by province, the largest cities."""

from dataclasses import dataclass
from typing import Any, Literal

from babel.numbers import format_compact_decimal
from flask import url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, func, or_, select

from app.actor import Actor
from app.cities import cache
from app.cities.models import City
from app.cities.rules import check_reader
from app.cities.search_keys import fill_keys
from app.database.engine import db
from app.web.formatting import format_number

PROVINCES_SHOWN = 30
LARGEST_SHOWN = 10
COMPACT_FROM = 10_000
# MariaDB answers a decimal, and both answer null for no row at all.
USERS: ColumnElement[Any] = func.coalesce(func.sum(City.usernumber), 0)


@dataclass(frozen=True)
class Statistics:
    """Totals of the register, as plain values that are cached as JSON. A province is (name, users,
    cities), a city (id, name, province, users). `nowhere` is users and number of the cities
    without a province, `unnumbered` how many cities have no number of users."""

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
    """The totals from the cache: at most half a minute old, or from the last change on."""
    check_reader(actor)
    return cache.get_or_compute("glance", Statistics, compute_statistics)


def compact(value: int) -> str:
    """A large number in words: 742.4 million, 7.4亿. Empty for one that is short in digits."""
    if abs(value) < COMPACT_FROM:
        return ""
    locale = get_locale()
    style: Literal["long", "short"] = "long"
    if style not in locale.compact_decimal_formats:
        style = "short"  # Chinese has only this one
    return format_compact_decimal(value, format_type=style, locale=locale, fraction_digits=1)


def province_bars(figures: Statistics) -> list[dict[str, Any]]:
    """The rows of the chart; the last is that of cities without a province."""
    rows = [
        province_bar(figures, name, users, cities, url_for("cities.list_cities", province=name))
        for name, users, cities in figures.provinces
    ]
    if figures.nowhere[1]:
        url = url_for("cities.list_cities", flawed=1)
        rows.append(province_bar(figures, _("No province"), *figures.nowhere, url))
    return rows


def province_bar(
    figures: Statistics, name: str, users: int, cities: int, url: str
) -> dict[str, Any]:
    """One row of the chart."""
    title = ngettext(
        "%(name)s: %(users)s users in %(count)s city",
        "%(name)s: %(users)s users in %(count)s cities",
        cities,
        name=name,
        users=format_number(users),
        count=format_number(cities),
    )
    return {
        "name": name,
        "value": format_number(users),
        "cities": format_number(cities),
        "share": round(100 * max(0, users) / figures.longest, 2),
        "url": url,
        "title": title,
    }


def compute_statistics() -> Statistics:
    """The totals from the database; rows of the original program may lack name or number."""
    blank_names = read_blank_provinces()
    named = and_(City.provincename.is_not(None), City.provincename.not_in(blank_names))
    unnamed = or_(City.provincename.is_(None), City.provincename.in_(blank_names))
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


def read_blank_provinces() -> list[str]:
    """The names of provinces without a visible character. They are found by their empty key,
    because databases differ on what a space is. The queries for totals compare names, because they
    read an index that has the name and not the key."""
    fill_keys()
    is_blank = and_(City.province_key == "", City.provincename.is_not(None))
    return list(db.session.scalars(select(City.provincename).where(is_blank).distinct()))


def read_totals(named: ColumnElement[bool]) -> tuple[int, int, int, int]:
    """The numbers of cities, of users, of cities without a number, and of named provinces."""
    cities, users, numbered = db.session.execute(
        select(func.count(), USERS, func.count(City.usernumber)).select_from(City)
    ).one()
    names = select(City.provincename).where(named).distinct().subquery()
    provinces = db.session.scalar(select(func.count()).select_from(names))
    return cities, int(users), cities - numbered, provinces or 0


def read_provinces(named: ColumnElement[bool]) -> list[tuple[str, int, int]]:
    """The provinces with most users: name, users, cities. If only one is left over, it is shown
    too."""
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
    """The largest cities: id, name, province, users."""
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
