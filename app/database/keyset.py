"""Lists that are read page by page: their order, and the place in them as it stands in an address.

A page is found by key, `c <= x AND (c < x OR (c = x AND id < y))`, so that one far down is as fast
as the first: MariaDB finds the row by what is in the brackets, SQLite by what is before them. The
tie-breaking id runs in the direction of the column, because only then an index (which holds the id
behind its own columns) can be read in order.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Select, and_, or_

VALUE_LENGTH = 255
# Four bytes a character, as base64, with what else stands in a cursor.
CURSOR_LENGTH = 4 * VALUE_LENGTH * 4 // 3 + 60
CURSOR = re.compile(
    r"(?P<step>[<>])(?:(?P<id>\d{1,18}))?(?:@(?P<place>\d{1,9}))?(?P<value>~.*)?", re.DOTALL
)

Value = str | int | datetime | None
Query = Select[*tuple[Any, ...]]
R = TypeVar("R")


class Ordered:
    """A listing with an order, as its address has it: which column, and in which direction."""

    sort: str
    descending: bool
    # Of each column, how a first press on its head sorts: numbers and times with the largest.
    DESCENDING_FIRST: ClassVar[Mapping[str, bool]]

    def args(self, **changed: Any) -> dict[str, Any]:
        """The arguments of its address."""
        raise NotImplementedError

    def sorted_by(self, sort: str) -> dict[str, Any]:
        """The arguments after a press on a column's head: the same column turns round."""
        descending = not self.descending if sort == self.sort else self.DESCENDING_FIRST[sort]
        return self.args(sort=sort, descending=descending)

    def order_of(self, sort: str) -> str | None:
        """How a column is sorted now, as `aria-sort` says it."""
        if sort != self.sort:
            return None
        return "descending" if self.descending else "ascending"


@dataclass(frozen=True)
class Cursor:
    """A place in a list: rows after (or before) the one with this value of the sorted column and
    this id. Without an id it is an end of the list. `place` is the place of that row, counted
    from 1, for people to read; it is counted along while paging, and so it may be off by what
    others added meanwhile."""

    forward: bool = True
    id: int | None = None
    value: Value = None
    place: int | None = None


FIRST = Cursor()
LAST = Cursor(forward=False)


@dataclass(frozen=True)
class Page(Generic[R]):
    """One page of a listing. A step that cannot be taken is None; `start` is the place of the
    first row, counted from 1, where it is known."""

    rows: Sequence[R]
    previous: Cursor | None
    next: Cursor | None
    start: int | None


def select_page(
    read_rows: Callable[[Cursor, int], list[R]],
    cursor_at: Callable[[R, bool, int | None], Cursor],
    cursor: Cursor,
    size: int,
) -> Page[R]:
    """The page at a cursor. `read_rows` gives up to so many rows from a cursor on, in reading
    direction; `cursor_at` the cursor that goes on from a row, forward or not, whose place is
    given."""
    rows = read_rows(cursor, size + 1)
    if cursor != FIRST and (not rows or (not cursor.forward and len(rows) <= size)):
        # What stood there was removed, or less than a page stands before it: the first, in full.
        cursor, rows = FIRST, read_rows(FIRST, size + 1)
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


def place_of_start(cursor: Cursor, count: int) -> int | None:
    """The place of a page's first row, as far as the cursor knows."""
    if cursor == FIRST:
        return 1
    if cursor.place is None:
        return None
    return max(1, cursor.place + 1 if cursor.forward else cursor.place - count)


def seek(query: Query, columns: list[Any], after: Any, descending: bool) -> Query:
    """The query ordered by the columns (the last is unique), behind the given values."""
    if after is not None:
        *firsts, last = (
            (c < x) if descending else (c > x) for c, x in zip(columns, after, strict=True)
        )
        # One level is enough: at most one column stands before the id.
        if firsts:
            bound = columns[0] <= after[0] if descending else columns[0] >= after[0]
            query = query.where(bound, or_(*firsts, and_(columns[0] == after[0], last)))
        else:
            query = query.where(last)
    return query.order_by(*(c.desc() if descending else c.asc() for c in columns))


def write_cursor(cursor: Cursor) -> str:
    """A cursor as it stands in an address: short, and nothing people would edit by hand."""
    text = ">" if cursor.forward else "<"
    if cursor.id is not None:
        text += str(cursor.id)
    if cursor.place is not None:
        text += f"@{cursor.place}"
    if cursor.value is not None:
        value = cursor.value
        text += "~" + (write_moment(value) if isinstance(value, datetime) else str(value))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str | None, read_value: Callable[[str], Value]) -> Cursor:
    """The cursor of an address. One that is none, or whose value `read_value` refuses with a
    ValueError, is the first page."""
    if not text or len(text) > CURSOR_LENGTH:
        return FIRST
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = CURSOR.fullmatch(decoded.decode())
        if not found:
            return FIRST
        value = read_value(found["value"][1:]) if found["value"] else None
    except (binascii.Error, ValueError, OverflowError):
        return FIRST
    if found["step"] == ">" and not found["id"]:
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
