"""Undoing what was done with folders, and that a file was moved, as the history offers it."""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import select, union

from app.actor import Actor, Role
from app.database.engine import db, release_connection
from app.database.service import after_commit, permitted, service
from app.errors import Conflict, Invalid
from app.files import cache
from app.files.folders.checks import (
    check_may_change_folders,
    check_not_taken,
    find_files,
    may_change_folders,
)
from app.files.folders.models import Folder
from app.files.folders.moving import Move, Types, check_move, move_file, move_folder, read_types
from app.files.folders.paths import how_moved, inside, name_of, parent_of
from app.files.folders.removing import delete_folders
from app.files.folders.rows import ensure_folders
from app.files.folders.services import record_move
from app.files.models import File, join_path
from app.files.queries import lock_owners
from app.files.removed.places import path_before, paths_now, recorded_path, removals_named
from app.files.removed.restoring import (
    Restored,
    find_owners,
    may_restore_folder,
    restore_folders,
    restore_removed,
)
from app.files.rules import restorable_since
from app.files.undo.results import BEHIND, count_message
from app.history.bulk import first_of_batch, lock_entry
from app.history.models import HistoryEntry
from app.history.queries import CHANGED_SINCE, GONE, check_newest, newest_of_subjects
from app.text import N_, Message


@permitted(Role.VIEWER)
def find_undoable_folders(actor: Actor, entries: Sequence[HistoryEntry]) -> Collection[int]:
    """The ids of those entries, each the newest about its folder, that the actor can undo now."""
    removed = [entry for entry in entries if entry.action == "folder.delete"]
    able = [entry for entry in entries if entry not in removed]
    query = select(Folder).where(Folder.id.in_([entry.subject_id for entry in able]))
    folders = {folder.id: folder for folder in db.session.scalars(query)}
    used = find_used([folder.path for folder in folders.values()])
    return find_restorable(actor, removed) | {
        entry.id
        for entry in able
        if (folder := folders.get(entry.subject_id))
        and folder.path == path_after(entry)
        and (entry.action == "folder.move" or folder.path not in used)
        and may_change_folders(actor, [folder])
    }


def find_used(paths: Collection[str]) -> set[str]:
    """Those of some folders in which there is something."""
    files = select(File.folder).where(File.folder.in_(paths), File.removed_at.is_(None))
    folders = select(Folder.parent).where(Folder.parent.in_(paths))
    return set(db.session.scalars(union(files, folders))) if paths else set()


def find_restorable(actor: Actor, removed: Sequence[HistoryEntry]) -> set[int]:
    """Of entries, each the newest about a removed folder, those whose folder can be restored: as it
    was, or into one that has its path now; not where a file is."""
    since = restorable_since()
    able = [each for each in removed if each.at > since and may_restore_folder(actor, each)]
    paths = paths_now(able) if able else {}
    files = find_files(paths.values())
    return {entry.id for entry in able if paths[entry.id] not in files}


@permitted(Role.VIEWER)
def find_folder_removal(actor: Actor, path: str) -> int | None:
    """The id of the entry about the removal of the folder that would have this path now, if the
    actor may undo it, which needs that no file has the path."""
    removed = removals_named(name_of(path))
    paths = paths_now(removed)
    newest = newest_of_subjects([entry for entry in removed if paths[entry.id] == path][:1])
    return next((entry.id for entry in newest if may_restore_folder(actor, entry)), None)


@permitted(Role.VIEWER)
def undo_folder_change(actor: Actor, entry: HistoryEntry) -> Message:
    """Move a folder back, restore it, or remove one that is empty as when it was made; Conflict if
    it has changed since."""
    owner_ids, first_id = find_owners(entry.batch_id), first_of_batch(entry.batch_id)
    release_connection()
    return undo_of_owners(actor, entry, owner_ids, first_id or entry.id)


@service(Role.VIEWER)
def undo_of_owners(
    actor: Actor, entry: HistoryEntry, owner_ids: Collection[int], first_id: int
) -> Message:
    """The same in a transaction that first locks the owners of what is restored, and the entry, or
    the first one of its batch."""
    lock_owners(owner_ids)
    lock_entry(first_id)
    after_commit(cache.invalidate)
    if entry.action == "folder.delete":
        return restore(actor, entry)
    folder = db.session.get(Folder, entry.subject_id, with_for_update=True, populate_existing=True)
    if folder is None:
        raise Conflict(GONE)
    check_may_change_folders(actor, [folder])
    check_newest(entry)
    if folder.path != path_after(entry):
        raise Conflict(CHANGED_SINCE)
    if entry.action == "folder.move":
        return move_back(actor, folder, entry)
    return remove_empty(actor, folder, entry)


