"""Lists that are read page by page: what they show, and the queries of a page.

A page is found by key, `c <= x AND (c < x OR (c = x AND id < y))`, so that one far down is as fast
as the first: MariaDB finds the row by what is in the brackets, SQLite by what is before them. The
tie-breaking id runs in the direction of the column, because only then an index (which holds the id
behind its own columns) can be read in order. A list with many equal values has a query of its own
for the value at the cursor; see after_value().
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import nlargest, nsmallest
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from app.database.cursor import FIRST, LAST, Cursor, Sort
from app.database.engine import db

PAGE_SIZE = 50  # rows of a page, unless its reader wants another number
PAGE_SIZES = (PAGE_SIZE, 100, 200)
SEARCH_LENGTH = 200  # characters of a search
COUNT_MOST = 1000  # rows that a filter finds are counted up to this

Query = Select[*tuple[Any, ...]]
R = TypeVar("R")


@dataclass(frozen=True)
class Listing:
    """What a list shows: its order (by default the first of SORTS) and, in the fields of
    subclasses, its filters. The defaults of a subclass are the plain list. `size` is how many rows
    its reader has on a page; two listings that differ in that alone are equal."""

    SORTS: ClassVar[Mapping[str, Sort]]
    sort: str = ""
    descending: bool = False
    size: int = field(default=PAGE_SIZE, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        if not self.sort:
            object.__setattr__(self, "sort", next(iter(self.SORTS)))

    @property
    def column(self) -> Any:
        """The column by which it is sorted; None for the id alone."""
        return self.SORTS[self.sort].column

    @property
    def is_filtered(self) -> bool:
        plain = type(self)()
        return replace(self, sort=plain.sort, descending=plain.descending) != plain


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
    size: int,
    total: int | None = None,
) -> Page[R]:
    """The page at a cursor, of `size` rows. `read_rows` returns up to this many rows from a cursor
    on, in reading direction; `cursor_at` is the function below for the listing. With the `total`
    the last page knows its place."""
    if cursor == LAST and total is not None:
        cursor = replace(LAST, place=total + 1)
    rows = list(read_rows(cursor, size + 1))
    if cursor != FIRST and (not rows or (not cursor.forward and len(rows) <= size)):
        # The rows after it were deleted, or less than a page is before it: the whole first page.
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
    """The cursor that continues from a row in one direction; `place` is that of the row."""
    value = None if listing.column is None else getattr(row, listing.column.key)
    return Cursor(forward, row.id, value, place)


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


def nearest(ids: Iterable[int], listing: Listing, cursor: Cursor, limit: int) -> list[int]:
    """Of all ids of a list that is sorted by id alone, up to `limit` from the cursor on, in reading
    direction."""
    descending, after = listing.descending == cursor.forward, cursor.id
    ahead = (
        each for each in ids if after is None or (each < after if descending else each > after)
    )
    return (nlargest if descending else nsmallest)(limit, ahead)


def nulls_last(
    query: Query,
    listing: Listing,
    cursor: Cursor,
    empty: str | None = None,
    by_index: bool = True,
) -> list[Query]:
    """The queries whose rows, one after another, are the list from the cursor on: in both
    directions first the rows with a value in the sorted column, then those with NULL, or with an
    empty text if `empty` is "". Each query is read by an index, unless they are to be sorted."""
    column, row_id = listing.column, listing.column.class_.id
    has_value = column.is_not(None) if empty is None else column > empty
    # An equation: an index then gives these rows in the order of their ids.
    has_none = column.is_(None) if empty is None else column == empty
    descending = listing.descending == cursor.forward  # going back, the order is reversed
    at_nulls = cursor.id is not None and cursor.value in (None, empty)
    at_values = cursor.id is not None and not at_nulls
    if at_values and not by_index:
        after = [cursor.value, cursor.id]
        values = [seek(query.where(has_value), [column, row_id], after, descending)]
    elif at_values:
        values = after_value(query, listing, cursor, has_value)
    else:
        values = [seek(query.where(has_value), [column, row_id], None, descending)]
    nulls = seek(query.where(has_none), [row_id], [cursor.id] if at_nulls else None, descending)
    if cursor.forward:
        return [nulls] if at_nulls else [*values, nulls]
    return values if at_values else [nulls, *values]


def after_value(
    query: Query, listing: Listing, cursor: Cursor, has_value: ColumnElement[bool]
) -> list[Query]:
    """The queries for the rows after one with a value: first the others of this value. In one query
    SQLite would read all of a value up to the cursor."""
    column, row_id = listing.column, listing.column.class_.id
    descending = listing.descending == cursor.forward
    same = seek(query.where(column == cursor.value), [row_id], [cursor.id], descending)
    # For the index SQLite takes the first lower bound, and would read all from that on.
    beyond = [column < cursor.value, has_value] if descending else [column > cursor.value]
    return [same, seek(query.where(*beyond), [column, row_id], None, descending)]


def read_segments(segments: Iterable[Query], limit: int) -> list[Any]:
    """Up to `limit` rows of these queries, one after another."""
    rows: list[Any] = []
    for query in segments:
        if len(rows) < limit:
            rows += db.session.execute(query.limit(limit - len(rows))).all()
    return rows


def select_sorted(query: Query, listing: Listing, cursor: Cursor) -> tuple[Page[Any], int]:
    """The page at a cursor, and the number of rows, of a list so short that they are counted and
    sorted for each page. Each row of the query begins with an object of the model that has the
    columns of the listing's SORTS."""

    def read_rows(cursor: Cursor, limit: int) -> list[Any]:
        return read_segments(nulls_last(query, listing, cursor), limit)

    def row_cursor(row: Any, forward: bool, place: int | None) -> Cursor:
        return cursor_at(listing, row[0], forward, place)

    count = query.with_only_columns(func.count(), maintain_column_froms=True)
    total = db.session.scalar(count) or 0
    return select_page(read_rows, row_cursor, cursor, listing.size, total), total


def count_some(row_id: Any, conditions: Sequence[ColumnElement[bool]]) -> int | None:
    """How many rows there are; None for more than COUNT_MOST."""
    some = select(row_id).where(*conditions).limit(COUNT_MOST + 1).subquery()
    count = db.session.scalar(select(func.count()).select_from(some)) or 0
    return count if count <= COUNT_MOST else None


def count_rows(model: Any, conditions: Sequence[ColumnElement[bool]] = ()) -> int:
    """How many rows of a table there are, exactly."""
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0
