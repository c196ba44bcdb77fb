"""Removing files and folders, and bringing back what was removed together: functions within a
running service."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from app.actor import Actor
from app.auth.models import Person
from app.database.engine import db
from app.database.failures import violates
from app.errors import Conflict, Forbidden
from app.files.folders.checks import check_count
from app.files.folders.models import UNIQUE_PATH, Folder
from app.files.folders.moving import lock_folder, lock_inside, update_files
from app.files.folders.paths import ancestors, inside, is_inside, moved, parent_of
from app.files.folders.rows import BATCH, TABLE, ensure_folders, lock_present
from app.files.listing import FileListing
from app.files.models import File, FileRow
from app.files.rules import check_may_change, is_restorable, restorable_since
from app.files.search_keys import folder_keys
from app.files.services import RECORDED, recorded, restore_versions
from app.history.models import HistoryEntry
from app.history.services import Change, new_batch_id, record
from app.text import N_
from app.times import now

# Files and folders that are removed in one transaction.
REMOVE_MOST = 5_000
TOO_MANY = N_(
    "At most %(most)s files can be removed at once. Remove the folders in it one by one.",
    most=REMOVE_MOST,
)
PRIMARY_KEY = "pk_folder"
RESTORED_JUST_NOW = N_("Somebody else restored this just now.")

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
    for start in range(0, len(ids), BATCH):
        some = delete(Folder).where(Folder.id.in_(ids[start : start + BATCH]))
        db.session.execute(some.execution_options(synchronize_session=False))
    return count


@dataclass(frozen=True)
class Restored:
    """What was restored together."""

    files: Sequence[FileRow]
    folders: list[str]

    @property
    def tops(self) -> list[str]:
        """The folders without those in them."""
        all_of_them = set(self.folders)
        return [path for path in self.folders if parent_of(path) not in all_of_them]

    @property
    def place(self) -> str:
        """The folder of the first."""
        return str(min([*(row.folder for row in self.files), *map(parent_of, self.folders)]))


def restore_removed(
    actor: Actor, batch_id: str, path: str = "", reverts_id: int | None = None
) -> Restored:
    """Restore what was removed together, as far as it can be, where it would be now: folders above
    it may have been moved since. With a `path` the folder that would have it now, and what was in
    it. Where a file came to a name in the meantime, that one stays the current version. The owners
    of the files are locked, see find_owners()."""
    files = removed_together(batch_id, path)
    for row in files:
        check_may_change(actor, row)
    again, entries, batch_id = uploaded_again(files), folder_entries(batch_id, path), new_batch_id()
    folders = restore_folders(actor, entries, batch_id, reverts_id)
    ensure_folders({row.folder for row in files}, actor.id)
    for file in again.values():
        restore_versions(actor, file)
    rest, owners = [row for row in files if row.id not in again], owner_names(files)
    if rest:
        same = (File.removed_at == rest[0].removed_at, File.removed_by == rest[0].removed_by)
        update_files(
            and_(*same, inside(File.folder, path)), {"removed_at": None, "removed_by": None}
        )
    changes = [
        Change(row.id, after=recorded(row, owners[row.owner_id]), version=row.version)
        for row in rest
    ]
    record(actor, "file.restore", *changes, batch_id=batch_id)
    return Restored(files, folders)


def find_owners(batch_id: str | None) -> Sequence[int]:
    """Who owns the files that were removed together, to be locked before anything else is read."""
    entry = aliased(HistoryEntry)
    query = select(File.owner_id).join(entry, entry.subject_id == File.id).distinct()
    query = query.where(entry.batch_id == batch_id, entry.action == "file.delete")
    return db.session.scalars(query).all() if batch_id else ()


def removed_together(batch_id: str, path: str) -> Sequence[FileRow]:
    """The files of a batch that were not restored since and can still be. All were removed at the
    same moment, before the entries about it were written; a later removal has a later one."""
    entry = aliased(HistoryEntry)
    ids = select(File.id).join(
        entry, and_(entry.subject_id == File.id, entry.action == "file.delete")
    )
    of_batch = (entry.batch_id == batch_id, is_restorable(), File.removed_at <= entry.at)
    return lock_files(ids.where(*of_batch, inside(File.folder, path)))


def folder_entries(batch_id: str, path: str) -> list[HistoryEntry]:
    """The entries about the folders of a batch that can still be restored; those of a `path` and
    what was in it."""
    query = select(HistoryEntry).where(
        HistoryEntry.batch_id == batch_id,
        HistoryEntry.action == "folder.delete",
        HistoryEntry.at > restorable_since(),
    )
    found = db.session.scalars(query.order_by(HistoryEntry.id)).all()
    present = paths_now(found)
    return [entry for entry in found if is_inside(present[entry.id], path)]


def restore_folders(
    actor: Actor,
    entries: Sequence[HistoryEntry],
    batch_id: str | None,
    reverts_id: int | None = None,
) -> list[str]:
    """Restore removed folders, with the ids that they had, where they would be now and there is
    none again; returns their paths."""
    if not all(may_restore_folder(actor, entry) for entry in entries):
        raise Forbidden(N_("Only editors can do this, and whoever removed the folder."))
    present = paths_now(entries)
    removed = {present[entry.id]: entry.subject_id for entry in entries}
    missing = sorted(removed.keys() - lock_present(removed))
    common = {"created_at": now(), "created_by": actor.id}
    rows = [
        {
            "id": removed[path],
            "path": path,
            "parent": parent_of(path),
            **folder_keys(path),
            **common,
        }
        for path in missing
    ]
    try:
        if rows:
            db.session.execute(insert(TABLE), rows)
    except IntegrityError as error:
        if violates(error, UNIQUE_PATH) or violates(error, PRIMARY_KEY):
            raise Conflict(RESTORED_JUST_NOW) from None
        raise
    ensure_folders(map(parent_of, missing), actor.id)
    changes = [Change(removed[path], after={"path": path}) for path in missing]
    record(actor, "folder.restore", *changes, batch_id=batch_id, reverts_id=reverts_id)
    return missing


def paths_now(entries: Sequence[HistoryEntry]) -> dict[int, str]:
    """Where removed folders would be now, by the ids of the entries about their removal: where a
    folder above was moved since, the files that were removed in them moved too."""
    paths = {entry.id: path_before(entry) for entry in entries}
    columns = select(HistoryEntry.id, HistoryEntry.before, HistoryEntry.after)
    later = (HistoryEntry.subject_kind == "folder", HistoryEntry.id > min(paths, default=0))
    query = columns.where(*later, HistoryEntry.action == "folder.move").order_by(HistoryEntry.id)
    above = {each for path in paths.values() for each in ancestors(path)}
    for move in db.session.execute(query) if paths else ():
        old, new = recorded_path(move.before), recorded_path(move.after)
        if old in above:
            for entry_id, path in paths.items():
                if entry_id < move.id and is_inside(path, old):
                    paths[entry_id] = moved(path, old, new)
            above = {each for path in paths.values() for each in ancestors(path)}
    return paths


def path_before(entry: HistoryEntry) -> str:
    return recorded_path(entry.before)


def recorded_path(fields: str | None) -> str:
    """The path of a folder in a column of the history."""
    return str(json.loads(fields or "{}").get("path", ""))


def may_restore_folder(actor: Actor, entry: HistoryEntry) -> bool:
    """True for editors, and for others who removed it themselves."""
    return actor.may_write or (actor.is_signed_in and entry.actor_id == actor.person_id)


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