def restore(actor: Actor, entry: HistoryEntry) -> Message:
    """Restore a removed folder, with what was removed with it, where that is now."""
    check_newest(entry)
    path = paths_now([entry])[entry.id]
    if entry.at <= restorable_since():
        raise Conflict(N_("This folder can no longer be restored."))
    if entry.batch_id:
        restored = restore_removed(actor, entry.batch_id, path)
    else:
        restored = Restored((), restore_folders(actor, {path: entry}, None))
    if path not in restored.folders:
        raise Conflict(CHANGED_SINCE)
    if db.session.get(Folder, entry.subject_id) is None:
        return restored_into(name_of(path), restored.behind)
    if path != path_before(entry):
        place = parent_of(path) or N_("Files")
        return N_("%(name)s was restored in %(folder)s.", name=name_of(path), folder=place)
    return N_("%(name)s was restored.", name=name_of(path))


def restored_into(name: str, behind: int) -> Message:
    """That what was in a folder is in another one of its name, with so many older versions."""
    for text in count_message(BEHIND, behind):
        return N_(
            "What was in %(name)s was restored into the folder of this name. %(behind)s",
            name=name,
            behind=text,
        )
    return N_("What was in %(name)s was restored into the folder of this name.", name=name)


def path_after(entry: HistoryEntry) -> str:
    return recorded_path(entry.after)


def remove_empty(actor: Actor, folder: Folder, entry: HistoryEntry) -> Message:
    files = select(File.id).where(inside(File.folder, folder.path), File.removed_at.is_(None))
    folders = select(Folder.id).where(Folder.parent == folder.path)
    if any(db.session.scalar(query.limit(1)) for query in (files, folders)):
        raise Conflict(N_("There is something in this folder now."))
    delete_folders(actor, [folder], None, {folder.id: entry.id})
    return N_("%(name)s was removed.", name=folder.name)


def move_back(actor: Actor, folder: Folder, entry: HistoryEntry) -> Message:
    old = path_before(entry)
    with as_conflict():
        check_move([], [folder])
        check_not_taken([old])
        ensure_folders([parent_of(old)], actor.id)
        done = move_folder(folder.id, parent_of(old), name_of(old))
    record_move(actor, "folder", done, None, entry.id)
    return moved_back(done)


def moved_back(move: Move) -> Message:
    """What undoing a move did."""
    name = name_of(move.new)
    if how_moved(move.old, move.new) == "rename":
        return N_("%(name)s has its former name again.", name=name)
    return N_("%(name)s was moved back.", name=name)


@contextmanager
def as_conflict() -> Iterator[None]:
    """A place that is taken is no error of a form here."""
    try:
        yield
    except Invalid as error:
        raise Conflict(error.message) from None


def is_where_moved(after: str | None, file: File) -> bool:
    """True unless the folder that a file was moved to, by the fields `after` of its entry, was
    itself moved since."""
    place = json.loads(after or "{}")
    return (file.folder, file.name) == (place.get("folder"), place.get("name"))


def read_former_types(entry: HistoryEntry, file: File) -> Types:
    """The Content-Types under the name that a file had before it was moved; see read_types()."""
    with as_conflict():
        return read_types(file, json.loads(entry.before or "{}")["name"])


def undo_file_move(actor: Actor, entry: HistoryEntry, file: File, types: Types) -> Message:
    """Move a file back, within a running service that has checked the actor."""
    if not is_where_moved(entry.after, file):
        raise Conflict(CHANGED_SINCE)
    before = json.loads(entry.before or "{}")
    with as_conflict():
        check_not_taken([join_path(before["folder"], before["name"])])
        ensure_folders([before["folder"]], actor.id)
        done = move_file(file, before["folder"], before["name"], types)
    record_move(actor, "file", done, None, entry.id)
    after_commit(cache.invalidate)
    return moved_back(done)
