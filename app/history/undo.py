"""Undoing what an entry says; the package of its subject does it, see subjects.py."""

from collections import defaultdict
from collections.abc import Sequence

from app.actor import Actor, Role
from app.database.service import permitted
from app.errors import Conflict
from app.history.models import HistoryEntry
from app.history.queries import newest_of_subjects
from app.history.subjects import all_subjects
from app.text import N_, Message


def find_undoable(actor: Actor, entries: Sequence[HistoryEntry]) -> set[int]:
    """The ids of those entries that the actor may undo."""
    kinds: dict[str, list[HistoryEntry]] = defaultdict(list)
    subjects = all_subjects()
    able = [each for each in entries if can_undo(actor, each)]
    for entry in newest_of_subjects(able):
        kinds[entry.subject_kind].append(entry)
    return {
        entry_id
        for kind, newest in kinds.items()
        for entry_id in subjects[kind].undoable(actor, newest)
    }


def can_undo(actor: Actor, entry: HistoryEntry) -> bool:
    """False where no query is needed to see that there is nothing to offer."""
    subject = all_subjects().get(entry.subject_kind)
    return actor.is_signed_in and subject is not None and subject.undo is not None


@permitted(Role.VIEWER)
def undo_entry(actor: Actor, entry: HistoryEntry) -> Message:
    """Undo it; returns a sentence that says what was done. Conflict if there is no way back, or not
    any more."""
    subject = all_subjects().get(entry.subject_kind)
    if subject is None or subject.undo is None:
        raise Conflict(N_("This cannot be undone."))
    return subject.undo(actor, entry)
