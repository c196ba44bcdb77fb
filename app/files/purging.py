"""Permanent deletion: removed files that can no longer be restored, and orphaned stored files.

It follows from the removal by a fixed rule and is nobody's action, so it is not in the history.
"""

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import delete, select

from app.current import settings
from app.database.engine import db
from app.database.service import after_commit, bookkeeping
from app.files import cache, storage
from app.files.models import File
from app.files.rules import restorable_since
from app.times import now

# How many files are deleted permanently when another one is removed or uploaded.
PURGE_LIMIT = 20


def purge_removed(limit: int = PURGE_LIMIT) -> int:
    """Delete permanently the removed files that can no longer be restored; returns how many."""
    before = restorable_since()
    due = select(File.id).where(File.removed_at <= before).order_by(File.removed_at).limit(limit)
    ids = list(db.session.scalars(due))
    db.session.rollback()
    return sum(purge_file(file_id, before, settings().files_dir) for file_id in ids)


@bookkeeping
def purge_file(file_id: int, before: datetime, folder: Path) -> bool:
    """Delete the row, then the stored file; False if the file was restored in the meantime."""
    file = db.session.get(File, file_id, populate_existing=True)
    if file is None:
        return False
    stored_name = file.stored_name
    deleted = db.session.execute(
        delete(File)
        .where(File.id == file_id, File.removed_at <= before)
        .execution_options(synchronize_session=False)
    )
    if deleted.rowcount != 1:  # type: ignore[attr-defined]
        return False
    after_commit(cache.invalidate)
    after_commit(partial(storage.remove, folder, stored_name))
    return True


def purge_orphans() -> int:
    """Delete stored files without a row; returns how many. They remain when a process ends between
    storing a file and inserting its row, or between deleting a row and its file, or when the answer
    to a commit was lost. Only files older than a day, so that no upload is disturbed."""
    folder = settings().files_dir
    count = 0
    for name in storage.stored_before(folder, (now() - timedelta(days=1)).timestamp()):
        known = db.session.scalar(select(File.id).where(File.stored_name == name))
        db.session.rollback()
        if known is None:
            storage.remove(folder, name)
            count += 1
    return count
