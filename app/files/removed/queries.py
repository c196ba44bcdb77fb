"""Reading the removed files that can be restored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import ClassVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased, contains_eager

from app.actor import Actor, Role
from app.auth.models import Person
from app.database import keyset
from app.database.cursor import Cursor, Sort, read_moment
from app.database.engine import db
from app.database.keyset import Listing, Page, Query, count_some, seek
from app.database.service import permitted
from app.files.models import File
from app.files.rules import is_restorable
from app.text import search_key


@dataclass(frozen=True)
class RemovedFileListing(Listing):
    """Removed files, the last removed first."""

    SORTS: ClassVar = {"removed": Sort(read_moment, True, column=File.removed_at)}

    sort: str = "removed"
    descending: bool = True
    search: str = ""


@dataclass(frozen=True)
class RemovedFile:
    """The version of a removed file that was the current one, and the name of who removed it."""

    file: File
    remover: str


@permitted(Role.VIEWER)
def select_removed(
    actor: Actor, listing: RemovedFileListing, cursor: Cursor
) -> tuple[Page[RemovedFile], int | None]:
    """The page at a cursor, and how many the list has (None for more than COUNT_MOST)."""
    conditions = conditions_of(actor, listing)
    total = count_some(File.id, conditions)
    page = keyset.select_page(
        partial(read_rows, listing, conditions),
        partial(cursor_at, listing),
        cursor,
        listing.size,
        total,
    )
    return page, total


def conditions_of(actor: Actor, listing: RemovedFileListing) -> list[ColumnElement[bool]]:
    """Of removed files, those that the actor may restore."""
    chosen: list[ColumnElement[bool]] = [File.replaced_at.is_(None), is_restorable()]
    if not actor.may_write:
        chosen.append(File.owner_id == actor.person_id)
    if listing.search:
        chosen.append(File.search_key.contains(search_key(listing.search), autoescape=True))
    return chosen


def read_rows(
    listing: RemovedFileListing,
    conditions: list[ColumnElement[bool]],
    cursor: Cursor,
    limit: int,
) -> Sequence[RemovedFile]:
    """Up to `limit` rows from a cursor on, in reading direction."""
    owner, remover = aliased(Person), aliased(Person)
    query: Query = select(File, remover.name).join(owner, File.owner_id == owner.id)
    query = query.outerjoin(remover, File.removed_by == remover.id)
    query = query.options(contains_eager(File.owner.of_type(owner))).where(*conditions)
    # MariaDB may prefer to sort all files.
    query = query.with_hint(File, "FORCE INDEX (ix_file_removed_at)", dialect_name="mysql")
    after = None if cursor.id is None else [cursor.value, cursor.id]
    descending = listing.descending == cursor.forward  # going back, the order is reversed
    rows = seek(query, [File.removed_at, File.id], after, descending).limit(limit)
    return [RemovedFile(file, name or "") for file, name in db.session.execute(rows)]


def cursor_at(
    listing: RemovedFileListing, row: RemovedFile, forward: bool, place: int | None
) -> Cursor:
    return keyset.cursor_at(listing, row.file, forward, place)


@permitted(Role.ADMIN, by_token=False)
def count_removed(actor: Actor) -> int:
    """How many files can be restored, exactly. A file is one, however many versions it has."""
    query = select(func.count()).select_from(File).where(File.replaced_at.is_(None))
    return db.session.scalar(query.where(is_restorable())) or 0


def count_between(after: datetime, until: datetime) -> int:
    """How many files were removed in a period."""
    query = select(func.count()).select_from(File).where(File.replaced_at.is_(None))
    period = (File.removed_at > after, File.removed_at <= until)
    return db.session.scalar(query.where(*period)) or 0
