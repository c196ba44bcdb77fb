"""Undoing what an entry says, or the entries of a bulk change; the package of their subjects does
it, see subjects.py."""

from collections import defaultdict
from collections.abc import Sequence

from app.actor import Actor, Role
from app.database.service import permitted
from app.errors import Conflict
from app.history.models import HistoryEntry
from app.history.queries import CANNOT, newest_of_subjects
from app.history.recent import ChangeGroup
from app.history.subjects import all_subjects
from app.text import Message

HEADS_ASKED = 10  # of a group, for which the database is asked


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
        raise Conflict(CANNOT)
    return subject.undo(actor, entry)


def find_undoable_groups(actor: Actor, groups: Sequence[ChangeGroup]) -> set[int]:
    """The newest entries, by id, of those groups of which the actor may undo something."""
    subjects = all_subjects()
    kinds: dict[str, list[HistoryEntry]] = defaultdict(list)
    for group in groups:
        for head in [*group.heads[:HEADS_ASKED], *group.parts[:HEADS_ASKED]]:
            kinds[head.subject_kind].append(head)
    found = {
        entry_id
        for kind, heads in kinds.items()
        if actor.is_signed_in and kind in subjects
        for entry_id in subjects[kind].undoable_bulk(actor, heads)
    }
    return {
        group.newest.id
        for group in groups
        if any(each.id in found for each in [*group.heads, *group.parts])
    }


@permitted(Role.VIEWER)
def undo_entries(actor: Actor, heads: Sequence[HistoryEntry]) -> Sequence[Message]:
    """Undo the changes for which these entries stand, all of one action, as far as they can be;
    returns sentences that say what was done. Conflict if nothing can."""
    subject = all_subjects().get(heads[0].subject_kind)
    if subject is None or subject.undo_bulk is None:
        raise Conflict(CANNOT)
    return subject.undo_bulk(actor, heads)
