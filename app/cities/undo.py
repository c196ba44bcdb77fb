"""Undoing changes of cities, as the history offers it.

The row is locked first, then compared: with the history, which names later changes made here, and
with the entry, because the original program changes rows without writing any.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app.actor import Actor, Role
from app.cities.fields import Values, values_of
from app.cities.models import KIND, City, RemovedCity
from app.cities.name_locks import lock_names
from app.cities.queries import COLUMNS
from app.cities.rules import shown_name
from app.cities.search_keys import find_same
from app.cities.services import (
    lock_removed,
    remove_row,
    restore_row,
    write_row,
)
from app.database.engine import db
from app.database.service import service
from app.errors import Conflict
from app.history.models import HistoryEntry
from app.history.queries import CANNOT, CHANGED_SINCE, GONE, check_newest, check_not_undone
from app.history.services import Change, changed_fields, record
from app.removed.period import is_restorable
from app.text import N_, Message


class NameTaken(Conflict):
    """Another city has the former name by now."""

    text = N_("Another city in this province has the former name now, so nothing was undone.")

    def __init__(self, city_id: int) -> None:
        self.details = {"id": city_id}
        super().__init__()


@service(Role.EDITOR)
def undo_change(actor: Actor, entry: HistoryEntry) -> Message:
    """Undo an entry about a city."""
    undo = UNDO.get(entry.action)
    if undo is None:
        raise Conflict(CANNOT)
    return undo(actor, entry)


def undo_update(actor: Actor, entry: HistoryEntry) -> Message:
    """Give the fields that were changed their former values, also if today's rules would not accept
    them."""
    row = lock_row(entry)
    former = {**values_of(row), **recorded(entry.before)}
    before, after = changed_fields(values_of(row), former)
    renamed = bool({"province", "city"} & set(after))
    if renamed:
        lock_names([pair(former)])
    check_unchanged(row, entry)
    same = find_same(*pair(former), other_than=row.id) if renamed else None
    if same is not None:
        raise NameTaken(same)
    write_row(row, former)
    change = Change(row.id, before, after, row.version)
    record(actor, "city.update", change, reverts_id=entry.id)
    return N_("The change of %(name)s was undone.", name=shown_name(row.cityname))


def undo_addition(actor: Actor, entry: HistoryEntry) -> Message:
    """Remove a city that was added or restored."""
    row = lock_row(entry)
    check_unchanged(row, entry)
    removed = remove_row(actor, row, reverts_id=entry.id)
    return N_("%(name)s was removed.", name=shown_name(removed.cityname))


def undo_removal(actor: Actor, entry: HistoryEntry) -> Message:
    """Restore a city, also if another one has its names by now."""
    query = select(RemovedCity.id).where(RemovedCity.city_id == entry.subject_id)
    removed_id = db.session.scalar(query)
    removed = None if removed_id is None else lock_removed(removed_id)
    check_newest(entry)
    if removed is None:
        raise Conflict(N_("This city was deleted permanently and cannot be restored."))
    restored = restore_row(actor, removed)
    if restored.same_id is None:
        return N_("%(name)s was restored.", name=shown_name(restored.name))
    return N_(
        "%(name)s was restored. Another city in this province has the same name.",
        name=shown_name(restored.name),
    )


UNDO: Mapping[str, Callable[[Actor, HistoryEntry], Message]] = {
    "city.create": undo_addition,
    "city.update": undo_update,
    "city.delete": undo_removal,
    "city.restore": undo_addition,
}


def lock_row(entry: HistoryEntry) -> City:
    """The row, locked until the running service ends; Conflict if it is gone."""
    row = db.session.get(City, entry.subject_id, with_for_update=True, populate_existing=True)
    if row is None:
        check_not_undone(entry)
        raise Conflict(GONE)
    return row


def check_unchanged(row: City, entry: HistoryEntry) -> None:
    check_newest(entry)
    if not is_unchanged(row, entry):
        raise Conflict(CHANGED_SINCE)


def is_unchanged(row: Any, entry: HistoryEntry) -> bool:
    """True if a row still is as an entry says, and has all its fields."""
    return row.version == entry.version and recorded(entry.after).items() <= values_of(row).items()


def recorded(text: str | None) -> Values:
    """One side of an entry."""
    values: Values = json.loads(text or "{}")
    return values


def pair(values: Values) -> tuple[str, str]:
    """Province and city, of which rows of the original program may have none."""
    return str(values["province"] or ""), str(values["city"] or "")


def find_undoable(actor: Actor, entries: Sequence[HistoryEntry]) -> Collection[int]:
    """The ids of those entries, each the newest about its city, that the actor can undo now."""
    if not actor.may_write:
        return ()
    ids = [entry.subject_id for entry in entries if entry.action in UNDO]
    query = select(*COLUMNS).where(City.id.in_(ids))
    rows = {row.id: row for row in db.session.execute(query)}
    removed = select(RemovedCity.city_id).where(
        RemovedCity.city_id.in_(ids), is_restorable(KIND, RemovedCity.removed_at)
    )
    restorable = set(db.session.scalars(removed))
    return {
        entry.id
        for entry in entries
        if entry.action in UNDO
        and (
            entry.subject_id in restorable
            if entry.action == "city.delete"
            else entry.subject_id in rows and is_unchanged(rows[entry.subject_id], entry)
        )
    }
