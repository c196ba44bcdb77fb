"""Undoing bulk changes of files and folders, as the feed offers it: of everything that is unchanged
since. What has changed stays as it is."""

from collections.abc import Callable, Mapping, Sequence

from app.actor import Actor, Role
from app.database.engine import release_connection
from app.database.service import permitted
from app.errors import Conflict
from app.files.folders.paths import name_of
from app.files.folders.services import restore_together
from app.files.undo.bulk_moving import move_all_back
from app.files.undo.bulk_removing import remove_all_added
from app.files.undo.results import Undone
from app.files.upload.batches import find_running
from app.history.bulk import read_changes
from app.history.models import HistoryEntry
from app.history.queries import CANNOT
from app.text import N_, Message

GOING_ON = N_(
    "These files are still being uploaded. Stop the upload, or wait until it has ended, and then "
    "undo it. If its page was closed, that is half a minute later."
)
NOTHING_LEFT = N_("This was already undone, or all of it has changed since.")


@permitted(Role.VIEWER)
def undo_bulk_change(actor: Actor, heads: Sequence[HistoryEntry]) -> Sequence[Message]:
    """Undo the changes for which these entries stand, all of one action; returns sentences that say
    what was done. Conflict if nothing is left to undo, or all former places are taken."""
    undo = UNDO.get(heads[0].action)
    if undo is None:
        raise Conflict(CANNOT)
    check_ended(heads)
    undone = undo(actor, heads)
    if undone.is_nothing:
        raise Conflict(*(undone.refusals or [NOTHING_LEFT]))
    return undone.messages


def check_ended(heads: Sequence[HistoryEntry]) -> None:
    """Conflict while some of the files are still being uploaded: these would stay."""
    batch_ids = {head.batch_id for head in heads if head.batch_id}
    if heads[0].action == "file.create" and batch_ids:
        release_connection()
        if find_running(batch_ids):
            raise Conflict(GOING_ON)


def restore_all(actor: Actor, heads: Sequence[HistoryEntry]) -> Undone:
    """Restore everything that was removed together, whichever of its entries are given."""
    restored = restore_together(actor, heads[0].batch_id or "")
    left = len(read_changes(heads[:1], "file.delete")) - len(restored.files)
    files = [row.name for row in restored.files]
    tops = [*map(name_of, restored.tops)]
    return Undone("restored", files, tops, behind=restored.behind, left=left)


UNDO: Mapping[str, Callable[[Actor, Sequence[HistoryEntry]], Undone]] = {
    "file.create": remove_all_added,
    "file.restore": remove_all_added,
    "file.delete": restore_all,
    "file.move": move_all_back,
    "folder.restore": remove_all_added,
    "folder.delete": restore_all,
    "folder.move": move_all_back,
}
