"""What a list of the register shows: its filters, its order and the place in it, as they stand in
an address. Knows no database."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from app.cities.models import TEXT_LENGTH, USERS_MOST

SORTS = ("id", "city", "province", "users", "changed")
# Names begin with a, numbers and times with the largest.
DESCENDING_FIRST = {"id": True, "city": False, "province": False, "users": True, "changed": True}
SEARCH_LENGTH, SEARCH_WORDS = 200, 10
CURSOR = re.compile(
    r"(?P<step>[<>])(?:(?P<id>\d{1,18}))?(?:@(?P<place>\d{1,9}))?(?P<value>~.*)?", re.DOTALL
)

Value = str | int | datetime | None


@dataclass(frozen=True)
class Listing:
    """Filters and order. Nothing set is the whole register, newest first."""

    search: str = ""
    province: str = ""
    sort: str = "id"
    descending: bool = True
    flawed: bool = False

    @property
    def is_filtered(self) -> bool:
        """Whether it shows less than everything."""
        return bool(self.search or self.province or self.flawed)

    def args(self, **changed: Any) -> dict[str, Any]:
        """The arguments of its address, without those that have their default."""
        wanted = replace(self, **changed)
        args = {"q": wanted.search, "province": wanted.province}
        if wanted.sort != "id":
            args["sort"] = wanted.sort
        if wanted.descending != DESCENDING_FIRST[wanted.sort]:
            args["order"] = "desc" if wanted.descending else "asc"
        if wanted.flawed:
            args["flawed"] = "1"
        return {name: value for name, value in args.items() if value}

    def sorted_by(self, sort: str) -> dict[str, Any]:
        """The arguments after a press on a column's head: the same column turns round."""
        descending = not self.descending if sort == self.sort else DESCENDING_FIRST[sort]
        return self.args(sort=sort, descending=descending)


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


def read_listing(args: Mapping[str, str]) -> Listing:
    """The listing of an address; what is unknown there falls back to the default."""
    sort = args.get("sort", "")
    sort = sort if sort in SORTS else "id"
    order = {"asc": False, "desc": True}
    return Listing(
        search=" ".join(readable(args.get("q", "")).split())[:SEARCH_LENGTH].strip(),
        province=readable(args.get("province", ""))[:TEXT_LENGTH],
        sort=sort,
        descending=order.get(args.get("order", ""), DESCENDING_FIRST[sort]),
        flawed=args.get("flawed") == "1",
    )


def readable(text: str) -> str:
    """Without what no database takes as text."""
    return "".join(c for c in text if c != "\0" and not "\ud800" <= c <= "\udfff")


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


def read_cursor(text: str | None, sort: str) -> Cursor:
    """The cursor of an address. One that is none, or of another order, is the first page."""
    if not text or len(text) > 4 * TEXT_LENGTH * 4 // 3 + 60:
        return FIRST
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = CURSOR.fullmatch(decoded.decode())
        if not found:
            return FIRST
        value = read_value(found["value"][1:], sort) if found["value"] else None
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


def read_value(text: str, sort: str) -> Value:
    """The value of a sorted column; ValueError for what that column cannot hold."""
    if sort == "users":
        if not re.fullmatch(r"-?[0-9]{1,10}", text) or abs(int(text)) > USERS_MOST + 1:
            raise ValueError(text)
        return int(text)
    if sort == "changed":
        return read_moment(text)
    if sort == "id" or not text or len(text) > TEXT_LENGTH or readable(text) != text:
        raise ValueError(text)
    return text


def write_moment(moment: datetime) -> str:
    """A moment as digits, to the microsecond."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S%f")


def read_moment(text: str) -> datetime:
    """The moment of those digits."""
    if not re.fullmatch(r"[0-9]{20}", text):
        raise ValueError(text)
    return datetime.strptime(text, "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
