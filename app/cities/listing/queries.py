"""Reading the list: pages by key, batches for an export, totals.

A page is found by key, see app/database/keyset.py. Rows without a value come last in both
directions: they are a second segment with a query of its own, which is also read by an index.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from sqlalchemy import ColumnElement, or_, select

from app.actor import Actor
from app.cities.listing.provinces import in_province
from app.cities.listing.words import has_words
from app.cities.models import City
from app.cities.queries import COLUMNS, CityRow, check_reader, province_names
from app.cities.search_keys import fill_keys
from app.database import keyset
from app.database.cursor import BY_ID, FIRST, Cursor, Sort, read_integer, read_moment, read_text
from app.database.engine import db, release_connection
from app.database.keyset import (
    Listing,
    Page,
    Query,
    count_rows,
    count_some,
    nulls_last,
    read_segments,
    seek_by_id,
)

PROVINCES_MOST = 200
BATCH_SIZE = 500


@dataclass(frozen=True)
class CityListing(Listing):
    """Filters and order. Nothing set is the whole register, newest first."""

    SORTS: ClassVar = {
        "id": BY_ID,
        "city": Sort(read_text, column=City.city_key),
        "province": Sort(read_text, column=City.province_key),
        "users": Sort(read_integer, True, column=City.usernumber),
        "changed": Sort(read_moment, True, column=City.changed_at),
    }

    sort: str = "id"
    descending: bool = True
    search: str = ""
    province: str = ""
    flawed: bool = False
    no_province: bool = False


def select_page(
    actor: Actor,
    listing: CityListing,
    cursor: Cursor = FIRST,
    total: int | None = None,
) -> Page[CityRow]:
    check_reader(actor)
    fill_needed_keys(listing)
    return keyset.select_page(
        partial(read_rows, listing), partial(keyset.cursor_at, listing), cursor, listing.size, total
    )


def batches(actor: Actor, listing: CityListing, size: int = BATCH_SIZE) -> Iterator[list[CityRow]]:
    """All rows of a listing, in its order, `size` at a time. Each batch is a short transaction of
    its own, and no connection is held between them: one long read would make every change of the
    table wait. Not a snapshot: concurrent changes may or may not be included."""
    check_reader(actor)  # now, not when the first batch is read
    return read_batches(listing, size)


def read_batches(listing: CityListing, size: int) -> Iterator[list[CityRow]]:
    """The batches of an actor who may read them."""
    fill_needed_keys(listing)
    cursor = FIRST
    while rows := read_rows(listing, cursor, size):
        release_connection()
        yield rows
        if len(rows) < size:
            return
        cursor = keyset.cursor_at(listing, rows[-1], True, None)


def fill_needed_keys(listing: CityListing) -> None:
    """Fill in search keys that are due where the original program wrote, if the listing reads
    them."""
    if listing.is_filtered or listing.sort in ("city", "province"):
        fill_keys()


def read_rows(listing: CityListing, cursor: Cursor, limit: int) -> list[CityRow]:
    """Up to `limit` rows from a cursor on, in reading direction, over both segments."""
    return read_segments(segments(listing, cursor), limit)


def segments(listing: CityListing, cursor: Cursor) -> Iterator[Query]:
    """The queries whose rows, one after another, are the listing from the cursor on."""
    query: Query = select(*COLUMNS).where(*filters(listing))
    column = listing.column
    if column is None:
        yield seek_by_id(query, City.id, listing, cursor)
        return
    if not listing.is_filtered:
        # MariaDB may prefer to sort the whole table while it is small.
        index = f"FORCE INDEX (ix_city_{column.key})"
        query = query.with_hint(City, index, dialect_name="mysql")
    # Keys of names without a visible character are empty, not null.
    empty = "" if column.key in ("province_key", "city_key") else None
    yield from nulls_last(query, listing, cursor, empty)


def filters(listing: CityListing) -> list[ColumnElement[bool]]:
    conditions = has_words(listing.search)
    if listing.province:
        conditions.append(in_province(listing.province))
    if listing.no_province:
        conditions.append(City.province_same == "")
    if listing.flawed:
        conditions.append(flawed_rows())
    return conditions


def flawed_rows() -> ColumnElement[bool]:
    """Rows that break today's rules; each part has an index. See rules.is_flawed."""
    return or_(
        City.province_key == "",
        City.city_key == "",
        City.usernumber.is_(None),
        City.usernumber < 0,
    )


def count_filtered(actor: Actor, listing: CityListing) -> int | None:
    """How many rows match the filters; None for more than COUNT_MOST."""
    check_reader(actor)
    fill_needed_keys(listing)
    return count_some(City.id, filters(listing))


def count_all() -> int:
    return count_rows(City)


def list_provinces() -> list[str]:
    """The names of provinces in the order of code points, at most one more than PROVINCES_MOST."""
    fill_keys()
    query = (
        select(City.province_same)
        .where(City.province_same > "")
        .distinct()
        .order_by(City.province_same)
        .limit(PROVINCES_MOST + 1)
    )
    return [name for _key, name in sorted(province_names(query))]


def has_flawed() -> bool:
    return db.session.scalar(select(City.id).where(flawed_rows()).limit(1)) is not None
