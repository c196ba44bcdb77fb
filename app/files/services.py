"""What can be done with stored files: remove, restore and purge them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select, update

from app.actor import Actor, Role
from app.current import settings
from app.database.engine import db, release_connection
from app.database.service import permitted, service
from app.errors import Conflict, NotFound
from app.files import cache, queries
from app.files.folders.checks import check_not_taken
from app.files.folders.rows import lock_folder_of
from app.files.models import File, FileRow
from app.files.rules import check_may_change, restorable_since
from app.files.storage import deletion
from app.files.storage.folder import remove_stored
from app.files.storage.purging import find_orphans, purge_batch, remove_all_leftovers
from app.history.models import ADMINISTRATORS
from app.history.queries import find_removal
from app.history.services import Change, record
from app.text import N_, Message
from app.times import now

# The subject of an entry that is about no file in particular.
ALL_FILES = 0
# The fields of a file in the history.
RECORDED = ("name", "folder", "version", "size", "sha256")
V = TypeVar("V", File, FileRow)


@dataclass(frozen=True)
class RestoredFile:
    """A file that was restored: its newest restored version, and the version that is current now,
    which has a higher number if a file came to this name after the removal."""

    name: str
    version: int
    current_version: int
    current_id: int

    @property
    def message(self) -> Message:
        """What restoring did."""
        if self.version == self.current_version:
            return N_("%(name)s was restored.", name=self.name)
        return N_(
            "%(name)s was restored as version %(n)d. Its name was used again in the meantime: "
            "version %(current)d is the current one.",
            name=self.name,
            n=self.version,
            current=self.current_version,
        )


@dataclass
class PurgeCounts:
    """How many files were deleted permanently: removed files, and stored files without a row."""

    removed: int = 0
    orphaned: int = 0


def recorded(file: File | FileRow, owner: str | None = None) -> dict[str, Any]:
    """The fields of a version, a File or a row of its columns, for the history, with the name of
    its owner, which never changes."""
    fields = {name: getattr(file, name) for name in RECORDED}
    return {**fields, "owner": file.owner.name if owner is None else owner}


@service(Role.VIEWER)
def remove_file(actor: Actor, file_id: int) -> str:
    """Remove a file with all its versions; returns its path. It can be restored for REMOVED_DAYS.
    The history has one entry, for the current version."""
    file = queries.present_file(file_id)
    check_may_change(actor, file)
    remove_versions(actor, file)
    return file.path


def remove_versions(actor: Actor, file: File, reverts_id: int | None = None) -> None:
    """Remove all versions of a file and record it, within a running service."""
    remaining = (*queries.versions_of(file), File.removed_at.is_(None))
    # Locked, so that only one of two people who remove it at the same time does.
    query = select(File).where(*remaining, File.replaced_at.is_(None)).with_for_update()
    current = db.session.scalars(query.execution_options(populate_existing=True)).first()
    if current is None:
        raise queries.no_such_file()
    values = {"removed_at": now(), "removed_by": actor.id}
    db.session.execute(update(File).where(*remaining).values(values))
    change = Change(current.id, before=recorded(current), version=current.version)
    record(actor, "file.delete", change, reverts_id=reverts_id)
    cache.invalidate_folders([current.folder])


@permitted(Role.VIEWER)
def restore_file(actor: Actor, file_id: int) -> RestoredFile:
    """Restore a removed file with the versions that were removed with it. If another file came to
    its name in the meantime, by an upload or a move, that one stays the current version. Without
    effect on a file that is not removed; NotFound after REMOVED_DAYS, whether it is purged already
    or not."""
    file = db.session.get(File, file_id, populate_existing=True)
    if file is None:
        raise purged()
    owner_id = file.owner_id
    release_connection()
    return restore_of_owner(actor, file_id, owner_id)


@service(Role.VIEWER)
def restore_of_owner(actor: Actor, file_id: int, owner_id: int) -> RestoredFile:
    """The same in a transaction that first locks the owner's row."""
    queries.lock_owners([owner_id])
    file = db.session.get(File, file_id, populate_existing=True)
    if file is None:
        raise purged()
    check_may_change(actor, file)
    return restore_versions(actor, file)


def restore_versions(actor: Actor, file: File) -> RestoredFile:
    """Restore a removed file and record it, within a running service; Conflict where a folder has
    its path now, or a file that of its folder."""
    if file.removed_at is not None:
        check_not_taken([file.path])
    lock_folder_of(file, actor.id)
    # Locked, so that an upload at the same time cannot leave two current versions.
    query = select(File).where(*queries.versions_of(file)).with_for_update()
    query = query.order_by(File.version)
    rows = list(db.session.scalars(query.execution_options(populate_existing=True)))
    moment = file.removed_at
    if moment is not None and moment <= restorable_since():
        raise purged()
    restored = [row for row in rows if row.removed_at == moment]
    if not restored:  # deleted between the two queries
        raise purged()
    present = [row for row in rows if row.removed_at in (None, moment)]
    current, last = newest_current(present), newest_current(restored)
    if moment is not None:
        others = len(present) > len(restored)
        record_restore(actor, last, moment, current.version if others else None)
    for row in restored:
        row.removed_at = row.removed_by = None
    for row in present:
        row.replaced_at = None if row is current else row.replaced_at or now()
    cache.invalidate_folders([current.folder])
    return RestoredFile(file.name, last.version, current.version, current.id)


def newest_current(rows: Sequence[V]) -> V:
    """Of the versions that are or were current when they were removed, the one with the highest
    number; where there is none, of all."""
    return max(rows, key=lambda row: (row.replaced_at is None, row.version))


def record_restore(actor: Actor, row: File, removed_at: datetime, current: int | None) -> None:
    """One entry, for the version that was current at the removal. `current` is the number of the
    version that is current now, if there are other versions than the restored ones."""
    fields = recorded(row) if current is None else {**recorded(row), "current": current}
    change = Change(row.id, after=fields, version=row.version)
    reverts_id = find_removal("file", row.id, removed_at)
    record(actor, "file.restore", change, reverts_id=reverts_id)


def purged() -> NotFound:
    return NotFound(N_("This file was deleted permanently and cannot be restored."))


@permitted(Role.ADMIN, by_token=False)
def purge_files(actor: Actor) -> PurgeCounts:
    """Delete permanently all removed files that can no longer be restored, and orphaned files. Each
    in a short transaction; what was deleted is recorded also if a later one fails."""
    counts = PurgeCounts()
    with deletion.allowed(settings().files_dir) as may_delete:
        if not may_delete:
            raise Conflict(N_("A backup is being made or restored. Try again when it is done."))
        try:
            delete_all(counts)
        finally:
            if counts != PurgeCounts():
                record_purge(actor, counts)
    return counts


def delete_all(counts: PurgeCounts) -> None:
    """Delete what purge_files() deletes, and count it."""
    while count := purge_batch():
        counts.removed += count
    for folder, name in find_orphans():
        remove_stored(folder, name)
        counts.orphaned += 1
    counts.orphaned += remove_all_leftovers()


@service(Role.ADMIN, by_token=False)
def record_purge(actor: Actor, counts: PurgeCounts) -> None:
    fields = {"removed_files": counts.removed, "orphaned_files": counts.orphaned}
    change = Change(ALL_FILES, after=fields)
    record(actor, "file.purge", change, visible_to=ADMINISTRATORS)
