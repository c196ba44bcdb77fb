"""Undoing an entry about a version of a file."""

import json
from collections.abc import Callable, Mapping

from sqlalchemy import select

from app.actor import Actor, Role
from app.database.engine import db, release_connection
from app.database.service import permitted, service
from app.errors import Conflict
from app.files import cache
from app.files.folders.moving import Types
from app.files.models import File
from app.files.queries import lock_owners, versions_of
from app.files.rules import check_may_change, restorable_since
from app.files.services import recorded, remove_versions, restore_versions
from app.files.undo.folders import read_former_types, undo_file_move
from app.history.models import HistoryEntry
from app.history.queries import CANNOT, CHANGED_SINCE, GONE, check_newest
from app.history.services import Change, record
from app.text import N_, Message
from app.times import now

PURGED = N_("This file was deleted permanently and cannot be restored.")


@permitted(Role.VIEWER)
def undo_change(actor: Actor, entry: HistoryEntry) -> Message:
    """Undo an entry; Conflict if the file has changed since."""
    file = db.session.get(File, entry.subject_id, populate_existing=True)
    if file is None:
        raise Conflict(PURGED)
    check_may_change(actor, file)
    owner_id = file.owner_id
    types = read_former_types(entry, file) if entry.action == "file.move" else {}
    release_connection()
    return undo_of_owner(actor, entry, owner_id, types)


@service(Role.VIEWER)
def undo_of_owner(actor: Actor, entry: HistoryEntry, owner_id: int, types: Types) -> Message:
    """The same in a transaction that first locks the owner's row."""
    lock_owners([owner_id])
    file = db.session.get(File, entry.subject_id, populate_existing=True)
    if file is None:
        raise Conflict(PURGED)
    check_may_change(actor, file)
    check_newest(entry)
    if entry.action == "file.move":
        return undo_file_move(actor, entry, file, types)
    undo = UNDO.get(entry.action)
    if undo is None:
        raise Conflict(CANNOT)
    return undo(actor, entry, file)


def undo_upload(actor: Actor, entry: HistoryEntry, file: File) -> Message:
    """Remove a version alone; the one that it replaced becomes the current one again."""
    check_current(file)
    former = find_former(file)
    if former is None:
        return remove_all(actor, entry, file)
    file.removed_at, file.removed_by = now(), actor.id
    former.replaced_at = None
    fields = {**recorded(file), "current": former.version}
    change = Change(file.id, before=fields, version=file.version)
    record(actor, "file.delete", change, reverts_id=entry.id)
    cache.invalidate_folders([file.folder])
    return N_(
        "Version %(n)d of %(name)s was removed; version %(former)d is the current one again.",
        n=file.version,
        name=file.name,
        former=former.version,
    )


def find_former(file: File) -> File | None:
    """The version that was current before this one; not always the one with the number before."""
    query = select(File).where(
        *versions_of(file), File.removed_at.is_(None), File.replaced_at.is_not(None)
    )
    query = query.order_by(File.replaced_at.desc(), File.version.desc()).limit(1)
    return db.session.scalars(query.execution_options(populate_existing=True)).first()


def undo_restoring(actor: Actor, entry: HistoryEntry, file: File) -> Message:
    """Remove what was restored: a file with all its versions, or a version alone."""
    if "current" in json.loads(entry.after or "{}"):
        return undo_upload(actor, entry, file)
    return remove_all(actor, entry, file)


def remove_all(actor: Actor, entry: HistoryEntry, file: File) -> Message:
    check_current(file)
    remove_versions(actor, file, reverts_id=entry.id)
    return N_("%(name)s was removed.", name=file.name)


def undo_removal(actor: Actor, _entry: HistoryEntry, file: File) -> Message:
    """Restore what was removed."""
    if file.removed_at is None:
        raise Conflict(CHANGED_SINCE)
    if file.removed_at <= restorable_since():
        raise Conflict(PURGED)
    return restore_versions(actor, file).message


UNDO: Mapping[str, Callable[[Actor, HistoryEntry, File], Message]] = {
    "file.create": undo_upload,
    "file.delete": undo_removal,
    "file.restore": undo_restoring,
    "file.revert": undo_upload,
}
# With these, what needs more than the entry and the file.
UNDOABLE = frozenset({*UNDO, "file.move"})


def check_current(file: File) -> None:
    """Conflict unless it is the current version of a file."""
    if file.removed_at is not None:
        raise Conflict(GONE)
    if file.replaced_at is not None:
        raise Conflict(CHANGED_SINCE)
