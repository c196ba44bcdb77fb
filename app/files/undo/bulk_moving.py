"""Undoing the move of many files or folders: what is unchanged since is moved back."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.actor import Actor, Role
from app.database.engine import db, release_connection
from app.database.failures import violates
from app.database.limits import slices
from app.database.service import after_commit, service
from app.errors import Conflict, Invalid, NotFound
from app.files import cache
from app.files.folders.checks import check_may_change_folders, check_not_taken
from app.files.folders.models import UNIQUE_PATH, Folder
from app.files.folders.moving import Move, check_move, move_file, move_folder
from app.files.folders.paths import name_of, parent_of
from app.files.folders.rows import ensure_folders
from app.files.folders.services import record_move
from app.files.models import UNIQUE_VERSION, File, join_path
from app.files.queries import lock_owners, owners_of
from app.files.removed.places import recorded_path
from app.files.rules import check_owned
from app.files.undo.folders import as_conflict, is_where_moved
from app.files.undo.results import Undone
from app.history.bulk import RecordedChange, newest_entries, read_changes
from app.history.models import HistoryEntry
from app.history.queries import CHANGED_SINCE
from app.history.services import new_batch_id
from app.text import Message


def move_all_back(actor: Actor, heads: Sequence[HistoryEntry]) -> Undone:
    """Move everything back that was moved together, whichever of its entries are given."""
    files = list(read_changes(heads, "file.move").values())
    folders = list(read_changes(heads, "folder.move").values())
    owner_ids = owners_of([each.subject_id for each in files]) if files else set()
    check_owned(actor, owner_ids)
    folder_ids = find_present(each.subject_id for each in folders)
    release_connection()
    return move_locked(actor, files, folders, owner_ids, folder_ids)


@service(Role.VIEWER)
def move_locked(
    actor: Actor,
    files: Sequence[RecordedChange],
    folders: Sequence[RecordedChange],
    owner_ids: Collection[int],
    folder_ids: Collection[int],
) -> Undone:
    """The same in a transaction that first locks the owners of the files, and the folders."""
    lock_owners(owner_ids)
    lock_folder_rows(folder_ids)
    batch_id, taken = new_batch_id(), list[Message]()
    try:
        moved_folders = move_unchanged(actor, "folder", folders, batch_id, taken)
        moved_files = move_unchanged(actor, "file", files, batch_id, taken)
    except IntegrityError as error:
        if violates(error, UNIQUE_PATH) or violates(error, UNIQUE_VERSION):
            raise Conflict(CHANGED_SINCE) from None  # by somebody who used a name just now
        raise
    after_commit(cache.invalidate)
    left = len(files) + len(folders) - len(moved_files) - len(moved_folders) - len(taken)
    return Undone("moved", moved_files, moved_folders, left=left, taken=taken)


def move_unchanged(
    actor: Actor,
    kind: str,
    changes: Sequence[RecordedChange],
    batch_id: str,
    taken: list[Message],
) -> list[str]:
    """Move files or folders back that are unchanged since; returns their names. Why some cannot
    have their former places is added to `taken`."""
    newest = newest_entries(kind, [each.subject_id for each in changes])
    unchanged = [each for each in changes if newest[each.subject_id] == each.id]
    move = move_files if kind == "file" else move_folders
    moves = list(move(actor, unchanged, taken)) if unchanged else []
    for done in moves:
        record_move(actor, kind, done, batch_id, newest[done.subject_id])
    return [name_of(done.new) for done in moves]


def find_present(ids: Iterable[int]) -> set[int]:
    """The ids of those folders that exist: a lock on a missing row would be on a gap."""
    found = set[int]()
    for some in slices(ids):
        found.update(db.session.scalars(select(Folder.id).where(Folder.id.in_(some))))
    return found


def lock_folder_rows(ids: Collection[int]) -> None:
    """Lock the rows of folders until the service ends, before anything else is read: of two who
    move a folder the second sees what the first did."""
    for some in slices(ids):
        query = select(Folder.id).where(Folder.id.in_(some)).order_by(Folder.id)
        db.session.execute(query.with_for_update())


@contextmanager
def noted(taken: list[Message]) -> Iterator[None]:
    """Go on with the others where a place is taken, of which a note is made, and where something
    was moved or removed just now."""
    try:
        yield
    except NotFound:
        pass
    except Invalid as error:
        taken.extend(list[Any](error.fields.values())[:1] or error.args)
    except Conflict as error:
        taken.extend(error.args)


def move_files(
    actor: Actor, changes: Sequence[RecordedChange], taken: list[Message]
) -> Iterator[Move]:
    """Move files back to places that are free and from which nobody moved them."""
    moved = {each.subject_id: each for each in changes}
    query = select(File).where(File.id.in_(moved), File.removed_at.is_(None))
    query = query.where(File.replaced_at.is_(None)).order_by(File.id)
    files = db.session.scalars(query.execution_options(populate_existing=True)).all()
    files = [file for file in files if is_where_moved(moved[file.id].after, file)]
    with as_conflict():
        check_move(files, [])
    for file in files:
        before = json.loads(moved[file.id].before or "{}")
        with noted(taken):
            check_not_taken([join_path(before["folder"], before["name"])])
            ensure_folders([before["folder"]], actor.id)
            yield move_file(file, before["folder"], before["name"], {})


def move_folders(
    actor: Actor, changes: Sequence[RecordedChange], taken: list[Message]
) -> Iterator[Move]:
    """Move folders back, likewise."""
    moved = {each.subject_id: each for each in changes}
    query = select(Folder).where(Folder.id.in_(moved)).order_by(Folder.id)
    folders = db.session.scalars(query.execution_options(populate_existing=True)).all()
    folders = [each for each in folders if each.path == recorded_path(moved[each.id].after)]
    check_may_change_folders(actor, folders)
    with as_conflict():
        check_move([], folders)
    for folder in folders:
        old = recorded_path(moved[folder.id].before)
        with noted(taken):
            check_not_taken([old])
            ensure_folders([parent_of(old)], actor.id)
            yield move_folder(folder.id, parent_of(old), name_of(old))
