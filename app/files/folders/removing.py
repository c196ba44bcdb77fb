"""Removing files and folders, and bringing back what was removed together: functions within a
running service."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

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
from app.files.folders.moving import lock_folder, lock_inside, update_files, update_versions
from app.files.folders.paths import ancestors, inside, is_inside, parent_of
from app.files.folders.rows import (
    TABLE,
    ensure_folders,
    lock_present,
    slices,
)
from app.files.listing import FileListing
from app.files.models import File, FileRow
from app.files.removed.places import paths_now
from app.files.rules import check_may_change, is_restorable, restorable_since
from app.files.search_keys import folder_keys
from app.files.services import RECORDED, newest_current, recorded
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

# What restoring sets.
PRESENT: Mapping[str, Any] = {"removed_at": None, "removed_by": None}
COLUMNS = (
    File.id,
    File.owner_id,
    File.replaced_at,
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
    delete_folders(actor, rows, batch_id)
    return count


def delete_folders(
    actor: Actor, rows: Sequence[Any], batch_id: str, reverts_id: int | None = None
) -> None:
    """Delete the rows of folders, which are locked, each with an entry. The outermost are written
    first, each with those in it: so the list of removed folders has them, see record()."""
    paths, trees = {row.path for row in rows}, defaultdict[str, list[Change]](list)
    for row in sorted(rows, key=attrgetter("path")):
        top = next(path for path in ancestors(row.path) if path in paths)
        trees[top].append(Change(row.id, before={"path": row.path}))
    for changes in trees.values():
        record(actor, "folder.delete", *changes, batch_id=batch_id, reverts_id=reverts_id)
    for some in slices(row.id for row in rows):
        gone = delete(Folder).where(Folder.id.in_(some))
        db.session.execute(gone.execution_options(synchronize_session=False))


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
    entries, batch_id = folder_entries(batch_id, path), new_batch_id()
    folders = restore_folders(actor, entries, batch_id, reverts_id)
    ensure_folders({row.folder for row in files}, actor.id)
    owners, there = owner_names(files), uploaded_again(files)
    changes = restore_versions_of([row for row in files if row.id in there], owners)
    rest = [row for row in files if row.id not in there]
    if rest:
        same = (File.removed_at == rest[0].removed_at, File.removed_by == rest[0].removed_by)
        update_files(and_(*same, inside(File.folder, path)), PRESENT)
    changes += [
        Change(row.id, after=recorded(row, owners[row.owner_id]), version=row.version)
        for row in rest
    ]
    record(actor, "file.restore", *changes, batch_id=batch_id, reverts_id=reverts_id)
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


def may_restore_folder(actor: Actor, entry: HistoryEntry) -> bool:
    """True for editors, and for others who removed it themselves."""
    return actor.may_write or (actor.is_signed_in and entry.actor_id == actor.person_id)


def uploaded_again(files: Sequence[FileRow]) -> set[int]:
    """The ids of those of the files whose owner has a present file of this name."""
    if not files:
        return set()
    there = aliased(File)
    query = select(File.id).join(there, and_(*same_name(there), there.removed_at.is_(None)))
    query = query.where(File.removed_at == files[0].removed_at)
    return set(db.session.scalars(query)).intersection(row.id for row in files)


def same_name(other: Any) -> tuple[ColumnElement[bool], ...]:
    """The condition for other versions of a file."""
    names = ("owner_id", "folder", "name")
    return tuple(getattr(other, name) == getattr(File, name) for name in names)


def restore_versions_of(files: Sequence[FileRow], owners: Mapping[int, str]) -> list[Change]:
    """Restore removed files, which are locked, as versions of the present ones of their names, of
    which the newest is current; returns what the history says about it."""
    versions, changes = find_versions(files), list[Change]()
    back, current_ids, replaced = list[int](), list[int](), list[int]()
    for file in files:
        present = [row for row in versions[file.id] if row.removed_at in (None, file.removed_at)]
        restored = [row for row in present if row.removed_at is not None]
        current, last = newest_current(present), newest_current(restored)
        back += [row.id for row in restored]
        current_ids.append(current.id)
        others = (row for row in present if row is not current)
        replaced += [row.id for row in others if row.replaced_at is None]
        fields = {**recorded(last, owners[file.owner_id]), "current": current.version}
        changes.append(Change(last.id, after=fields, version=last.version))
    update_versions(back, PRESENT)
    update_versions(current_ids, {"replaced_at": None})
    update_versions(replaced, {"replaced_at": now()})
    return changes


def find_versions(files: Sequence[FileRow]) -> Mapping[int, Sequence[FileRow]]:
    """All versions of some files, locked, by the ids of the files."""
    found, file = defaultdict[int, list[FileRow]](list), aliased(File)
    query = select(file.id.label("file_id"), *COLUMNS).join(file, and_(*same_name(file)))
    for some in slices(row.id for row in files):
        rows = query.where(file.id.in_(some)).with_for_update(of=File)
        for row in db.session.execute(rows):
            found[row.file_id].append(row)
    return found
