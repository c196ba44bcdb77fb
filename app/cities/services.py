"""Adding, changing, removing and restoring cities, and the sample cities."""

import csv
from typing import Any, NamedTuple

from sqlalchemy import func, insert, null, select
from sqlalchemy.exc import IntegrityError

from app.actor import Actor, Role
from app.cities import cache, queries
from app.cities.details.merging import Merge, form_version, merge
from app.cities.fields import CSV_FIELDS, FIELDS, Input, Values, columns_of, values_of
from app.cities.models import KIND, City, RemovedCity
from app.cities.name_locks import lock_names
from app.cities.queries import check_reader
from app.cities.rules import check_city, names_of, row_of, search_keys
from app.cities.search_keys import find_existing, find_same
from app.config import ROOT
from app.database.engine import db, release_connection
from app.database.failures import violates
from app.database.idempotency import hash_key, store_key
from app.database.service import permitted, service
from app.errors import Conflict, Invalid, NotFound
from app.history.queries import find_removal
from app.history.services import Change, changed_fields, new_batch_id, record
from app.removed.period import restorable_since
from app.text import N_
from app.times import now

SAMPLE = ROOT / "app" / "cities" / "sample-cities.csv"
SAMPLE_COUNT = 418
INSERT = insert(City.__table__)  # rows, not objects: they cost less


class AlreadyThere(Invalid):
    """A city with this name exists in this province. Another can be added nevertheless."""

    def __init__(self, city_id: int) -> None:
        self.city_id = city_id
        self.details = {"id": city_id}
        super().__init__(N_("A city with this name already exists in this province."))


class RestoredCity(NamedTuple):
    """A restored city, and the id of another one with its names if there is one."""

    id: int
    name: str
    same_id: int | None


class SavedCity(NamedTuple):
    """The entry of a change, by which it can be undone; None if there was nothing to change.
    `merged` is True if others had changed the city since the form was opened."""

    entry_id: int | None = None
    merged: bool = False


class Outdated(Conflict):
    """The row changed since the form was opened."""

    text = N_("This city was changed since you opened the form. Nothing was saved.")

    def __init__(self, row: Any, merged: Values) -> None:
        values = {field.sent_as: getattr(row, field.column) for field in FIELDS}
        self.details = {"version": form_version(row), "values": values}
        self.merged = merged  # what was typed, and what is saved in fields that the form left alone
        super().__init__()


class Unversioned(Outdated):
    """The form does not say which state of the row it began with, as that of the original."""

    status = 428
    text = N_(
        "The form does not say which state of the city it began with. Nothing was saved. "
        "Send it again with its present version."
    )


def load_city(actor: Actor, city_id: int) -> queries.CityRow:
    check_reader(actor)
    row = queries.find_city(city_id)
    release_connection()
    if row is None:
        raise missing()
    return row


def missing() -> NotFound:
    return NotFound(N_("This city is not in the register. It may have been removed."))


@service(Role.EDITOR)
def create_city(actor: Actor, given: Input, *, key: str | None = None, anyway: bool = False) -> int:
    """Add a city and return its id; for an idempotency key and values that were sent before, the
    id of the city added then, unless it was removed. AlreadyThere if there is one with these
    names, unless `anyway`."""
    values = check_city(given)
    names = names_of(values)
    lock_names([names])
    form_key = hash_key(actor.id, key, values.values()) if key else ""
    existing = find_existing(*names, form_key, anyway)
    if existing.added is not None:
        return existing.added
    if existing.same is not None:
        raise AlreadyThere(existing.same)
    city_id = insert_city(actor, values)
    if form_key:
        store_key(form_key, city_id, replace=existing.sent_before)
    return city_id


def insert_city(actor: Actor, values: Values) -> int:
    """Insert and record the city, within a running service."""
    moment = now()
    row = {**row_of(values), "version": 1, "created_at": moment, "changed_at": moment}
    inserted: Any = db.session.execute(INSERT, row)
    city_id: int = inserted.inserted_primary_key[0]
    record(actor, "city.create", Change(city_id, after=values, version=1))
    cache.invalidate_province(names_of(values)[0])
    return city_id


def refuse_same(values: Values, anyway: bool, other_than: int) -> None:
    """AlreadyThere if another row has these names."""
    same = None if anyway else find_same(*names_of(values), other_than)
    if same is not None:
        raise AlreadyThere(same)


@service(Role.EDITOR)
def update_city(
    actor: Actor, city_id: int, version: str | None, given: Input, *, anyway: bool = False
) -> SavedCity:
    """Change a city to these values. `version` is form_version() of the state that the form
    showed; Unversioned if the form does not say. If the row is in another state by now, only what
    the form changed is saved; Outdated if others have changed the same."""
    row = lock_city(city_id)
    mine = check_city(given)
    if values_of(row) == mine:
        return SavedCity()
    if not version:
        raise Unversioned(row, mine)
    is_current = form_version(row) == version
    merged = Merge(mine) if is_current else merge(row, version, mine)
    if merged.conflicts:
        raise Outdated(row, merged.values)
    entry_id = save_row(actor, row, check_city(merged.values), anyway)
    return SavedCity(entry_id, not is_current)


