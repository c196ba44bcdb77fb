"""Cursors: a place in a sorted list, and its text in a URL."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

VALUE_LENGTH = 255
MOST_ID = 2**63 - 1  # that a database stores
# Four bytes a character, as base64, with what else is in a cursor.
CURSOR_LENGTH = 4 * VALUE_LENGTH * 4 // 3 + 60
CURSOR = re.compile(
    r"(?P<step>[<>])(?P<id>\d{1,19})?(?:@(?P<place>\d{1,9}))?(?P<value>~.*)?", re.DOTALL
)
MOMENT = "%Y%m%d%H%M%S%f"  # to the microsecond

Value = str | int | datetime | None


@dataclass(frozen=True)
class Sort:
    """A column by which a list can be sorted. Without a column it is sorted by id alone.

    `read_value` parses a value of the column in a cursor; it raises ValueError for what the column
    cannot hold. `descending_first` is the order at the first click on the column's header: numbers
    and times start with the largest. Rows without a value in the column are listed last.
    """

    read_value: Callable[[str], Value]
    descending_first: bool = False
    column: Any = field(default=None, compare=False)


def no_value(text: str) -> Value:
    """The parser of a list that is sorted by id alone: its cursors have no value."""
    raise ValueError(text)


BY_ID = Sort(no_value, descending_first=True)


@dataclass(frozen=True)
class Cursor:
    """A place in a list: rows after (or before) the one with this value of the sorted column (None
    for NULL) and this id. Without an id it is one end of the list. `place` is the place of that
    row, counted from 1, for people to read. Each page adds its rows to the place of the page
    before, so it is inexact after others have added or removed rows."""

    forward: bool = True
    id: int | None = None
    value: Value = None
    place: int | None = None


FIRST = Cursor()
LAST = Cursor(forward=False)


def write_cursor(cursor: Cursor) -> str:
    text = ">" if cursor.forward else "<"
    if cursor.id is not None:
        text += str(cursor.id)
    if cursor.place is not None:
        text += f"@{cursor.place}"
    if isinstance(cursor.value, datetime):
        text += f"~{cursor.value.astimezone(UTC):{MOMENT}}"
    elif cursor.value is not None:
        text += f"~{cursor.value}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str | None, sort: Sort) -> Cursor:
    """Parse the text of a cursor. An invalid one, or one of another order, is the first page."""
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
    if (found["step"] == ">" and not found["id"]) or int(found["id"] or 0) > MOST_ID:
        return FIRST
    return Cursor(
        forward=found["step"] == ">",
        id=int(found["id"]) if found["id"] else None,
        value=value,
        place=int(found["place"]) if found["place"] else None,
    )


def read_text(text: str) -> str:
    """Parse the value of a text column; ValueError for what no such column holds."""
    if len(text) > VALUE_LENGTH or storable(text) != text:
        raise ValueError(text)
    return text


def read_integer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise ValueError(text)
    return int(text)


def storable(text: str) -> str:
    """The text without NUL and lone surrogates, which no database stores."""
    return re.sub("[\0\ud800-\udfff]", "", text)


def read_moment(text: str) -> datetime:
    if not re.fullmatch(r"[0-9]{20}", text):
        raise ValueError(text)
    return datetime.strptime(text, MOMENT).replace(tzinfo=UTC)
