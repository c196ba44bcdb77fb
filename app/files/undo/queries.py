"""Which entries about files can be undone."""

from collections.abc import Collection, Sequence

from sqlalchemy import select

from app.actor import Actor, Role
from app.database.engine import db
from app.database.service import permitted
from app.files.models import File
from app.files.rules import may_change, restorable_since
from app.files.undo.folders import is_where_moved
from app.files.undo.services import UNDOABLE
from app.history.models import HistoryEntry


@permitted(Role.VIEWER)
def find_undoable(actor: Actor, entries: Sequence[HistoryEntry]) -> Collection[int]:
    """The ids of those entries, each the newest about its version, that the actor can undo now."""
    able = [entry for entry in entries if entry.action in UNDOABLE]
    query = select(File).where(File.id.in_([entry.subject_id for entry in able]))
    files = {file.id: file for file in db.session.scalars(query) if may_change(actor, file)}
    return {
        entry.id
        for entry in able
        if entry.subject_id in files and is_undoable(entry, files[entry.subject_id])
    }


def is_undoable(entry: HistoryEntry, file: File) -> bool:
    if entry.action == "file.delete":
        return file.removed_at is not None and file.removed_at > restorable_since()
    if entry.action == "file.move" and not is_where_moved(entry, file):
        return False
    return file.removed_at is None and file.replaced_at is None
