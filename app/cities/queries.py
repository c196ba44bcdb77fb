"""Reading the register: pages by key, batches for an export, totals.

Rows are read as plain tuples with the names of `COLUMNS`, never as objects: a list has no use for
them, and they cost several times as much.

A page is found by key, see app/database/keyset.py. Rows without a value come last in both
directions: they are a second segment with a query of its own, which is also read by an index.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select

from app.cities.fields import FIELDS
from app.cities.listing import SEARCH_WORDS, Listing
from app.cities.models import City
from app.cities.rules import fold_name
from app.cities.search_keys import fill_keys
from app.database import keyset
from app.database.engine import db
from app.database.keyset import FIRST, LAST, Cursor, Page, Query, Value, seek

PAGE_SIZE = 50
COUNT_MOST = 1000
PROVINCES_MOST = 200

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
SORT_COLUMNS: dict[str, Any] = {
    "id": City.id,
    "city": City.city_key,
    "province": City.province_key,
    "users": City.usernumber,
    "changed": City.changed_at,
}


def select_page(listing: Listing, cursor: Cursor = FIRST, size: int = PAGE_SIZE) -> Page[CityRow]:
    """The page at a cursor."""
    if needs_keys(listing):
        fill_keys()
    return keyset.select_page(
        partial(read_rows, listing), partial(cursor_at, listing), cursor, size
    )


def cursor_at(listing: Listing, row: CityRow, forward: bool, place: int | None) -> Cursor:
    """The cursor that goes on from a row, whose own place is `place`."""
    return Cursor(forward, row.id, value_of(listing, row), place)


def value_of(listing: Listing, row: CityRow) -> Value:
    """What a row is sorted by; None in the segment of those without a value, and for the order by
    id, where the id says all."""
    if listing.sort == "id":
        return None
    value: Value = getattr(row, SORT_COLUMNS[listing.sort].key)
    return None if value == "" else value


def batches(listing: Listing, size: int = 1000) -> Iterator[list[CityRow]]:
    """All rows of a listing, in its order, `size` at a time. Each batch is a short transaction of
    its own, and no connection is held between them: one long read would make every change of the
    table wait. So it is no snapshot: what changes meanwhile may be seen or not."""
    if needs_keys(listing):
        fill_keys()
    cursor = FIRST
    while rows := read_rows(listing, cursor, size):
        db.session.rollback()
        yield rows
        if len(rows) < size:
            return
        cursor = cursor_at(listing, rows[-1], True, None)


def read_rows(listing: Listing, cursor: Cursor, limit: int) -> list[CityRow]:
    """Up to `limit` rows from a cursor on, in reading direction, over both segments."""
    rows: list[CityRow] = []
    for query in segments(listing, cursor):
        if len(rows) < limit:
            rows += db.session.execute(query.limit(limit - len(rows))).all()
    return rows


def segments(listing: Listing, cursor: Cursor) -> Iterator[Query]:
    """The queries whose rows, one after another, are the listing from the cursor on."""
    query: Query = select(*COLUMNS).where(*filters(listing))
    descending = listing.descending == cursor.forward  # going back, the order turns round
    if listing.sort == "id":
        yield seek(query, [City.id], None if cursor.id is None else [cursor.id], descending)
        return
    column = SORT_COLUMNS[listing.sort]
    if not listing.is_filtered:
        # MariaDB may take sorting a whole table for cheaper, as long as the table is small.
        index = f"FORCE INDEX (ix_city_{column.key})"
        query = query.with_hint(City, index, dialect_name="mysql")
    at_values = cursor.id is not None and cursor.value is not None
    at_blanks = cursor.id is not None and cursor.value is None
    values = seek(
        query.where(has_value(column)),
        [column, City.id],
        [cursor.value, cursor.id] if at_values else None,
        descending,
    )
    blanks = seek(
        query.where(has_no_value(column)), [City.id], [cursor.id] if at_blanks else None, descending
    )
    order = [values, blanks] if cursor.forward else [blanks, values]
    left_behind = at_blanks if cursor.forward else at_values
    yield from order[1:] if left_behind else order


def has_value(column: Any) -> ColumnElement[bool]:
    """Whether a row has a value in the sorted column. Keys of blank names are empty, not null."""
    return column > "" if is_key(column) else column.is_not(None)  # type: ignore[no-any-return]


def has_no_value(column: Any) -> ColumnElement[bool]:
    """The contrary, as an equation: an index then gives these rows in the order of their ids."""
    return column == "" if is_key(column) else column.is_(None)  # type: ignore[no-any-return]


def is_key(column: Any) -> bool:
    """Whether a column holds a stored key."""
    return column.key in ("province_key", "city_key")


def filters(listing: Listing) -> list[ColumnElement[bool]]:
    """The conditions of a listing. Words of a search must all occur; % and _ are letters."""
    words = dict.fromkeys(fold_name(listing.search).split())
    conditions = [
        City.search_key.contains(word, autoescape=True) for word in list(words)[:SEARCH_WORDS]
    ]
    if listing.province:
        conditions.append(City.provincename == listing.province)
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


def count_cities(listing: Listing) -> int:
    """How many rows a listing has. The whole register is counted exactly, a filtered one only as
    far as COUNT_MOST + 1, which means more than COUNT_MOST."""
    if not listing.is_filtered:
        return db.session.scalar(select(func.count()).select_from(City)) or 0
    some = select(City.id).where(*filters(listing)).limit(COUNT_MOST + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def list_provinces(limit: int = PROVINCES_MOST) -> list[str]:
    """The names of provinces in the order of code points, at most `limit` + 1 of them."""
    query = (
        select(City.provincename)
        .where(City.provincename > "")
        .distinct()
        .order_by(City.provincename)
        .limit(limit + 1)
    )
    return [name for name in db.session.scalars(query) if name and name.strip()]


def has_flawed() -> bool:
    """Whether any row breaks today's rules."""
    return db.session.scalar(select(City.id).where(flawed_rows()).limit(1)) is not None


def needs_keys(listing: Listing) -> bool:
    """Whether a listing reads stored keys, which are due where the original program wrote."""
    return bool(listing.search or listing.flawed or listing.sort in ("city", "province"))


def find_city(city_id: int) -> CityRow | None:
    """One row."""
    return db.session.execute(select(*COLUMNS).where(City.id == city_id)).first()


def has_city(city_id: int) -> bool:
    """Whether there is such a row."""
    return find_city(city_id) is not None


def last_page(total: int | None) -> Cursor:
    """The cursor of the last page, with the place it ends at where the total is known."""
    return replace(LAST, place=None if total is None else total + 1)
