"""What can be done with folders, and with files and folders together."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import reduce
from operator import or_

from sqlalchemy import and_
from sqlalchemy.exc import IntegrityError

from app.actor import Actor, Role, check_permission
from app.database.engine import db, release_connection
from app.database.failures import violates
from app.database.service import after_commit, permitted, service
from app.errors import Invalid, NotFound
from app.files import cache
from app.files.folders.checks import FOLDER_THERE, check_free, lock_place, taken
from app.files.folders.models import UNIQUE_PATH, Folder
from app.files.folders.moving import (
    Move,
    Types,
    check_move,
    move_file,
    move_folder,
    named,
    read_types,
)
from app.files.folders.paths import ancestors, clean_folder, name_of, parent_of, path_in
from app.files.folders.removing import (
    check_removal,
    remove_files,
    remove_folder,
)
from app.files.folders.rows import lock_present
from app.files.folders.selection import Selected, Selection, check_may_change_all, find_selected
from app.files.models import UNIQUE_VERSION
from app.files.queries import lock_owners, no_such_file, versions_of
from app.files.removed.restoring import Restored, find_owners, restore_removed
from app.files.search_keys import folder_keys
from app.history.bulk import first_of_batch, lock_entry
from app.history.services import Change, new_batch_id, record
from app.text import N_
from app.times import now


@dataclass(frozen=True)
class Removal:
    """What was removed together: how many files and folders, and the batch in the history."""

    files: int
    folders: int
    batch_id: str


@dataclass(frozen=True)
class Moved:
    """What was moved together, and to which folder; how many files and folders were not there
    already; of a single one of those the id of its entry in the history."""

    folder: str
    moves: list[Move]
    files: int
    folders: int
    entry_id: int | None


@service(Role.EDITOR)
def create_folder(actor: Actor, parent: str, name: str) -> str:
    """Make a folder in another one; returns its path."""
    path = path_in(parent, named(name))
    add_folder(actor, path, "name")
    return path


def add_folder(actor: Actor, path: str, field: str) -> None:
    """Make a folder within a running service; `field` is that of the form with its path."""
    lock_place(parent_of(path))
    check_free(path, field)
    keys = folder_keys(path)
    folder = Folder(path=path, parent=parent_of(path), created_by=actor.id, **keys)
    db.session.add(folder)
    try:
        db.session.flush()
    except IntegrityError as error:
        if violates(error, UNIQUE_PATH):
            raise taken(FOLDER_THERE, path, field) from None
        raise
    record(actor, "folder.create", Change(folder.id, after={"path": path}))
    cache.invalidate_folders([path])


def add_missing(actor: Actor, path: str) -> None:
    """Make a folder and those above it that are missing, as create_folder() does."""
    check_permission(actor, Role.EDITOR)
    present = lock_present([path])
    for each in ancestors(path):
        if each not in present:
            add_folder(actor, each, "folder")


@permitted(Role.VIEWER)
def move_selected(
    actor: Actor,
    selection: Selection,
    folder: str,
    name: str | None = None,
    create: bool = False,
) -> Moved:
    """Move files and folders to a folder, all or none, and give a single one another name.
    NoDestination if there is no such folder, unless it is to be created."""
    types: dict[int, str] = {}
    selected = find_selected(selection)
    check_may_change_all(actor, selected)
    owner_ids = {file.owner_id for file in selected.files}
    if name is not None:
        name = named(name)
        for file in selected.files:
            types.update(read_types(file, name))
    return store_move(actor, selection, owner_ids, folder, name, types, create)


@service(Role.VIEWER)
def store_move(
    actor: Actor,
    selection: Selection,
    owner_ids: Collection[int],
    folder: str,
    name: str | None,
    types: Types,
    create: bool = False,
) -> Moved:
    """Move what is selected in one transaction, with what was read before: the `types`, and who
    owns the selected files."""
    lock_owners(owner_ids)
    selected = find_selected(selection)
    check_may_change_all(actor, selected)
    try:
        folder = clean_folder(folder)
    except Invalid as error:
        raise Invalid(fields={"folder": error.args[0]}) from None
    batch_id = None if selected.single else new_batch_id()
    if create:
        add_missing(actor, folder)
    try:
        moves = move_all(selected, folder, name, types)
    except IntegrityError as error:
        if violates(error, UNIQUE_PATH) or violates(error, UNIQUE_VERSION):
            raise Invalid(N_("Somebody else used this name just now.")) from None
        raise
    entries = [record_move(actor, kind, done, batch_id) for kind, done in moves]
    after_commit(cache.invalidate)
    changed = [kind for kind, done in moves if done.old != done.new]
    files, folders = changed.count("file"), changed.count("folder")
    entry_id = None if batch_id else entries[0]
    return Moved(folder, [done for _kind, done in moves], files, folders, entry_id)


def move_all(
    selected: Selected, folder: str, name: str | None, types: Types
) -> list[tuple[str, Move]]:
    """Move each; the folders first, so that a lock on one waits for no lock on a file."""
    check_move(selected.files, selected.folders)
    folders = [move_folder(each.id, folder, name or each.name) for each in selected.folders]
    files = [move_file(each, folder, name or each.name, types) for each in selected.files]
    return [*(("folder", move) for move in folders), *(("file", move) for move in files)]


def record_move(
    actor: Actor, kind: str, move: Move, batch_id: str | None, reverts_id: int | None = None
) -> int | None:
    """One entry about what was moved, by its id; none if it is where it was."""
    if move.old == move.new:
        return None
    before, after = ({"path": path} for path in (move.old, move.new))
    if kind == "file":
        before, after = (
            {"name": name_of(path), "folder": parent_of(path)} for path in (move.old, move.new)
        )
    change = Change(move.subject_id, before, after, move.version)
    return record(actor, f"{kind}.move", change, batch_id=batch_id, reverts_id=reverts_id)


@service(Role.VIEWER)
def remove_selected(actor: Actor, selection: Selection) -> Removal:
    """Remove files, and folders with everything in them, all or none. The files can be restored for
    some days, and together by restore_batch()."""
    selected = find_selected(selection)
    check_may_change_all(actor, selected)
    check_removal(selected.files, selected.folders)
    batch_id, moment, count = new_batch_id(), now(), 0
    for folder in selected.folders:
        count += remove_folder(actor, folder, batch_id, moment)
    if selected.files:
        which = reduce(or_, (and_(*versions_of(file)) for file in selected.files))
        removed = remove_files(actor, which, batch_id, moment)
        if removed < len(selected.files):  # one was moved or removed in the meantime
            raise no_such_file()
        count += removed
    after_commit(cache.invalidate)
    return Removal(count, len(selected.folders), batch_id)


@permitted(Role.VIEWER)
def restore_batch(actor: Actor, batch_id: str) -> Restored:
    """Restore what was removed together. Those that were restored already, or are deleted
    permanently, are left out; NotFound if all are."""
    restored = restore_together(actor, batch_id)
    if not restored.files and not restored.folders:
        raise NotFound(N_("This was restored already, or deleted permanently."))
    return restored


@permitted(Role.VIEWER)
def restore_together(actor: Actor, batch_id: str) -> Restored:
    """Restore of a batch what can be restored, which may be nothing."""
    owner_ids, first_id = find_owners(batch_id), first_of_batch(batch_id)
    release_connection()
    return restore_of_owners(actor, batch_id, owner_ids, first_id)


@service(Role.VIEWER)
def restore_of_owners(
    actor: Actor, batch_id: str, owner_ids: Collection[int], first_id: int | None
) -> Restored:
    """The same in a transaction that first locks the owners of the files, and the first entry."""
    lock_owners(owner_ids)
    lock_entry(first_id)
    after_commit(cache.invalidate)
    return restore_removed(actor, batch_id)
