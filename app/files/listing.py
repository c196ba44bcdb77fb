"""The list of files: what its address says, and the page of rows that it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from app.auth.models import Person
from app.columns import fold, now
from app.extensions import db
from app.files.models import NAME_LENGTH, File
from app.files.services import UNDO_DAYS
from app.web import whole_number

PAGE = 50
SEARCH_LENGTH = 200
COLUMNS: dict[str, InstrumentedAttribute[Any]] = {
    "name": File.name_key,
    "from": Person.name_key,
    "size": File.size,
    "uploaded": File.id,  # ids rise with time
}
# Names begin with a, sizes and times with the largest.
DESCENDING_FIRST = {"name": False, "from": False, "size": True, "uploaded": True}


@dataclass(frozen=True)
class Listing:
    """Search and order. Nothing set is every file, the newest first."""

    search: str = ""
    sort: str = "uploaded"
    descending: bool = True
    removed: bool = False
    # Of what was removed, only this person's files.
    removed_of: int | None = None

    def args(self, **changed: Any) -> dict[str, str]:
        """The arguments of its address, without those that have their default."""
        wanted = replace(self, **changed)
        turned = wanted.descending != DESCENDING_FIRST[wanted.sort]
        args = {
            "q": wanted.search,
            "removed": "1" if wanted.removed else "",
            "sort": wanted.sort if wanted.sort != "uploaded" else "",
            "order": ("desc" if wanted.descending else "asc") if turned else "",
        }
        return {name: value for name, value in args.items() if value}

    def sorted_by(self, sort: str) -> dict[str, str]:
        """The arguments after a press on a column's head: the same column turns round."""
        descending = not self.descending if sort == self.sort else DESCENDING_FIRST[sort]
        return self.args(sort=sort, descending=descending)

    def order_of(self, sort: str) -> str | None:
        """How a column is sorted now, as `aria-sort` says it."""
        if sort != self.sort:
            return None
        return "descending" if self.descending else "ascending"

    def conditions(self) -> list[ColumnElement[bool]]:
        """Which rows it shows: of every file the present version."""
        chosen: list[ColumnElement[bool]] = [File.replaced_at.is_(None)]
        if self.removed:
            chosen.append(File.removed_at > now() - timedelta(days=UNDO_DAYS))
            if self.removed_of is not None:
                chosen.append(File.owner_id == self.removed_of)
        else:
            chosen.append(File.removed_at.is_(None))
        if self.search:
            chosen.append(File.search_key.contains(fold(self.search), autoescape=True))
        return chosen


@dataclass(frozen=True)
class Page:
    """Up to PAGE rows with the names of their owners, their place, and the sums over all."""

    rows: list[tuple[File, str]]
    before: int
    total: int
    size: int
    first: dict[str, str] | None
    previous: dict[str, str] | None
    next: dict[str, str] | None
    last: dict[str, str] | None


def read_listing(args: Mapping[str, str], removed_of: int | None = None) -> Listing:
    """The listing of an address; what is unknown there falls back to the default. What was removed
    is shown to those who may bring it back: a viewer is shown only their own, by `removed_of`."""
    sort = args.get("sort", "")
    sort = sort if sort in COLUMNS else "uploaded"
    search = "".join(c for c in args.get("q", "") if c != "\0" and not "\ud800" <= c <= "\udfff")
    return Listing(
        search=search.strip()[:SEARCH_LENGTH],
        sort=sort,
        descending={"asc": False, "desc": True}.get(args.get("order", ""), DESCENDING_FIRST[sort]),
        removed=args.get("removed") == "1",
        removed_of=removed_of,
    )


def read_page(listing: Listing, args: Mapping[str, str]) -> Page:
    """The rows after `after` or before `before` (`last` alone is the end of the list). Read by
    key, so that a page far down is as fast as the first."""
    backward = "before" in args or "last" in args
    place = read_place(args.get("after") or args.get("before"), listing.sort)
    rising = listing.descending == backward
    column = COLUMNS[listing.sort]
    query = select(File, Person.name).join(Person, File.owner_id == Person.id)
    query = query.where(*listing.conditions())
    if place is not None:
        query = query.where(beyond(column, place, rising))
    order = (column, File.id) if rising else (column.desc(), File.id.desc())
    rows = [(file, name) for file, name in db.session.execute(query.order_by(*order).limit(PAGE))]
    if backward:
        rows.reverse()
    return assemble(listing, rows)


def beyond(
    column: InstrumentedAttribute[Any], place: tuple[Any, int], rising: bool
) -> ColumnElement[bool]:
    """The rows on one side of a place. Written out, since MariaDB reads all rows for a comparison
    of tuples."""
    value, row_id = place
    if rising:
        return or_(column > value, and_(column == value, File.id > row_id))
    return or_(column < value, and_(column == value, File.id < row_id))


def assemble(listing: Listing, rows: list[tuple[File, str]]) -> Page:
    """Count, and write the addresses of the pages around."""
    total, size = db.session.execute(
        select(func.count(), func.coalesce(func.sum(File.size), 0)).where(*listing.conditions())
    ).one()
    before = count_before(listing, rows[0][0]) if rows else 0
    args = listing.args()
    has_next = before + len(rows) < total
    return Page(
        rows=rows,
        before=before,
        total=total,
        size=int(size),
        first=args if before or not rows else None,
        previous={**args, "before": write_place(listing.sort, rows[0])} if before else None,
        next={**args, "after": write_place(listing.sort, rows[-1])} if rows and has_next else None,
        last={**args, "last": "1"} if has_next else None,
    )


def count_before(listing: Listing, file: File) -> int:
    """How many rows stand before this one."""
    column = COLUMNS[listing.sort]
    value = select(column).select_from(File).join(Person, File.owner_id == Person.id)
    here = (db.session.scalar(value.where(File.id == file.id)), file.id)
    query = select(func.count()).select_from(File).join(Person, File.owner_id == Person.id)
    query = query.where(*listing.conditions(), beyond(column, here, listing.descending))
    return db.session.scalar(query) or 0


def write_place(sort: str, row: tuple[File, str]) -> str:
    """The place of a row as it stands in an address: its id and the value it is sorted by."""
    file, owner = row
    value = {"name": file.name_key, "from": fold(owner), "size": str(file.size)}.get(sort, "")
    return f"{file.id}~{value}" if value else str(file.id)


def read_place(text: str | None, sort: str) -> tuple[Any, int] | None:
    """The value and id of a place; None for what is none, which is the first page."""
    identity, _tilde, value = (text or "").partition("~")
    row_id = whole_number(identity, 1, 2**63 - 1)
    if row_id is None or "\0" in value:
        return None
    if sort == "uploaded":
        return row_id, row_id
    if sort == "size":
        number = whole_number(value, 0, 2**63 - 1)
        return None if number is None else (number, row_id)
    return value[:NAME_LENGTH], row_id
