"""Lists of removed things, the last removed first. A package brings the rows, each with the columns
`id` and `removed_at` of its table, which has an index of the second."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Row

from app.database import keyset
from app.database.cursor import Cursor, Sort, read_moment
from app.database.engine import db
from app.database.keyset import Listing, Page, Query, count_some, seek

RemovedRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class RemovedListing(Listing):
    """Order and search; the SORTS of a kind are by_removal() of its column."""

    sort: str = "removed"
    descending: bool = True
    search: str = ""


def by_removal(removed_at: Any) -> dict[str, Sort]:
    return {"removed": Sort(read_moment, True, column=removed_at)}


def select_page(
    query: Query, listing: RemovedListing, conditions: Sequence[ColumnElement[bool]], cursor: Cursor
) -> tuple[Page[RemovedRow], int | None]:
    """The page at a cursor, and how many the list has (None for more than COUNT_MOST)."""
    table = listing.column.class_
    # MariaDB may prefer to sort the whole table.
    index = f"FORCE INDEX (ix_{table.__tablename__}_removed_at)"
    query = query.where(*conditions).with_hint(table, index, dialect_name="mysql")
    total = count_some(table.id, conditions)
    page = keyset.select_page(
        partial(read_rows, query, listing),
        partial(keyset.cursor_at, listing),
        cursor,
        listing.size,
        total,
    )
    return page, total


def read_rows(
    query: Query, listing: RemovedListing, cursor: Cursor, limit: int
) -> Sequence[RemovedRow]:
    """Up to `limit` rows from a cursor on, in reading direction."""
    columns = [listing.column, listing.column.class_.id]
    after = None if cursor.id is None else [cursor.value, cursor.id]
    descending = listing.descending == cursor.forward  # going back, the order is reversed
    return db.session.execute(seek(query, columns, after, descending).limit(limit)).all()
