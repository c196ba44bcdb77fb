"""What can be done with cities: each verb checks the rules, writes, and commits once."""

import csv
import hashlib
import json
from dataclasses import astuple
from datetime import timedelta
from typing import Protocol

from flask_babel import gettext as _
from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from app.actor import Actor
from app.cities import cache, queries
from app.cities.models import City, RemovedCity
from app.cities.rules import CityFields, check_city, keys
from app.cities.search_keys import find_same
from app.config import ROOT
from app.database.engine import db
from app.database.idempotency import run_once
from app.database.service import after_commit, transaction
from app.errors import Conflict, Invalid, NotFound
from app.times import now

SAMPLE = ROOT / "app" / "cities" / "sample-cities.csv"
SAMPLE_COUNT = 418
REMOVED_KEPT = timedelta(days=30)


class Values(Protocol):
    """A row of the register, read as an object or as a tuple."""

    id: int
    provincename: str | None
    cityname: str | None
    usernumber: int | None
    version: int


class AlreadyThere(Invalid):
    """A city of this province and name is there; that is told, and may be overruled."""

    def __init__(self, city_id: int) -> None:
        self.city_id = city_id
        super().__init__(_("A city of this province and name is already there."))


class Outdated(Conflict):
    """The row changed since the form was made."""


def form_version(row: Values) -> str:
    """What a form carries to say which state of a row it shows. The version alone would not do:
    the original program changes a row without raising it."""
    state = [row.id, row.version, row.provincename, row.cityname, row.usernumber]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:20]


def get_city(city_id: int) -> queries.CityRow:
    """One row; NotFound when there is none."""
    row = queries.find_city(city_id)
    if row is None:
        raise gone()
    return row


def gone() -> NotFound:
    """The refusal for a city that is not there, or no longer."""
    return NotFound(_("This city is not in the register. It may have been removed."))


@transaction
def create_city(
    actor: Actor,
    province: str | None,
    city: str | None,
    users: str | int | None,
    *,
    key: str | None = None,
    anyway: bool = False,
) -> int:
    """Add a city and return its id. With the one-time key of a form that was sent before with the
    same values, that is the id made then, while it is in the register. AlreadyThere when these
    names are there, unless `anyway`."""
    fields = check_city(province, city, users)
    return run_once(
        actor.person_id, key, astuple(fields), lambda: insert_city(fields, anyway), queries.has_city
    )


def insert_city(fields: CityFields, anyway: bool) -> int:
    """The new row, within a running service."""
    refuse_same(fields, anyway)
    row = City(created_at=now(), version=0)
    write(row, fields)
    db.session.add(row)
    db.session.flush()
    return row.id


def refuse_same(fields: CityFields, anyway: bool, other_than: int | None = None) -> None:
    """Tell when another row has these names."""
    same = None if anyway else find_same(fields.province, fields.city, other_than)
    if same is not None:
        raise AlreadyThere(same)


def write(row: City, fields: CityFields) -> None:
    """Put the values and what follows from them into a row."""
    row.provincename, row.cityname, row.usernumber = fields.province, fields.city, fields.users
    for name, value in keys(fields.province, fields.city).items():
        setattr(row, name, value)
    row.version += 1
    row.changed_at = now()
    after_commit(cache.changed)


@transaction
def update_city(
    _actor: Actor,
    city_id: int,
    version: str | None,
    province: str | None,
    city: str | None,
    users: str | int | None,
    *,
    anyway: bool = False,
) -> None:
    """Change a city to these values. `version` is form_version() of the state that the form
    showed; Outdated when the row is no longer in it, or when the form does not say."""
    row = lock_city(city_id)
    fields = check_city(province, city, users)
    present = (row.provincename, row.cityname, row.usernumber)
    if present == (fields.province, fields.city, fields.users):
        return
    if form_version(row) != version:
        raise Outdated(_("This city was changed since you opened the form. Nothing was saved."))
    if present[:2] != (fields.province, fields.city):
        refuse_same(fields, anyway, city_id)
    write(row, fields)


def lock_city(city_id: int) -> City:
    """A row that nobody else changes until the running service ends. On SQLite the transaction
    itself does so, on MariaDB SELECT ... FOR UPDATE."""
    row = db.session.get(City, city_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise gone()
    return row


@transaction
def delete_city(actor: Actor, city_id: int) -> tuple[int, str]:
    """Remove a city. Returns the id under which it can be put back, and its name."""
    row = lock_city(city_id)
    removed = RemovedCity(city_id=row.id, removed_by=actor.name, removed_at=now())
    copy_values(row, removed)
    db.session.add(removed)
    db.session.delete(row)
    db.session.flush()
    after_commit(cache.changed)
    if removed.id % 20 == 0:  # a transaction of its own, so that removals do not wait for another
        after_commit(delete_old_removed)
    return removed.id, removed.cityname or ""


@transaction
def delete_old_removed() -> None:
    """Forget what was removed so long ago that nobody will put it back."""
    db.session.execute(delete(RemovedCity).where(RemovedCity.removed_at < now() - REMOVED_KEPT))


@transaction
def restore_city(_actor: Actor, removed_id: int) -> tuple[int, str]:
    """Put a removed city back under its id; returns id and name. NotFound when it is back already
    or was removed too long ago."""
    removed = db.session.get(RemovedCity, removed_id, with_for_update=True, populate_existing=True)
    if removed is None:
        raise NotFound(_("This is already undone, or it was too long ago."))
    row = City(id=removed.city_id, **keys(removed.provincename, removed.cityname))
    copy_values(removed, row)
    db.session.delete(removed)
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict(
            _("Another city has this number now, so it cannot be brought back.")
        ) from None
    after_commit(cache.changed)
    return row.id, row.cityname or ""


def copy_values(source: City | RemovedCity, target: City | RemovedCity) -> None:
    """The values that a row keeps when it is removed and put back."""
    for name in (
        "provincename", "cityname", "usernumber", "version", "created_at", "changed_at",
    ):  # fmt: skip
        setattr(target, name, getattr(source, name))


def is_empty() -> bool:
    """Whether the register has no row at all."""
    return db.session.scalar(select(City.id).limit(1)) is None


@transaction
def add_sample_cities() -> int:
    """Add the sample cities and return how many they are."""
    return insert_sample_cities(Actor.operator())


def insert_sample_cities(_actor: Actor) -> int:
    """Within a running service: add the sample cities (GeoNames, CC BY 4.0) and return how many
    they are. The largest comes first in the file and is added last, so that it is at the top of a
    new list."""
    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        rows = [
            {
                "provincename": row["provincename"],
                "cityname": row["cityname"],
                "usernumber": int(row["usernumber"]),
                **keys(row["provincename"], row["cityname"]),
            }
            for row in csv.DictReader(line for line in file if not line.startswith("#"))
        ]
    db.session.execute(insert(City), rows[::-1])
    after_commit(cache.changed)
    return len(rows)
