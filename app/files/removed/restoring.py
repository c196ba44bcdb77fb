"""Restoring files and folders that were removed together: functions within a running service."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from app.actor import Actor
from app.database.engine import db
from app.database.failures import violates
from app.database.limits import slices
from app.errors import Conflict, Forbidden
from app.files.folders.checks import check_no_files, check_not_taken
from app.files.folders.models import UNIQUE_PATH
from app.files.folders.moving import update_files, update_versions
from app.files.folders.paths import ancestors, inside, is_inside, parent_of
from app.files.folders.removing import COLUMNS, lock_files, owner_names
from app.files.folders.rows import TABLE, ensure_folders, lock_present
from app.files.models import File, FileRow, join_path
from app.files.queries import same_name
from app.files.removed.places import paths_now
from app.files.rules import check_may_change, is_restorable, restorable_since
from app.files.search_keys import folder_keys
from app.files.services import newest_current, recorded
from app.history.bulk import is_action, newest_entries
from app.history.models import HistoryEntry
from app.history.services import Change, new_batch_id, record
from app.text import N_
from app.times import now

PRIMARY_KEY = "pk_folder"
# What restoring sets.
PRESENT: Mapping[str, Any] = {"removed_at": None, "removed_by": None}

Entries = Mapping[str, HistoryEntry]  # about removed folders, by paths


@dataclass(frozen=True)
class Restored:
    """What was restored together; `behind` is how many of the files are older versions now, of
    other files that have their names."""

    files: Sequence[FileRow]
    folders: list[str]
    behind: int = 0

    @property
    def tops(self) -> list[str]:
        """The folders without those in them."""
        all_of_them = set(self.folders)
        return [path for path in self.folders if parent_of(path) not in all_of_them]

    @property
    def place(self) -> str:
        """The folder of the first."""
        return str(min([*(row.folder for row in self.files), *map(parent_of, self.folders)]))


def restore_removed(actor: Actor, batch_id: str, path: str = "") -> Restored:
    """Restore what was removed together and can still be restored, where it would be now: folders
    above it may have been moved since. Conflict, and nothing is restored, if something else has one
    of the paths. With a `path` the folder that would have it now, and what was in it; folders above
    it that are missing are made again with their ids. Where the owner has stored a file of the same
    name in the meantime, or several come back to one name, they become versions of one file, see
    restore_versions_of(). The owners of the files are locked, see find_owners()."""
    files = removed_together(batch_id, path)
    for row in files:
        check_may_change(actor, row)
    check_not_taken([join_path(row.folder, row.name) for row in files])
    entries, above = folder_entries(batch_id, path)
    insert_folders(actor, above)
    removals, batch_id = removal_ids(batch_id), new_batch_id()
    folders = restore_folders(actor, entries, batch_id)
    ensure_folders({row.folder for row in files}, actor.id)
    owners, shared = owner_names(files), sharing_names(files)
    changes = restore_versions_of([row for row in files if row.id in shared], owners)
    behind = sum((each.after or {}).get("current") not in (None, each.version) for each in changes)
    rest = [row for row in files if row.id not in shared]
    if rest:
        same = (File.removed_at == rest[0].removed_at, File.removed_by == rest[0].removed_by)
        update_files(and_(*same, inside(File.folder, path)), PRESENT)
    changes += [
        Change(row.id, after=recorded(row, owners[row.owner_id]), version=row.version)
        for row in rest
    ]
    changes = [replace(each, reverts_id=removals.get(each.subject_id)) for each in changes]
    record(actor, "file.restore", *changes, batch_id=batch_id)
    return Restored(files, folders, behind)


def removal_ids(batch_id: str) -> dict[int, int]:
    """The ids of the entries about the files that were removed together, by file."""
    entry = HistoryEntry
    query = select(entry.subject_id, entry.id)
    query = query.where(entry.batch_id == batch_id, is_action("file.delete"))
    return dict(db.session.execute(query).all())


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


def folder_entries(batch_id: str, path: str) -> tuple[Entries, Entries]:
    """The entries about the folders of a batch that can still be restored, by the paths that these
    would have now: those of a `path` and what was in it, without those that were restored and
    perhaps removed again since; and those of the folders above it."""
    query = select(HistoryEntry).where(
        HistoryEntry.batch_id == batch_id,
        HistoryEntry.action == "folder.delete",
        HistoryEntry.at > restorable_since(),
    )
    found = db.session.scalars(query.order_by(HistoryEntry.id)).all()
    present, above = paths_now(found), ancestors(parent_of(path))
    by_path = {present[entry.id]: entry for entry in found}
    newest = set(newest_entries("folder", [entry.subject_id for entry in found]).values())
    return (
        {
            each: entry
            for each, entry in by_path.items()
            if is_inside(each, path) and entry.id in newest
        },
        {each: entry for each, entry in by_path.items() if each in above},
    )


def restore_folders(actor: Actor, entries: Entries, batch_id: str | None) -> list[str]:
    """Restore removed folders, by the paths where they would be now; returns these. Where there is
    a folder again, because something in the removed one was restored or it was made, that one is
    it. The entries are the newest about their folders."""
    insert_folders(actor, entries)
    restored = sorted(entries)
    changes = [
        Change(entries[path].subject_id, after={"path": path}, reverts_id=entries[path].id)
        for path in restored
    ]
    record(actor, "folder.restore", *changes, batch_id=batch_id)
    return restored


def insert_folders(actor: Actor, entries: Entries) -> None:
    """Insert the rows of those removed folders whose paths nothing has, with the ids that they had
    and as their entries say."""
    if not all(may_restore_folder(actor, entry) for entry in entries.values()):
        raise Forbidden(N_("Only editors can do this, and whoever removed the folder."))
    missing = entries.keys() - lock_present(entries)
    check_no_files({each for path in missing for each in ancestors(path)})
    rows = [row_of(path, entries[path], actor) for path in sorted(missing)]
    try:
        if rows:
            db.session.execute(insert(TABLE), rows)
    except IntegrityError as error:
        if violates(error, UNIQUE_PATH):
            raise Conflict(N_("Somebody else used this name just now.")) from None
        if violates(error, PRIMARY_KEY):
            raise Conflict(N_("Somebody else restored this just now.")) from None
        raise
    ensure_folders(map(parent_of, missing), actor.id)


def row_of(path: str, entry: HistoryEntry, actor: Actor) -> dict[str, Any]:
    """The row of a removed folder. The entries of an earlier release do not say who made it and
    when; then that is who restores it, and now."""
    before = json.loads(entry.before or "{}")
    created_at = before.get("created_at")
    return {
        "id": entry.subject_id,
        "path": path,
        "parent": parent_of(path),
        "created_at": datetime.fromisoformat(created_at) if created_at else now(),
        "created_by": before.get("created_by", actor.id),
        **folder_keys(path),
    }


def may_restore_folder(actor: Actor, entry: HistoryEntry) -> bool:
    """True for editors, and for others who removed it themselves."""
    return actor.may_write or (actor.is_signed_in and entry.actor_id == actor.person_id)


def sharing_names(files: Sequence[FileRow]) -> set[int]:
    """The ids of those of the files whose owner has a present file of this name, or another one
    that was removed together with it: a file that is moved takes the removed ones of its name
    along, to where there may be others."""
    if not files:
        return set()
    other, moment = aliased(File), files[0].removed_at
    removed_too = and_(other.removed_at == moment, other.replaced_at.is_(None), other.id != File.id)
    of_name = and_(*same_name(other), or_(other.removed_at.is_(None), removed_too))
    query = select(File.id).join(other, of_name).where(File.removed_at == moment)
    return set(db.session.scalars(query)).intersection(row.id for row in files)


def restore_versions_of(files: Sequence[FileRow], owners: Mapping[int, str]) -> list[Change]:
    """Restore removed files, which are locked, as versions of one file with those of their names
    that are present or restored too; the newest is current. Returns what the history says about
    it."""
    versions, changes = find_versions(files), list[Change]()
    back, current_ids, replaced = set[int](), set[int](), set[int]()
    for file in files:
        present = [row for row in versions[file.id] if row.removed_at in (None, file.removed_at)]
        restored = [row for row in present if row.removed_at is not None]
        current = newest_current(present)
        back.update(row.id for row in restored)
        current_ids.add(current.id)
        replaced.update(row.id for row in present if row is not current and not row.replaced_at)
        fields = recorded(file, owners[file.owner_id])
        if file.id != current.id or len(present) > len(restored):
            fields["current"] = current.version
        changes.append(Change(file.id, after=fields, version=file.version))
    update_versions(sorted(back), PRESENT)
    update_versions(sorted(current_ids), {"replaced_at": None})
    update_versions(sorted(replaced), {"replaced_at": now()})
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
