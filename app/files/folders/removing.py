"""Removing files and folders, and bringing back what was removed together: functions within a
running service."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, select
from sqlalchemy.orm import aliased

from app.actor import Actor
from app.auth.models import Person
from app.database.engine import db
from app.files.folders.checks import check_count
from app.files.folders.models import Folder
from app.files.folders.moving import lock_folder, lock_inside, update_files
from app.files.folders.paths import inside
from app.files.folders.rows import ensure_folders
from app.files.listing import FileListing
from app.files.models import File
from app.files.rules import check_may_change, is_restorable
from app.files.services import RECORDED, recorded, restore_versions
from app.history.models import HistoryEntry
from app.history.services import Change, new_batch_id, record
from app.text import N_

# Files and folders that are removed in one transaction.
REMOVE_MOST = 5_000
TOO_MANY = N_(
    "At most %(most)s files can be removed at once. Remove the folders in it one by one.",
    most=REMOVE_MOST,
)

FileRow = Row[*tuple[Any, ...]]
COLUMNS = (
    File.id,
    File.owner_id,
    File.removed_at,
    File.removed_by,
    *(getattr(File, name) for name in RECORDED),
)


def check_removal(files: Sequence[File], folders: Sequence[Folder]) -> None:
    """Refuse to remove too much at once; to be called before the first removal."""
    rows = [select(Folder.id).where(inside(Folder.path, each.path)) for each in folders]
    rows += [
        select(File.id).where(*FileListing(folder=each.path).conditions(deep=True))
        for each in folders
    ]
    check_count(rows, REMOVE_MOST - len(files), TOO_MANY)


def remove_files(actor: Actor, which: ColumnElement[bool], batch_id: str, moment: datetime) -> int:
    """Remove all versions of these files, each with an entry; returns how many files."""
    present = (which, File.removed_at.is_(None))
    files = lock_files(select(File.id).where(*present, File.replaced_at.is_(None)))
    update_files(and_(*present), {"removed_at": moment, "removed_by": actor.id})
    owners = owner_names(files)
    changes = [
        Change(row.id, before=recorded(row, owners[row.owner_id]), version=row.version)
        for row in files
    ]
    record(actor, "file.delete", *changes, batch_id=batch_id)
    return len(files)


def lock_files(ids: Select[int]) -> Sequence[FileRow]:
    """The files of a query for ids, locked and in their order: as rows of some columns, because
    thousands of objects take seconds, in which the process answers nobody else on SQLite."""
    query = ids.with_only_columns(*COLUMNS, maintain_column_froms=True)
    return db.session.execute(query.order_by(File.id).with_for_update(of=File)).all()


def owner_names(files: Iterable[FileRow]) -> dict[int, str]:
    """The names of the owners of some files, by id."""
    people = select(Person.id, Person.name).where(Person.id.in_({row.owner_id for row in files}))
    return {row.id: row.name for row in db.session.execute(people)}


def remove_folder(actor: Actor, folder: Folder, batch_id: str, moment: datetime) -> int:
    """Remove a folder with everything in it; returns how many files."""
    folder = lock_folder(folder.id)
    rows = lock_inside(folder.path)
    count = remove_files(actor, inside(File.folder, folder.path), batch_id, moment)
    changes = [Change(row.id, before={"path": row.path}) for row in rows]
    record(actor, "folder.delete", *changes, batch_id=batch_id)
    ids = [row.id for row in rows]
    for start in range(0, len(ids), 500):
        some = delete(Folder).where(Folder.id.in_(ids[start : start + 500]))
        db.session.execute(some.execution_options(synchronize_session=False))
    return count


def restore_removed(actor: Actor, batch_id: str) -> Sequence[FileRow]:
    """Restore the files that were removed together, as far as they can be, and the folders. Where a
    file came to a name in the meantime, it stays the current version."""
    files = removed_together(batch_id)
    for row in files:
        check_may_change(actor, row)
    folders = [json.loads(entry.before or "{}")["path"] for entry in folder_entries(batch_id)]
    ensure_folders({*folders, *(row.folder for row in files)}, actor.id)
    again = uploaded_again(files)
    for file in again.values():
        restore_versions(actor, file)
    rest, owners = [row for row in files if row.id not in again], owner_names(files)
    if rest:
        same = (File.removed_at == rest[0].removed_at, File.removed_by == rest[0].removed_by)
        update_files(and_(*same), {"removed_at": None, "removed_by": None})
    changes = [
        Change(row.id, after=recorded(row, owners[row.owner_id]), version=row.version)
        for row in rest
    ]
    record(actor, "file.restore", *changes, batch_id=new_batch_id())
    return files


def removed_together(batch_id: str) -> Sequence[FileRow]:
    """The files of a batch that were not restored since and can still be. All were removed at the
    same moment, before the entries about it were written; a later removal has a later one."""
    entry = aliased(HistoryEntry)
    ids = select(File.id).join(
        entry, and_(entry.subject_id == File.id, entry.action == "file.delete")
    )
    of_batch = (entry.batch_id == batch_id, is_restorable(), File.removed_at <= entry.at)
    return lock_files(ids.where(*of_batch))


def folder_entries(batch_id: str) -> Sequence[HistoryEntry]:
    of_batch = (HistoryEntry.batch_id == batch_id, HistoryEntry.action == "folder.delete")
    return db.session.scalars(select(HistoryEntry).where(*of_batch)).all()


def uploaded_again(files: Sequence[FileRow]) -> dict[int, File]:
    """Those of the files whose owner has a present file of this name, by id."""
    if not files:
        return {}
    there = aliased(File)
    same = (there.owner_id == File.owner_id, there.folder == File.folder, there.name == File.name)
    query = select(File).join(there, and_(*same, there.removed_at.is_(None)))
    found = db.session.scalars(query.where(File.removed_at == files[0].removed_at))
    ids = {row.id for row in files}
    return {file.id: file for file in found if file.id in ids}
