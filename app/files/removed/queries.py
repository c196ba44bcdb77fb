"""Reading the removed files that can be restored."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from app.actor import Actor, Role
from app.auth.models import Person
from app.database.cursor import Cursor
from app.database.dialects import has_text
from app.database.engine import db
from app.database.keyset import Page, count_rows
from app.database.service import permitted
from app.files.folders.paths import inside
from app.files.models import File, FileRow
from app.files.queries import versions_of
from app.files.rules import is_restorable
from app.history.models import HistoryEntry
from app.history.queries import find_removal
from app.removed.listing import RemovedListing, RemovedRow, by_removal, select_page
from app.text import search_key


@dataclass(frozen=True)
class RemovedFileListing(RemovedListing):
    """Removed files, each the version that was the current one."""

    SORTS: ClassVar = by_removal(File.removed_at)


@permitted(Role.VIEWER)
def select_removed(
    actor: Actor, listing: RemovedFileListing, cursor: Cursor
) -> tuple[Page[RemovedRow], int | None]:
    """A page of the list, and how many it has: `File`, and the name of who removed it, `remover`.
    Only files that the actor may restore."""
    query = select(File, Person.name.label("remover"), File.id, File.removed_at)
    query = query.outerjoin(Person, File.removed_by == Person.id).options(joinedload(File.owner))
    return select_page(query, listing, conditions_of(actor, listing), cursor)


def conditions_of(actor: Actor, listing: RemovedFileListing) -> list[ColumnElement[bool]]:
    chosen = [File.replaced_at.is_(None), *restorable_by(actor)]
    if listing.search:
        chosen.append(has_text(File.search_key, search_key(listing.search)))
    return chosen


def restorable_by(actor: Actor) -> list[ColumnElement[bool]]:
    """The condition for removed versions that an actor may restore."""
    own = [] if actor.may_write else [File.owner_id == actor.person_id]
    return [is_restorable(), *own]


@permitted(Role.VIEWER)
def find_removed(actor: Actor, file_id: int) -> RemovedRow | None:
    """A removed version by its id: `File`, and the name of who removed it, `remover`. None if there
    is none that the actor may restore."""
    query = select(File, Person.name.label("remover"))
    query = query.outerjoin(Person, File.removed_by == Person.id).options(joinedload(File.owner))
    return db.session.execute(query.where(File.id == file_id, *restorable_by(actor))).first()


@permitted(Role.VIEWER)
def find_remaining(actor: Actor, file_id: int) -> int | None:
    """The id of the current version of a file of which this version was removed alone, as the
    history says: undoing an upload or a restoration does that. None for a file that was removed
    with all its versions, whatever has its name now."""
    file = db.session.get(File, file_id, populate_existing=True)
    if file is None or file.removed_at is None:
        return None
    columns = select(File.id, File.version, File.removed_at, File.replaced_at)
    rows = db.session.execute(columns.where(*versions_of(file))).all()
    others = {row.version: row for row in rows}
    remaining: File | FileRow | None = file
    while remaining is not None and remaining.removed_at is not None:
        remaining = others.pop(version_after(remaining, remaining.removed_at), None)
    current = (row.id for row in rows if row.removed_at is None and row.replaced_at is None)
    return next(current, None) if remaining is not None else None


def version_after(file: File | FileRow, removed_at: datetime) -> int | None:
    """The present number of the version that became current when this one was removed alone. Where
    a file is moved, the numbers of all its versions may be raised, by the same amount."""
    removal = find_removal("file", file.id, removed_at)
    entry = db.session.get(HistoryEntry, removal) if removal else None
    fields = json.loads(entry.before or "{}") if entry else {}
    if entry is None or entry.version is None or "current" not in fields:
        return None
    return int(fields["current"]) + file.version - entry.version


@permitted(Role.VIEWER)
def list_removed_with(actor: Actor, file: File, most: int) -> list[int]:
    """The ids of the versions that were removed together with this one, newest first."""
    query = select(File.id).where(*versions_of(file), File.removed_at == file.removed_at)
    return list(db.session.scalars(query.order_by(File.version.desc()).limit(most)))


@permitted(Role.VIEWER)
def count_in_folder(actor: Actor, folder: str) -> int:
    """How many files that were in a folder when they were removed the actor may restore."""
    within = [inside(File.folder, folder), File.replaced_at.is_(None)]
    return count_rows(File, [*within, *restorable_by(actor)])


@permitted(Role.ADMIN, by_token=False)
def count_removed(actor: Actor) -> int:
    """How many files can be restored, exactly. A file is one, however many versions it has."""
    return count_rows(File, [File.replaced_at.is_(None), is_restorable()])


def count_between(after: datetime, until: datetime) -> int:
    """How many files were removed in a period."""
    period = [File.removed_at > after, File.removed_at <= until]
    return count_rows(File, [File.replaced_at.is_(None), *period])
