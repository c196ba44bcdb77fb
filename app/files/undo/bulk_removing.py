"""Undoing the upload or restoration of many files: what is unchanged since is removed again."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, and_, select
from sqlalchemy.orm import aliased

from app.actor import Actor, Role
from app.database.engine import db, release_connection
from app.database.limits import slices
from app.database.service import after_commit, service
from app.files import cache
from app.files.folders.models import Folder
from app.files.folders.moving import update_versions
from app.files.folders.paths import ancestors, name_of
from app.files.folders.removing import (
    REMOVE_MOST,
    delete_folders,
    lock_files,
    owner_names,
)
from app.files.models import File, FileRow
from app.files.queries import lock_owners, owners_of, same_name
from app.files.rules import check_owned
from app.files.services import recorded
from app.files.undo.results import Undone
from app.history.bulk import RecordedChange, newest_entries, read_changes
from app.history.models import HistoryEntry
from app.history.services import Change, new_batch_id, record
from app.times import now

# How long before the first entry about an upload its folders may have been made, in the same
# transaction.
BEFORE_ENTRY = timedelta(seconds=10)

Changes = Mapping[int, RecordedChange]  # by the ids of subjects
FolderRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Added:
    """What came with a bulk change: files, and folders of which the history has entries."""

    head: HistoryEntry
    files: Changes
    folders: Changes


@dataclass(frozen=True)
class VersionRemoval:
    """The current versions of the files to be removed; the ids of all versions that are removed;
    and by the id of a current version the one that becomes current again."""

    files: Sequence[FileRow]
    versions: list[int]
    former: Mapping[int, FileRow]


def remove_all_added(actor: Actor, heads: Sequence[HistoryEntry]) -> Undone:
    """Remove what was uploaded or restored, REMOVE_MOST files in one transaction."""
    uploaded = heads[0].action == "file.create"
    files = read_changes(heads, "file.create" if uploaded else "file.restore")
    folders = {} if uploaded else read_changes(heads, "folder.restore")
    added, ids = Added(heads[0], files, folders), list(files)
    owner_ids = owners_of(ids)
    check_owned(actor, owner_ids)
    release_connection()
    parts = [
        remove_added(actor, added, ids[start : start + REMOVE_MOST], owner_ids)
        for start in range(0, len(ids) or 1, REMOVE_MOST)
    ]
    removals = [removal for removal, _folders in parts]
    # Of a file with versions in two parts, the first one removes all.
    removed = {each for removal in removals for each in removal.versions}
    return Undone(
        "removed",
        [row.name for each in removals for row in each.files if row.id not in each.former],
        [name for _removal, folders in parts for name in folders],
        [row.name for each in removals for row in each.files if row.id in each.former],
        left=len(set(ids) - removed),
    )


@service(Role.VIEWER)
def remove_added(
    actor: Actor, added: Added, ids: Collection[int], owner_ids: Collection[int]
) -> tuple[VersionRemoval, list[str]]:
    """Remove those of some files that are unchanged, and the folders that are empty then, in one
    transaction that first locks the owners; returns also the names of these folders. The folders
    are locked before the files, as by those who remove them."""
    lock_owners(owner_ids)
    folders = lock_folders(actor, added, ids)
    removal, batch_id = plan_removal(added, ids), new_batch_id()
    update_versions(removal.versions, {"removed_at": now(), "removed_by": actor.id})
    update_versions([row.id for row in removal.former.values()], {"replaced_at": None})
    record_removal(actor, added, removal, batch_id)
    empty = find_empty(folders)
    delete_folders(actor, empty, batch_id, {each: on.id for each, on in added.folders.items()})
    after_commit(cache.invalidate)
    return removal, [name_of(row.path) for row in empty]


def record_removal(actor: Actor, added: Added, removal: VersionRemoval, batch_id: str) -> None:
    """In the feed the first file of which a former version is current again stands for others of
    this kind, and the first of which nothing is left for these."""
    owners = owner_names(removal.files)
    changes = [
        Change(
            row.id,
            before=fields_of(row, owners, removal),
            version=row.version,
            reverts_id=added.files[row.id].id,
        )
        for row in removal.files
    ]
    for is_former in (True, False):
        some = [each for each in changes if (each.subject_id in removal.former) == is_former]
        record(actor, "file.delete", *some, batch_id=batch_id)


def fields_of(row: FileRow, owners: Mapping[int, str], removal: VersionRemoval) -> dict[str, Any]:
    """The fields of a removed version for the history, with the number of the version that is
    current again."""
    fields, former = recorded(row, owners[row.owner_id]), removal.former.get(row.id)
    return fields if former is None else {**fields, "current": former.version}


def plan_removal(added: Added, ids: Collection[int]) -> VersionRemoval:
    """Lock the unchanged files of some ids, and find what is removed of each: an uploaded version
    alone, if there is one from before, and a file that was restored with all its versions."""
    rows = lock_current(ids)
    others = find_replaced(ids)
    known = {row.id for row in rows}.union(each.id for some in others.values() for each in some)
    newest = newest_entries("file", known.intersection(added.files))
    unchanged = {each for each, last in newest.items() if last == added.files[each].id}
    files, versions, former = [], list[int](), {}
    for row in rows:
        if row.id not in unchanged:
            continue
        files.append(row)
        versions.append(row.id)
        whole = is_whole(added.files[row.id], added.head.action)
        for other in others[row.id]:
            if not whole and other.id not in unchanged:
                former[row.id] = other
                break
            versions.append(other.id)
    return VersionRemoval(files, versions, former)


def is_whole(change: RecordedChange, action: str) -> bool:
    """True for a file that was restored with all its versions."""
    return action != "file.create" and "current" not in json.loads(change.after or "{}")


def lock_current(ids: Collection[int]) -> list[FileRow]:
    """Those of some versions that are the current ones of their files; all are locked, by their ids
    alone, so that no others are."""
    found = list[FileRow]()
    for some in slices(ids):
        found += lock_files(select(File.id).where(File.id.in_(some)))
    return [row for row in found if row.removed_at is None and row.replaced_at is None]


def find_replaced(ids: Collection[int]) -> Mapping[int, Sequence[FileRow]]:
    """The other versions of the files whose current versions have these ids, by these; the one
    that was current last comes first."""
    other, found = aliased(File), defaultdict[int, list[FileRow]](list)
    replaced = (other.removed_at.is_(None), other.replaced_at.is_not(None))
    query = select(File.id.label("current_id"), other.id, other.version)
    query = query.join(other, and_(*same_name(other), *replaced)).where(File.replaced_at.is_(None))
    query = query.order_by(other.replaced_at.desc(), other.version.desc())
    for some in slices(ids):
        for row in db.session.execute(query.where(File.id.in_(some))):
            found[row.current_id].append(row)
    return found


def lock_folders(actor: Actor, added: Added, ids: Collection[int]) -> list[FolderRow]:
    """The folders that came with these files, and that the actor may remove, locked. Those that
    were moved after their entries were read are left out."""
    newest = newest_entries("folder", added.folders)
    came = {each for each, last in newest.items() if last == added.folders[each].id}
    columns = select(Folder.id, Folder.path, Folder.created_at, Folder.created_by).order_by(
        Folder.id
    )
    before, rows = dict[int, str](), list[FolderRow]()
    for some in slices(came | find_made(added, ids)):
        query = columns.where(Folder.id.in_(some))
        before.update((row.id, row.path) for row in db.session.execute(query))
        rows += db.session.execute(query.with_for_update())
    return [
        row
        for row in rows
        if row.path == before.get(row.id) and (actor.may_write or row.created_by == actor.person_id)
    ]


def find_made(added: Added, ids: Collection[int]) -> set[int]:
    """The ids of the folders that were made because these files came, of which the history has no
    entries."""
    above, found = set[str](), set[int]()
    for some in slices(ids):
        folders = select(File.folder).where(File.id.in_(some)).distinct()
        above.update(each for path in db.session.scalars(folders) for each in ancestors(path))
    moments = [each.at for each in added.files.values()] or [added.head.at]
    made = Folder.created_at.between(min(moments) - BEFORE_ENTRY, max(moments))
    by_them = Folder.created_by == added.head.actor_id
    for paths in slices(above):
        query = select(Folder.id).where(Folder.path.in_(paths), made, by_them)
        found.update(db.session.scalars(query))
    return found.difference(newest_entries("folder", found))


def find_empty(folders: Sequence[FolderRow]) -> list[FolderRow]:
    """Those of some folders in which there is nothing but others of them, that above first. What is
    in them is locked, because this transaction may have begun before others that put it there."""
    paths, used = {row.path for row in folders}, set[str]()
    for some in slices(paths):
        files = select(File.folder).where(File.folder.in_(some), File.removed_at.is_(None))
        used.update(db.session.scalars(files.with_for_update(read=True)))
        inner = select(Folder.path, Folder.parent).where(Folder.parent.in_(some))
        found = db.session.execute(inner.with_for_update(read=True))
        used.update(row.parent for row in found if row.path not in paths)
    used = {each for path in used for each in ancestors(path)}
    return sorted((row for row in folders if row.path not in used), key=attrgetter("path"))
