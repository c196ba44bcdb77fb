"""The list of files: what its address says, and the page of rows that it asks for."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.auth.models import Person
from app.database import keyset
from app.database.engine import db
from app.database.keyset import (
    FIRST,
    LAST,
    Cursor,
    Ordered,
    Query,
    Value,
    read_moment,
    read_text,
    readable,
    seek,
    write_cursor,
)
from app.files import cache, purging
from app.files.models import File
from app.text import fold, parse_integer
from app.times import now

FileRow = Row[*tuple[Any, ...]]
Step = dict[str, str] | None

PAGE = 50
SEARCH_LENGTH = 200
COLUMNS: dict[str, InstrumentedAttribute[Any]] = {
    "name": File.name_key,
    "from": Person.name_key,
    "size": File.size,
    "uploaded": File.created_at,  # not the id: an adopted file may be older than its row
}
# Names begin with a, sizes and times with the largest.
DESCENDING_FIRST = {"name": False, "from": False, "size": True, "uploaded": True}


@dataclass(frozen=True)
class FileListing(Ordered):
    """Search and order. Nothing set is every file, the newest first."""

    DESCENDING_FIRST = DESCENDING_FIRST

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

    def conditions(self) -> list[ColumnElement[bool]]:
        """Which rows it shows: of every file the present version."""
        chosen: list[ColumnElement[bool]] = [File.replaced_at.is_(None)]
        if self.removed:
            chosen.append(File.removed_at > now() - timedelta(days=purging.UNDO_DAYS))
            if self.removed_of is not None:
                chosen.append(File.owner_id == self.removed_of)
        else:
            chosen.append(File.removed_at.is_(None))
        if self.search:
            chosen.append(File.search_key.contains(fold(self.search), autoescape=True))
        return chosen


@dataclass(frozen=True)
class FilePage:
    """Up to PAGE rows with the names of their owners, how many stand before them, and the sums
    over all; the steps are arguments of addresses, None for one that cannot be taken."""

    rows: list[tuple[File, str]]
    before: int
    total: int
    size: int
    first: Step
    previous: Step
    next: Step
    last: Step


def read_listing(args: Mapping[str, str], removed_of: int | None = None) -> FileListing:
    """The listing of an address; what is unknown there falls back to the default. What was removed
    is shown to those who may bring it back: a viewer is shown only their own, by `removed_of`."""
    sort = args.get("sort", "")
    sort = sort if sort in COLUMNS else "uploaded"
    return FileListing(
        search=readable(args.get("q", "")).strip()[:SEARCH_LENGTH],
        sort=sort,
        descending={"asc": False, "desc": True}.get(args.get("order", ""), DESCENDING_FIRST[sort]),
        removed=args.get("removed") == "1",
        removed_of=removed_of,
    )


def read_page(listing: FileListing, args: Mapping[str, str]) -> FilePage:
    """The rows at the cursor `page`."""
    # The sums come first, because asking for them may end the transaction the rows are read in.
    total, size = read_sums(listing)
    cursor = read_cursor(args.get("page"), listing.sort)
    if cursor == LAST:
        cursor = replace(LAST, place=total + 1)
    found = keyset.select_page(
        partial(read_rows, listing), partial(cursor_at, listing), cursor, PAGE
    )

    def step(to: Cursor | None) -> Step:
        if to is None:
            return None
        return listing.args() if to == FIRST else {**listing.args(), "page": write_cursor(to)}

    return FilePage(
        rows=[(file, owner) for file, owner, _owner_key in found.rows],
        before=(found.start or 1) - 1,
        total=total,
        size=size,
        first=step(FIRST if found.previous else None),
        previous=step(found.previous),
        next=step(found.next),
        last=step(LAST if found.next else None),
    )


def read_rows(listing: FileListing, cursor: Cursor, limit: int) -> list[FileRow]:
    """Up to `limit` rows from a cursor on, in reading direction."""
    rows: list[FileRow] = []
    for query in segments(listing, cursor, limit):
        if len(rows) < limit:
            rows += db.session.execute(query.limit(limit - len(rows))).all()
    return rows


def segments(listing: FileListing, cursor: Cursor, limit: int) -> Iterator[Query]:
    """The queries whose rows, one after another, are the listing from the cursor on. By owner it is
    one for each, because no index of files has the names of people. What was removed is sorted at
    each page: it is what a few days brought."""
    query: Query = select(File, Person.name, Person.name_key)
    query = query.join(Person, File.owner_id == Person.id).where(*listing.conditions())
    column = File.owner_id if listing.sort == "from" else COLUMNS[listing.sort]
    # MariaDB takes sorting all rows for cheaper, the more so where there are few people.
    index = "ix_file_removed_at" if listing.removed else f"ix_file_listed_{column.key}"
    query = query.with_hint(File, f"FORCE INDEX ({index})", dialect_name="mysql")
    query = query.with_hint(Person, "FORCE INDEX (PRIMARY)", dialect_name="mysql")
    descending = listing.descending == cursor.forward  # going back, the order turns round
    if listing.sort != "from":
        after = None if cursor.id is None else [cursor.value, cursor.id]
        yield seek(query, [column, File.id], after, descending)
        return
    for owner_id, name_key in read_owners(listing, cursor, limit, descending):
        after = [cursor.id] if name_key == cursor.value else None
        yield seek(query.where(File.owner_id == owner_id), [File.id], after, descending)


def read_owners(
    listing: FileListing, cursor: Cursor, limit: int, descending: bool
) -> Sequence[Row[int, str]]:
    """From the cursor's on the owners who have files in the listing, enough for `limit` rows: of
    the cursor's own none may be left."""
    own = select(File.id).where(File.owner_id == Person.id, *listing.conditions())
    query = select(Person.id, Person.name_key).where(own.exists())
    if cursor.id is not None:
        column = Person.name_key
        query = query.where(column <= cursor.value if descending else column >= cursor.value)
    order = Person.name_key.desc() if descending else Person.name_key
    return db.session.execute(query.order_by(order).limit(limit + 1)).all()


