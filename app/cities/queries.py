"""Who may read cities, and reading one: its row and its last change.

Rows are read as plain tuples with the names of `COLUMNS`, never as objects: a list has no use for
them, and they cost several times as much.
"""

import json
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, select

from app.actor import Actor, Role
from app.auth.models import Person
from app.cities.fields import FIELDS, values_of
from app.cities.models import City
from app.cities.rules import shown_name
from app.current import settings
from app.database.engine import db
from app.errors import Unauthorized
from app.history.queries import last_entry

CityRow = Row[*tuple[Any, ...]]
COLUMNS = (
    City.id,
    *(getattr(City, field.column) for field in FIELDS),
    City.version,
    City.created_at,
    City.changed_at,
    City.province_key,
    City.city_key,
)


def may_read_cities(actor: Actor) -> bool:
    """True for members and the operator, and for everybody where PUBLIC_READ opens reading."""
    return settings().public_read or actor.has_role(Role.VIEWER)


def check_reader(actor: Actor) -> None:
    if not may_read_cities(actor):
        raise Unauthorized()


def find_city(city_id: int) -> CityRow | None:
    return db.session.execute(select(*COLUMNS).where(City.id == city_id)).first()


def province_names(keys: Select[Any]) -> list[tuple[Any, ...]]:
    """The rows of a query whose first column is City.province_same, in any order, each with the
    name of the province at its end: as its largest city writes it, because a key is not a name to
    show."""
    found = keys.subquery()
    name = (
        select(City.provincename)
        .where(City.province_same == found.c.province_same)
        .order_by(City.usernumber.desc(), City.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return [(*row, shown_name(last)) for *row, last in db.session.execute(select(found, name))]


class LastChange(NamedTuple):
    name: str
    at: datetime


def find_last_change(actor: Actor, row: CityRow) -> LastChange | None:
    """The last change of a city by a person. None if the row has changed since without an entry
    that the actor may see: the original program writes none."""
    entry = last_entry(actor, "city", row.id)
    if entry is None or entry.version != row.version:
        return None
    values = values_of(row)
    recorded = json.loads(entry.after or "{}")
    if any(values.get(name, value) != value for name, value in recorded.items()):
        return None
    name = db.session.scalar(select(Person.name).where(Person.id == entry.actor_id))
    return None if name is None else LastChange(name, entry.at)
