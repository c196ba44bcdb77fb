"""Lists that are read page by page: their order, the place in them, and the queries of a page.

A page is found by key, `c <= x AND (c < x OR (c = x AND id < y))`, so that one far down is as fast
as the first: MariaDB finds the row by what is in the brackets, SQLite by what is before them. The
tie-breaking id runs in the direction of the column, because only then an index (which holds the id
behind its own columns) can be read in order.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from app.database.engine import db

PAGE_SIZE = 50
# Rows that a filter finds are counted as far as this.
COUNT_MOST = 1000
VALUE_LENGTH = 255
# Four bytes a character, as base64, with what else is in a cursor.
CURSOR_LENGTH = 4 * VALUE_LENGTH * 4 // 3 + 60
CURSOR = re.compile(
    r"(?P<step>[<>])(?:(?P<id>\d{1,18}))?(?:@(?P<place>\d{1,9}))?(?P<value>~.*)?", re.DOTALL
)

Value = str | int | datetime | None
Query = Select[*tuple[Any, ...]]
R = TypeVar("R")


@dataclass(frozen=True)
class Sort:
    """A column by which a list can be sorted.

    `read_value` reads a value of the column from a cursor; it raises ValueError for what the
    column cannot hold. `descending_first` says how a first press on its head sorts: numbers and
    times with the largest. `nullable` columns have rows without a value, which are listed last.
    `column` is what `cursor_at()` reads of a row; without one the list is sorted by id alone.
    """

    read_value: Callable[[str], Value]
    descending_first: bool = False
    nullable: bool = False
    column: Any = field(default=None, compare=False)


def no_value(text: str) -> Value:
    """The reader of a list that is sorted by id alone: its cursors have no value."""
    raise ValueError(text)


BY_ID = Sort(no_value, descending_first=True, nullable=True)


@dataclass(frozen=True)
class Listing:
    """What a list shows: its order and, in the fields of subclasses, its filters. The defaults of a
    subclass are the plain list."""

    SORTS: ClassVar[Mapping[str, Sort]]
    sort: str = ""
    descending: bool = False

    @property
    def column(self) -> Any:
        """The column by which it is sorted; None for the id alone."""
        return self.SORTS[self.sort].column

    @property
    def is_filtered(self) -> bool:
        """True if a filter is set."""
        plain = type(self)()
        return replace(self, sort=plain.sort, descending=plain.descending) != plain


@dataclass(frozen=True)
class Cursor:
    """A place in a list: rows after (or before) the one with this value of the sorted column and
    this id. Without an id it is one end of the list. `place` is the place of that row, counted
    from 1, for people to read; it is counted along while paging, and so it may be off by what
    others added."""

    forward: bool = True
    id: int | None = None
    value: Value = None
    place: int | None = None


FIRST = Cursor()
LAST = Cursor(forward=False)


@dataclass(frozen=True)
class Page(Generic[R]):
    """One page of a list. A step that cannot be taken is None; `start` is the place of the first
    row, counted from 1, where it is known."""

    rows: Sequence[R]
    previous: Cursor | None
    next: Cursor | None
    start: int | None


def select_page(
    read_rows: Callable[[Cursor, int], Sequence[R]],
    cursor_at: Callable[[R, bool, int | None], Cursor],
    cursor: Cursor,
    size: int = PAGE_SIZE,
    total: int | None = None,
) -> Page[R]:
    """The page at a cursor. `read_rows` gives up to so many rows from a cursor on, in reading
    direction; `cursor_at` the cursor that goes on from a row, forward or not, whose place is
    given. With the `total` the last page knows its place."""
    if cursor == LAST and total is not None:
        cursor = replace(LAST, place=total + 1)
    rows = list(read_rows(cursor, size + 1))
    if cursor != FIRST and (not rows or (not cursor.forward and len(rows) <= size)):
        # The row of the cursor was deleted, or less than a page is before it: the first, in full.
        cursor, rows = FIRST, list(read_rows(FIRST, size + 1))
    more, rows = len(rows) > size, rows[:size]
    if not cursor.forward:
        rows.reverse()
    start = place_of_start(cursor, len(rows))
    behind = cursor.id is not None if cursor.forward else more
    ahead = more if cursor.forward else cursor.id is not None
    return Page(
        rows,
        previous=cursor_at(rows[0], False, start) if rows and behind else None,
        next=cursor_at(rows[-1], True, start and start + len(rows) - 1) if rows and ahead else None,
        start=start,
    )


def cursor_at(listing: Listing, row: Any, forward: bool, place: int | None) -> Cursor:
    """The cursor that goes on from a row, whose own place is `place`. It has no value in the
    segment of rows without one, and in a list that is sorted by id."""
    value = None if listing.column is None else getattr(row, listing.column.key)
    return Cursor(forward, row.id, None if value == "" else value, place)


def place_of_start(cursor: Cursor, count: int) -> int | None:
    """The place of a page's first row, as far as the cursor knows."""
    if cursor == FIRST:
        return 1
    if cursor.place is None:
        return None
    return max(1, cursor.place + 1 if cursor.forward else cursor.place - count)