def save_row(actor: Actor, row: City, values: Values, anyway: bool) -> int | None:
    """Give a locked row these values and record it; returns the id of the entry."""
    before, after = changed_fields(values_of(row), values)
    if not after:
        return None
    if {"province", "city"} & set(after):
        lock_names([names_of(values)])
        refuse_same(values, anyway, row.id)
    write_row(row, values)
    return record(actor, "city.update", Change(row.id, before, after, row.version))


def write_row(row: City, values: Values) -> None:
    """Give a locked row these values, within a running service."""
    former = row.provincename
    row.version += 1
    row.changed_at = now()
    for column, value in row_of(values).items():
        setattr(row, column, value)
    cache.invalidate_province(former, row.provincename)


def lock_city(city_id: int) -> City:
    """The row, locked until the running service ends; NotFound without one."""
    row = db.session.get(City, city_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise missing()
    return row


@service(Role.EDITOR)
def delete_city(actor: Actor, city_id: int) -> tuple[int, str]:
    """Remove a city. Returns the id under which it can be restored, and its name."""
    removed = remove_row(actor, lock_city(city_id))
    return removed.id, removed.cityname or ""


def remove_row(actor: Actor, row: City, reverts_id: int | None = None) -> RemovedCity:
    """Remove a locked row and record it, within a running service."""
    removed = RemovedCity(
        city_id=row.id,
        removed_by=actor.name,
        removed_at=now(),
        search_key=search_keys(row.provincename, row.cityname)["search_key"],
        **restorable_columns(row),
    )
    db.session.add(removed)
    db.session.delete(row)
    db.session.flush()
    change = Change(removed.city_id, values_of(removed), None, removed.version)
    record(actor, "city.delete", change, reverts_id=reverts_id)
    cache.invalidate_province(removed.provincename)
    return removed


@service(Role.EDITOR)
def restore_city(actor: Actor, removed_id: int) -> RestoredCity:
    """Restore a removed city under its id, also if another one has its names now. NotFound if that
    was done already or the city was removed too long ago."""
    removed = lock_removed(removed_id)
    if removed is None:
        raise NotFound(N_("This is already undone, or it was too long ago."))
    return restore_row(actor, removed)


def lock_removed(removed_id: int) -> RemovedCity | None:
    """The removed city, locked until the running service ends; None if it cannot be restored any
    more."""
    row = db.session.get(RemovedCity, removed_id, with_for_update=True, populate_existing=True)
    return None if row is None or row.removed_at <= restorable_since(KIND) else row


def restore_row(actor: Actor, removed: RemovedCity) -> RestoredCity:
    """Restore a locked removed city and record it, within a running service."""
    values = values_of(removed)
    lock_names([(removed.provincename, removed.cityname)])
    row = City(id=removed.city_id, **row_of(values) | restorable_columns(removed))
    db.session.delete(removed)
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError as error:
        if not violates(error, "pk_city"):
            raise
        taken = N_("Another city has this id now, so this one cannot be restored.")
        raise Conflict(taken) from None
    record(
        actor,
        "city.restore",
        Change(row.id, None, values, row.version),
        reverts_id=find_removal("city", row.id, removed.removed_at),
    )
    cache.invalidate_province(row.provincename)
    same_id = find_same(row.provincename or "", row.cityname or "", other_than=row.id)
    return RestoredCity(row.id, row.cityname or "", same_id)


def restorable_columns(row: City | RemovedCity) -> dict[str, Any]:
    """What a city has both in the register and among removed cities."""
    names = ("version", "created_at", "changed_at")
    # Unknown times stay unknown: for None, the database would fill in the present time.
    more = {name: getattr(row, name) or null() for name in names}
    return columns_of(values_of(row)) | more


def is_empty() -> bool:
    return db.session.scalar(select(City.id).limit(1)) is None


@permitted(Role.EDITOR)
def add_sample_cities(actor: Actor) -> int:
    return store_sample_cities(actor, read_sample())


@service(Role.EDITOR)
def store_sample_cities(actor: Actor, sample: list[Values]) -> int:
    """Store the sample cities that were read before this transaction."""
    return insert_sample_cities(actor, sample)


def read_sample() -> list[Values]:
    """The sample cities (GeoNames, CC BY 4.0), the largest first. Called before a transaction
    begins: reading the file would make all other writers wait."""
    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(line for line in file if not line.startswith("#"))
        return [check_city({f.name: line.get(f.headers[0]) for f in CSV_FIELDS}) for line in lines]


def insert_sample_cities(actor: Actor, sample: list[Values]) -> int:
    """Insert the sample cities within a running service. The largest is added last, so that it is
    at the top of a new list."""
    lock_names(map(names_of, sample))
    newest, moment = newest_id(), now()
    more = {"version": 1, "created_at": moment, "changed_at": moment}
    db.session.execute(INSERT, [row_of(values) | more for values in reversed(sample)])
    # MySQL does not return the ids of many rows. Their names say which of the new ones is which.
    added = select(City.id, City.provincename, City.cityname).where(City.id > newest)
    ids = {(province, city): row_id for row_id, province, city in db.session.execute(added)}
    changes = (Change(ids[names_of(values)], after=values, version=1) for values in sample)
    record(actor, "city.create", *changes, batch_id=new_batch_id())
    cache.invalidate_all()
    return len(sample)


def newest_id() -> int:
    return db.session.scalar(select(func.max(City.id))) or 0
