"""Permanent deletion: removed files that can no longer be restored, results of jobs after their
time, and orphaned stored files.

The clock deletes removed files and results. That follows by a fixed rule and is nobody's action, so
it is not recorded in the history. `flask purge-files` deletes orphans too, which is somebody's
action, and recorded (app/files/services.py::purge_files).
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

from flask import Flask, current_app
from sqlalchemy import delete, select
from sqlalchemy.orm import aliased

from app.current import settings
from app.database.engine import db, release_connection
from app.database.keyset import Query
from app.database.service import after_commit, unrecorded
from app.files import cache
from app.files.models import File
from app.files.queries import same_name
from app.files.rules import restorable_since
from app.files.storage import deletion
from app.files.storage.folder import remove_leftovers, remove_stored, stored_before
from app.removed.emptying import repeat_for
from app.times import now

EXTENSION = "gazetteer-stores"
PURGED_AT_ONCE = 100
RUN_SECONDS = 10.0  # of one run of the clock


def purge_removed() -> int:
    """Delete permanently removed files that can no longer be restored, for some seconds; returns
    how many. None while a backup is made, which needs them."""
    with deletion.allowed(settings().files_dir) as may_delete:
        return repeat_for(RUN_SECONDS, purge_batch, PURGED_AT_ONCE) if may_delete else 0


@unrecorded
def purge_batch() -> int:
    """Delete the rows of those that were removed first, then their stored files; returns how many.
    The rows are locked, so that of two who purge at once each deletes others."""
    due = select(File.id, File.stored_name).where(File.removed_at <= restorable_since())
    return delete_some(due.order_by(File.removed_at))


def purge_results() -> int:
    """Delete permanently the results of jobs whose time is over, for some seconds; returns how
    many. None while a backup is made."""
    with deletion.allowed(settings().files_dir) as may_delete:
        return repeat_for(RUN_SECONDS, purge_expired, PURGED_AT_ONCE) if may_delete else 0


@unrecorded
def purge_expired() -> int:
    """The same for some of them. One that has other versions by now is part of a file with which
    people work, and stays."""
    other = aliased(File)
    others = select(other.id).where(*same_name(other), other.id != File.id)
    due = select(File.id, File.stored_name).where(File.expires_at <= now(), ~others.exists())
    return delete_some(due.order_by(File.expires_at))


def delete_some(due: Query) -> int:
    """Within a transaction: delete some of these rows, and then their stored files; returns how
    many."""
    rows = db.session.execute(
        due.limit(PURGED_AT_ONCE).with_for_update(of=File, skip_locked=True)
    ).all()
    if rows:
        deleted = delete(File).where(File.id.in_([row.id for row in rows]))
        db.session.execute(deleted.execution_options(synchronize_session=False))
        after_commit(cache.invalidate)
    for row in rows:
        after_commit(partial(remove_stored, settings().files_dir, row.stored_name))
    return len(rows)


def add_store(app: Flask, name: str, is_known: Callable[[str], bool]) -> None:
    """Have the files that another package stores in a folder of the storage folder looked through
    too; `is_known` says of a stored name whether there is a row of it."""
    app.extensions.setdefault(EXTENSION, {})[name] = is_known


def find_orphans() -> Iterator[tuple[Path, str]]:
    """The folders and names of stored files without a row. They remain when a process ends between
    storing a file and inserting its row, or between deleting a row and its file, or when the answer
    to a commit was lost. Only files older than a day, so that no upload is disturbed."""
    before = (now() - timedelta(days=1)).timestamp()
    stores = {"": has_row, **current_app.extensions.get(EXTENSION, {})}
    for part, is_known in stores.items():
        folder = settings().files_dir / part
        for name in stored_before(folder, before):
            known = is_known(name)
            release_connection()
            if not known:
                yield folder, name


def has_row(stored_name: str) -> bool:
    """True if a stored file belongs to a version of a file."""
    query = select(File.id).where(File.stored_name == stored_name)
    return db.session.scalar(query) is not None


def remove_all_leftovers() -> int:
    """Delete what processes that were killed left while they received files; returns how many."""
    folder = settings().files_dir
    return sum(
        remove_leftovers(folder / part) for part in ("", *current_app.extensions.get(EXTENSION, {}))
    )
