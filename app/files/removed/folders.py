"""Reading the removed folders that can be restored, from the history: they have no rows of their
own."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import ClassVar

from sqlalchemy import ColumnElement, exists, false, func, literal, select, union_all
from sqlalchemy.orm import aliased

from app.actor import Actor, Role
from app.auth.models import Person
from app.database import keyset
from app.database.cursor import BY_ID, Cursor
from app.database.engine import db
from app.database.keyset import COUNT_MOST, Page, Query, count_some, seek_by_id
from app.database.service import permitted
from app.files.folders.paths import inside, name_of, parent_of
from app.files.models import File, join_path
from app.files.removed.places import paths_now
from app.files.rules import KIND, is_restorable
from app.history.models import HistoryEntry
from app.history.queries import visible_to, written_since
from app.removed import period
from app.removed.listing import RemovedListing, RemovedRow


@dataclass(frozen=True)
class RemovedFolderListing(RemovedListing):
    """Removed folders, of those that were removed together the outermost."""

    SORTS: ClassVar = {"removed": BY_ID}


@dataclass(frozen=True)
class RemovedFolder:
    """A removed folder: the id of the entry about its removal, the path that it would have now, and
    how many files can be restored with it (None for more than COUNT_MOST); `file_id` is a file that
    has this path now, so that it cannot be restored."""

    entry_id: int
    path: str
    files: int | None
    remover: str | None
    removed_at: datetime
    file_id: int | None

    @property
    def name(self) -> str:
        return name_of(self.path)


@permitted(Role.VIEWER)
def select_removed_folders(
    actor: Actor, listing: RemovedFolderListing, cursor: Cursor
) -> tuple[Page[RemovedFolder], int | None]:
    """A page of the list, and how many it has (None for more than COUNT_MOST). Only folders that
    the actor may restore."""
    conditions = conditions_of(actor)
    total = count_some(HistoryEntry.id, conditions)
    page: Page[RemovedRow] = keyset.select_page(
        partial(read_rows, listing, conditions),
        partial(keyset.cursor_at, listing),
        cursor,
        listing.size,
        total,
    )
    found = describe_removals(page.rows)
    return Page(found, page.previous, page.next, page.start), total


def conditions_of(actor: Actor) -> list[ColumnElement[bool]]:
    """The entries about the removal of folders that were not restored since. The first entry that
    was written about a folder and those in it is the outermost; the others are folded."""
    entry, later = HistoryEntry, aliased(HistoryEntry)
    newer = exists().where(
        later.subject_kind == entry.subject_kind,
        later.subject_id == entry.subject_id,
        later.id > entry.id,
    )
    chosen = [entry.action == "folder.delete", entry.folded == false(), visible_to(actor)]
    chosen += [*written_since(period.oldest_restorable()), period.is_restorable(KIND, entry.at)]
    chosen.append(~newer)
    return chosen if actor.may_write else [*chosen, entry.actor_id == actor.person_id]


def read_rows(
    listing: RemovedFolderListing,
    conditions: Sequence[ColumnElement[bool]],
    cursor: Cursor,
    limit: int,
) -> Sequence[RemovedRow]:
    """Up to `limit` rows from a cursor on, in reading direction."""
    query: Query = select(HistoryEntry, HistoryEntry.id, Person.name.label("remover"))
    query = query.outerjoin(Person, HistoryEntry.actor_id == Person.id).where(*conditions)
    # MariaDB may prefer to read the history of all kinds backwards.
    query = query.with_hint(HistoryEntry, "FORCE INDEX (ix_history_action)", dialect_name="mysql")
    return db.session.execute(
        seek_by_id(query, HistoryEntry.id, listing, cursor).limit(limit)
    ).all()


def describe_removals(rows: Sequence[RemovedRow]) -> list[RemovedFolder]:
    entries = [row.HistoryEntry for row in rows]
    paths = paths_now(entries)
    counts, there = count_files(entries, paths), files_at(paths.values())
    return [
        RemovedFolder(
            entry_id=row.id,
            path=paths[row.id],
            files=counts.get(row.id, 0),
            remover=row.remover,
            removed_at=row.HistoryEntry.at,
            file_id=there.get(paths[row.id]),
        )
        for row in rows
    ]


def files_at(paths: Collection[str]) -> Mapping[str, int]:
    """The ids of files that have some of these paths, of whomever, by their paths."""
    names = File.name.in_(map(name_of, paths)), File.folder.in_(map(parent_of, paths))
    query = select(File.id, File.folder, File.name).where(
        *names, File.removed_at.is_(None), File.replaced_at.is_(None)
    )
    found = {join_path(row.folder, row.name): row.id for row in db.session.execute(query)}
    return {path: found[path] for path in paths if path in found}


def count_files(
    entries: Sequence[HistoryEntry], paths: Mapping[int, str]
) -> Mapping[int, int | None]:
    """How many files that were removed with folders can be restored, each counted up to COUNT_MOST,
    in one query."""
    about = aliased(HistoryEntry)
    files = select(File.id).join(about, about.subject_id == File.id)
    files = files.where(about.action == "file.delete", is_restorable(), File.removed_at <= about.at)
    some = [
        (
            entry.id,
            files.where(about.batch_id == entry.batch_id, inside(File.folder, paths[entry.id]))
            .limit(COUNT_MOST + 1)
            .subquery(),
        )
        for entry in entries
        if entry.batch_id
    ]
    if not some:
        return {}
    counts = [select(literal(each), func.count()).select_from(rows) for each, rows in some]
    rows = db.session.execute(union_all(*counts))
    return {entry_id: count if count <= COUNT_MOST else None for entry_id, count in rows}