def seek(query: Query, columns: list[Any], after: Any, descending: bool) -> Query:
    """The query ordered by the columns (the last is unique), after the given values."""
    if after is not None:
        *firsts, last = (
            (c < x) if descending else (c > x) for c, x in zip(columns, after, strict=True)
        )
        # One level is enough: at most one column comes before the id.
        if firsts:
            bound = columns[0] <= after[0] if descending else columns[0] >= after[0]
            query = query.where(bound, or_(*firsts, and_(columns[0] == after[0], last)))
        else:
            query = query.where(last)
    return query.order_by(*(c.desc() if descending else c.asc() for c in columns))


def seek_by_id(query: Query, row_id: Any, listing: Listing, cursor: Cursor) -> Query:
    """The query of a list that is sorted by id alone, from the cursor on."""
    after = None if cursor.id is None else [cursor.id]
    return seek(query, [row_id], after, listing.descending == cursor.forward)


def nulls_last(
    query: Query,
    column: Any,
    row_id: Any,
    listing: Listing,
    cursor: Cursor,
    empty: str | None = None,
) -> Iterator[Query]:
    """The queries whose rows, one after another, are the list from the cursor on: first the rows
    that have a value in the sorted column, in both directions, then those without: those with NULL,
    or with `empty=""` those with an empty text. Each query is read by an index."""
    has_value = column.is_not(None) if empty is None else column > empty
    # An equation: an index then gives these rows in the order of their ids.
    has_none = column.is_(None) if empty is None else column == empty
    descending = listing.descending == cursor.forward  # going back, the order is reversed
    at_values = cursor.id is not None and cursor.value is not None
    at_nulls = cursor.id is not None and cursor.value is None
    after = [cursor.value, cursor.id] if at_values else None
    values = seek(query.where(has_value), [column, row_id], after, descending)
    nulls = seek(query.where(has_none), [row_id], [cursor.id] if at_nulls else None, descending)
    order = [values, nulls] if cursor.forward else [nulls, values]
    passed_first = at_nulls if cursor.forward else at_values
    yield from order[1:] if passed_first else order


def read_segments(segments: Iterator[Query], limit: int) -> list[Any]:
    """Up to `limit` rows of these queries, one after another."""
    rows: list[Any] = []
    for query in segments:
        if len(rows) < limit:
            rows += db.session.execute(query.limit(limit - len(rows))).all()
    return rows


def select_sorted(query: Query, listing: Listing, cursor: Cursor) -> tuple[Page[Any], int]:
    """The page at a cursor of a list with so few rows that they are counted and sorted for each
    page, and how many rows there are. Each row of the query begins with an object of the model
    that has the columns of the listing's SORTS."""
    column = listing.column

    def read_rows(cursor: Cursor, limit: int) -> list[Any]:
        return read_segments(nulls_last(query, column, column.class_.id, listing, cursor), limit)

    def row_cursor(row: Any, forward: bool, place: int | None) -> Cursor:
        return cursor_at(listing, row[0], forward, place)

    count = query.with_only_columns(func.count(), maintain_column_froms=True)
    total = db.session.scalar(count) or 0
    return select_page(read_rows, row_cursor, cursor, total=total), total


def count_some(row_id: Any, conditions: Sequence[ColumnElement[bool]]) -> int | None:
    """How many rows there are; None for more than COUNT_MOST."""
    some = select(row_id).where(*conditions).limit(COUNT_MOST + 1).subquery()
    count = db.session.scalar(select(func.count()).select_from(some)) or 0
    return count if count <= COUNT_MOST else None


def write_cursor(cursor: Cursor) -> str:
    """A cursor as text for an address: short, and nothing people would edit by hand."""
    text = ">" if cursor.forward else "<"
    if cursor.id is not None:
        text += str(cursor.id)
    if cursor.place is not None:
        text += f"@{cursor.place}"
    if cursor.value is not None:
        value = cursor.value
        text += "~" + (write_moment(value) if isinstance(value, datetime) else str(value))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str | None, sort: Sort) -> Cursor:
    """The cursor of that text. An invalid one, or one of another order, is the first page."""
    if not text or len(text) > CURSOR_LENGTH:
        return FIRST
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = CURSOR.fullmatch(decoded.decode())
        if not found:
            return FIRST
        value = sort.read_value(found["value"][1:]) if found["value"] else None
    except (binascii.Error, ValueError, OverflowError):
        return FIRST
    if found["step"] == ">" and not found["id"]:
        return FIRST
    if found["id"] and value is None and not sort.nullable:
        return FIRST
    return Cursor(
        forward=found["step"] == ">",
        id=int(found["id"]) if found["id"] else None,
        value=value,
        place=int(found["place"]) if found["place"] else None,
    )


def read_text(text: str) -> str:
    """A text as a value of a column; ValueError for what no such column holds."""
    if not text or len(text) > VALUE_LENGTH or readable(text) != text:
        raise ValueError(text)
    return text


def readable(text: str) -> str:
    """Without what no database takes as text."""
    return "".join(c for c in text if c != "\0" and not "\ud800" <= c <= "\udfff")


def write_moment(moment: datetime) -> str:
    """A moment as digits, to the microsecond."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S%f")


def read_moment(text: str) -> datetime:
    """The moment of those digits."""
    if not re.fullmatch(r"[0-9]{20}", text):
        raise ValueError(text)
    return datetime.strptime(text, "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
