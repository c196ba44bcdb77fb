"""What the history says about the changes of a city."""

import json
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from app.auth.models import Person
from app.cities.fields import values_of
from app.cities.queries import CityRow
from app.database.engine import db
from app.history.models import HistoryEntry


class LastChange(NamedTuple):
    """Who changed a city last, and when."""

    name: str
    at: datetime


def find_last_change(row: CityRow) -> LastChange | None:
    """The last change of a city by a person. None if the row has changed since without an entry:
    the original program writes none."""
    query = (
        select(HistoryEntry.version, HistoryEntry.after, Person.name, HistoryEntry.at)
        .join(Person, Person.id == HistoryEntry.actor_id, isouter=True)
        .where(HistoryEntry.subject_kind == "city", HistoryEntry.subject_id == row.id)
        .order_by(HistoryEntry.id.desc())
    )
    entry = db.session.execute(query.limit(1)).first()
    if entry is None or entry.name is None or entry.version != row.version:
        return None
    values = values_of(row)
    recorded = json.loads(entry.after or "{}")
    if any(values.get(name, value) != value for name, value in recorded.items()):
        return None
    return LastChange(entry.name, entry.at)


def find_removal(city_id: int) -> int | None:
    """The id of the history entry of a city's last removal."""
    query = select(HistoryEntry.id).where(
        HistoryEntry.subject_kind == "city",
        HistoryEntry.subject_id == city_id,
        HistoryEntry.action == "city.delete",
    )
    return db.session.scalar(query.order_by(HistoryEntry.id.desc()).limit(1))
