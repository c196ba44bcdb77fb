"""How long removed files can come back, and deleting for good what nobody can have any more."""

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import delete, select

from app.current import settings
from app.database.engine import db
from app.database.service import after_commit, transaction
from app.files import cache, storage
from app.files.models import File
from app.times import now

UNDO_DAYS = 7
# How many removed files are deleted for good when another one is removed.
PURGED_AT_ONCE = 20


def purge_removed(most: int = PURGED_AT_ONCE) -> int:
    """Delete for good what was removed more than UNDO_DAYS ago, at most so many; how many."""
    before = now() - timedelta(days=UNDO_DAYS)
    due = select(File.id).where(File.removed_at < before).order_by(File.removed_at).limit(most)
    ids = list(db.session.scalars(due))
    db.session.rollback()
    return sum(_purge(file_id, before, settings().files_dir) for file_id in ids)


@transaction
def _purge(file_id: int, before: datetime, folder: Path) -> bool:
    """Delete the row, then the bytes; not when somebody brought the file back meanwhile."""
    file = db.session.get(File, file_id, populate_existing=True)
    if file is None:
        return False
    stored_name = file.stored_name
    gone = db.session.execute(
        delete(File)
        .where(File.id == file_id, File.removed_at < before)
        .execution_options(synchronize_session=False)
    )
    if gone.rowcount != 1:  # type: ignore[attr-defined]
        return False
    after_commit(cache.changed)
    after_commit(partial(storage.remove, folder, stored_name))
    return True


def purge_strays() -> int:
    """Delete stored files that no row names: a process ended between writing one and its row, or
    between deleting a row and its file, or nobody knew whether the row was committed. Only those a
    day old, so that no upload is disturbed."""
    folder = settings().files_dir
    count = 0
    for name in storage.stored_before(folder, (now() - timedelta(days=1)).timestamp()):
        known = db.session.scalar(select(File.id).where(File.stored_name == name))
        db.session.rollback()
        if known is None:
            storage.remove(folder, name)
            count += 1
    return count
