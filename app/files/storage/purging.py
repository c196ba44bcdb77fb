"""Permanent deletion: removed files that can no longer be restored, and orphaned stored files.

The clock deletes removed files. That follows from the removal by a fixed rule and is nobody's
action, so it is not recorded in the history. `flask purge-files` deletes orphans too, which is
somebody's action, and recorded (app/files/services.py::purge_files).
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from sqlalchemy import delete, select

from app.current import settings
from app.database.engine import db, release_connection
from app.database.service import after_commit, unrecorded
from app.files import cache
from app.files.models import File
from app.files.rules import restorable_since
from app.files.storage.folder import remove_stored, stored_before
from app.times import now

# How many files are deleted permanently at a time.
PURGE_LIMIT = 100


def purge_removed() -> int:
    """Delete permanently some removed files that can no longer be restored; returns how many."""
    return sum(purge_file(file_id) for file_id in find_due(PURGE_LIMIT))


def find_due(limit: int) -> list[int]:
    """The ids of removed files that can no longer be restored, the longest removed first."""
    due = select(File.id).where(File.removed_at <= restorable_since())
    ids = list(db.session.scalars(due.order_by(File.removed_at).limit(limit)))
    release_connection()
    return ids


@unrecorded
def purge_file(file_id: int) -> bool:
    """Delete the row, then the stored file; False if the file was restored in the meantime."""
    file = db.session.get(File, file_id, populate_existing=True)
    if file is None:
        return False
    stored_name = file.stored_name
    deleted = db.session.execute(
        delete(File)
        .where(File.id == file_id, File.removed_at <= restorable_since())
        .execution_options(synchronize_session=False)
    )
    if deleted.rowcount != 1:  # type: ignore[attr-defined]
        return False
    after_commit(cache.invalidate)
    after_commit(partial(remove_stored, settings().files_dir, stored_name))
    return True


def find_orphans() -> Iterator[str]:
    """The names of stored files without a row. They remain when a process ends between storing a
    file and inserting its row, or between deleting a row and its file, or when the answer to a
    commit was lost. Only files older than a day, so that no upload is disturbed."""
    before = (now() - timedelta(days=1)).timestamp()
    for name in stored_before(settings().files_dir, before):
        known = db.session.scalar(select(File.id).where(File.stored_name == name))
        release_connection()
        if known is None:
            yield name