def cursor_at(listing: FileListing, row: FileRow, forward: bool, place: int | None) -> Cursor:
    """The cursor that goes on from a row, whose own place is `place`."""
    file, _owner, owner_key = row
    value = owner_key if listing.sort == "from" else getattr(file, COLUMNS[listing.sort].key)
    return Cursor(forward, file.id, value, place)


def read_cursor(text: str | None, sort: str) -> Cursor:
    """The cursor of an address. One that is none, or of another order, is the first page."""
    found = keyset.read_cursor(text, partial(read_value, sort=sort))
    # Every row has a value and a known place.
    return FIRST if found.id is not None and None in (found.value, found.place) else found


def read_value(text: str, sort: str) -> Value:
    """The value of a sorted column; ValueError for what that column cannot hold."""
    if sort == "uploaded":
        return read_moment(text)
    if sort != "size":
        return read_text(text)
    number = parse_integer(text, 0, 2**63 - 1)
    if number is None:
        raise ValueError(text)
    return number


def read_sums(listing: FileListing) -> tuple[int, int]:
    """How many files a listing has and their size together, kept until a file changes: counting
    reads every row."""
    asked = json.dumps([listing.search, listing.removed, listing.removed_of])
    digest = hashlib.sha256(asked.encode()).hexdigest()[:32]
    return cache.get_or_compute(f"sums:{digest}", tuple[int, int], lambda: count_files(listing))


def count_files(listing: FileListing) -> tuple[int, int]:
    """The same, asked anew."""
    sums = select(func.count(), func.coalesce(func.sum(File.size), 0))
    count, size = db.session.execute(sums.where(*listing.conditions())).one()
    return count, int(size)
