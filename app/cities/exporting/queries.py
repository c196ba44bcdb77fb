"""Reading a whole list in its order.

Each batch is a short transaction of its own, and no connection is held between them: one long read
would make every change of the table wait. Not a snapshot: changes that others make in the meantime
may or may not be included.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, func, select

from app.actor import Actor
from app.cities import cache
from app.cities.fields import CSV_FIELDS
from app.cities.listing.queries import (
    CityListing,
    filters,
    in_order,
    read_among,
    read_hits,
    with_index,
)
from app.cities.models import City
from app.cities.queries import CityRow, check_reader
from app.concurrency import yield_to_hub
from app.database.cursor import FIRST
from app.database.engine import db, release_connection
from app.database.failures import unless_too_long
from app.database.keyset import Query, cursor_at, read_segments

BATCH_SIZE = 500
STREAMED_MOST = 100_000  # rows; the file of more is made by a job


def is_large(actor: Actor, listing: CityListing) -> bool:
    """True if a listing has more than STREAMED_MOST rows, or if that takes long to find out."""
    check_reader(actor)
    total = cache.count_cities()
    if total.is_known and total.cities <= STREAMED_MOST:
        return False
    if not listing.is_filtered:
        return True
    beyond = select(City.id).where(*filters(listing)).offset(STREAMED_MOST).limit(1)
    return unless_too_long(
        lambda: db.session.scalar(beyond) is not None, lambda: True, "an export was not counted"
    )


def count_all(actor: Actor, listing: CityListing) -> int:
    """How many rows a listing has; for a job, which may take its time."""
    check_reader(actor)
    if not listing.is_filtered:
        return cache.count_cities().cities
    found = select(func.count()).select_from(City).where(*filters(listing))
    count: int = db.session.scalar(found) or 0
    release_connection()
    return count


def batches(actor: Actor, listing: CityListing, size: int = BATCH_SIZE) -> Iterator[list[CityRow]]:
    """All rows of a listing, up to `size` at a time. Up to COUNT_MOST rows that filters find are
    one batch."""
    check_reader(actor)  # now, not when the first batch is read
    return read_batches(listing, size)


def read_batches(listing: CityListing, size: int) -> Iterator[list[CityRow]]:
    """The batches of an actor who may read them."""
    ids = read_hits(listing).ids if is_searched(listing) else None
    if ids is None:
        yield from read_all(wanted_query(listing), listing, size)
        if listing.sort in ("city", "province") and not listing.is_filtered:
            yield from read_all(unkeyed_query(listing), CityListing(), size)
    else:
        rows = read_among(ids, listing, FIRST, len(ids))
        release_connection()
        yield rows


def is_searched(listing: CityListing) -> bool:
    """True if no index has its rows, and no others, in its order."""
    return listing.is_filtered and not listing.is_in_index


def read_all(query: Query, listing: CityListing, size: int) -> Iterator[list[CityRow]]:
    """The rows of a listing that has many."""
    cursor = FIRST
    while rows := read_segments(in_order(query, listing, cursor), size):
        release_connection()
        yield_to_hub()
        if wanted := [row for row in rows if row.wanted] if is_searched(listing) else rows:
            yield wanted
        if len(rows) < size:
            return
        cursor = cursor_at(listing, rows[-1], True, None)


def wanted_query(listing: CityListing) -> Query:
    """The rows of a listing. In one that is searched the others are among them, and not `wanted`:
    to skip them, the database would read too many for one statement."""
    columns, conditions = columns_of(listing), filters(listing)
    if listing.is_in_index:
        return select(*columns).where(*conditions)
    if conditions:
        columns.append(and_(*conditions).label("wanted"))
    # MariaDB may prefer to sort the whole table.
    return with_index(
        select(*columns), "PRIMARY" if listing.is_by_id else f"ix_city_{listing.column.key}"
    )


def columns_of(listing: CityListing) -> list[Any]:
    """The columns of a file, and that of the order."""
    names = dict.fromkeys(["id", *(field.column for field in CSV_FIELDS)])
    if listing.column is not None:
        names[listing.column.key] = None
    return [getattr(City, name) for name in names]


def unkeyed_query(listing: CityListing) -> Query:
    """The rows that have no place in the order of a listing yet: another program has just inserted
    them."""
    return select(*columns_of(listing)).where(listing.column.is_(None))
