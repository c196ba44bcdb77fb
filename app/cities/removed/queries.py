"""Reading removed cities that can be restored: pages of their list, one by the id of the city."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Row, func, select

from app.actor import Actor, Role
from app.cities.listing.words import has_words
from app.cities.models import KIND, RemovedCity
from app.cities.queries import check_reader
from app.database import keyset
from app.database.cursor import Cursor, Sort, read_moment
from app.database.engine import db
from app.database.keyset import Listing, Page, Query, count_some, seek
from app.database.service import permitted
from app.removed.period import is_restorable

RemovedRow = Row[*tuple[Any, ...]]
COLUMNS = [column for column in RemovedCity.__table__.c if column.key != "search_key"]


@dataclass(frozen=True)
class RemovedListing(Listing):
    """Removed cities, the last removed first."""

    SORTS: ClassVar = {"removed": Sort(read_moment, True, column=RemovedCity.removed_at)}

    sort: str = "removed"
    descending: bool = True
    search: str = ""


@permitted(Role.EDITOR)
def select_removed(
    actor: Actor, listing: RemovedListing, cursor: Cursor
) -> tuple[Page[RemovedRow], int | None]:
    """The page at a cursor, and how many the list has (None for more than COUNT_MOST)."""
    conditions = conditions_of(listing)
    total = count_some(RemovedCity.id, conditions)
    page = keyset.select_page(
        partial(read_rows, listing, conditions),
        partial(keyset.cursor_at, listing),
        cursor,
        listing.size,
        total,
    )
    return page, total


def conditions_of(listing: RemovedListing) -> list[ColumnElement[bool]]:
    words = has_words(listing.search, RemovedCity.search_key)
    return [is_restorable(KIND, RemovedCity.removed_at), *words]


def read_rows(
    listing: RemovedListing, conditions: list[ColumnElement[bool]], cursor: Cursor, limit: int
) -> list[RemovedRow]:
    """Up to `limit` rows from a cursor on, in reading direction."""
    query: Query = select(*COLUMNS).where(*conditions)
    # MariaDB may prefer to sort the whole table.
    index = "FORCE INDEX (ix_removed_city_removed_at)"
    query = query.with_hint(RemovedCity.__table__, index, dialect_name="mysql")
    after = None if cursor.id is None else [cursor.value, cursor.id]
    descending = listing.descending == cursor.forward  # going back, the order is reversed
    columns = [RemovedCity.removed_at, RemovedCity.id]
    return list(db.session.execute(seek(query, columns, after, descending).limit(limit)).all())


def find_removed(actor: Actor, city_id: int) -> RemovedRow | None:
    """The removed city of an id; None if there is none that can be restored."""
    check_reader(actor)
    query = select(*COLUMNS).where(RemovedCity.city_id == city_id)
    query = query.where(is_restorable(KIND, RemovedCity.removed_at))
    return db.session.execute(query.order_by(RemovedCity.id.desc()).limit(1)).first()


@permitted(Role.ADMIN, by_token=False)
def count_removed(actor: Actor) -> int:
    """How many cities can be restored, exactly."""
    query = select(func.count()).select_from(RemovedCity)
    return db.session.scalar(query.where(is_restorable(KIND, RemovedCity.removed_at))) or 0


def count_between(after: datetime, until: datetime) -> int:
    """How many cities were removed in a period."""
    query = select(func.count()).select_from(RemovedCity)
    period = (RemovedCity.removed_at > after, RemovedCity.removed_at <= until)
    return db.session.scalar(query.where(*period)) or 0
