"""What a list of the register shows: its filters, its order and the place in it, as they stand in
an address. Knows no database."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from app.cities.models import TEXT_LENGTH, USERS_MOST
from app.database import keyset
from app.database.keyset import Cursor, Ordered, Value, read_moment, read_text, readable

SORTS = ("id", "city", "province", "users", "changed")
# Names begin with a, numbers and times with the largest.
DESCENDING_FIRST = {"id": True, "city": False, "province": False, "users": True, "changed": True}
SEARCH_LENGTH, SEARCH_WORDS = 200, 10


@dataclass(frozen=True)
class Listing(Ordered):
    """Filters and order. Nothing set is the whole register, newest first."""

    DESCENDING_FIRST = DESCENDING_FIRST

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


def read_cursor(text: str | None, sort: str) -> Cursor:
    """The cursor of an address. One that is none, or of another order, is the first page."""
    return keyset.read_cursor(text, partial(read_value, sort=sort))


def read_value(text: str, sort: str) -> Value:
    """The value of a sorted column; ValueError for what that column cannot hold."""
    if sort == "users":
        if not re.fullmatch(r"-?[0-9]{1,10}", text) or abs(int(text)) > USERS_MOST + 1:
            raise ValueError(text)
        return int(text)
    if sort == "changed":
        return read_moment(text)
    if sort == "id":
        raise ValueError(text)
    return read_text(text)
