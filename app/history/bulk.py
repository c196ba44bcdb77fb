"""Bulk changes: the entries for which a line of the feed stands, read for undoing them.

A line is known by its heads, the entries that the feed has read: each stands for itself, or for all
entries of its batch and action."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from sqlalchemy import ColumnElement, func, select

from app.actor import Actor, Role
from app.database.engine import db, release_connection
from app.database.limits import slices
from app.database.service import permitted
from app.errors import NotFound
from app.history.models import HistoryEntry
from app.history.queries import NO_ENTRY, visible_to
from app.history.subjects import is_joined


@dataclass(frozen=True)
class RecordedChange:
    """What is needed of an entry to undo it among thousands."""

    id: int
    subject_id: int
    at: datetime
    before: str | None
    after: str | None


@permitted(Role.VIEWER)
def load_heads(actor: Actor, ids: Collection[int]) -> list[HistoryEntry]:
    """The heads of a line of the feed, the newest first, detached as by load_entry(). NotFound if
    the actor may not see all of them, or if they are not of one line: of one action, and of one
    batch or joined."""
    query = select(HistoryEntry).where(HistoryEntry.id.in_(ids), visible_to(actor))
    heads = list(db.session.scalars(query.order_by(HistoryEntry.id.desc())))
    actions, batches = {each.action for each in heads}, {each.batch_id or each.id for each in heads}
    is_line = len(actions) == 1 and (len(batches) == 1 or all(map(is_joined, heads)))
    if len(heads) != len(set(ids)) or not is_line:
        raise NotFound(NO_ENTRY)
    for head in heads:
        db.session.expunge(head)
    release_connection()
    return heads


def read_changes(heads: Sequence[HistoryEntry], action: str) -> Mapping[int, RecordedChange]:
    """What the heads stand for, of this action: the last entry about each subject, by its id, the
    newest first. The batch of a head may have entries of other actions."""
    entry = HistoryEntry
    columns = select(entry.id, entry.subject_id, entry.at, entry.before, entry.after)
    columns = columns.where(is_action(action))
    batches = {head.batch_id for head in heads if head.batch_id}
    singles = {head.id for head in heads if not head.batch_id}
    rows = [*db.session.execute(columns.where(entry.batch_id.in_(batches)))] if batches else []
    rows += [*db.session.execute(columns.where(entry.id.in_(singles)))] if singles else []
    last = {row.subject_id: RecordedChange(*row) for row in sorted(rows, key=attrgetter("id"))}
    return dict(sorted(last.items(), key=lambda item: -item[1].id))


def first_of_batch(batch_id: str | None) -> int | None:
    """The id of the first entry of a batch."""
    query = select(func.min(HistoryEntry.id)).where(HistoryEntry.batch_id == batch_id)
    return db.session.scalar(query) if batch_id else None


def lock_entry(entry_id: int | None) -> None:
    """Lock an entry until the service ends, before anything else is read: of two who undo what it
    stands for the second sees what the first did."""
    query = select(HistoryEntry.id).where(HistoryEntry.id == entry_id).with_for_update()
    db.session.execute(query)


def is_action(action: str) -> ColumnElement[bool]:
    """The condition for entries of an action, among those of a batch: databases would also read the
    index of all entries of the action."""
    return func.coalesce(HistoryEntry.action, "") == action


def newest_entries(kind: str, ids: Iterable[int]) -> dict[int, int]:
    """The ids of the newest entries about some subjects, by subject."""
    found = dict[int, int]()
    query = select(HistoryEntry.subject_id, func.max(HistoryEntry.id))
    query = query.where(HistoryEntry.subject_kind == kind).group_by(HistoryEntry.subject_id)
    for some in slices(ids):
        found.update(db.session.execute(query.where(HistoryEntry.subject_id.in_(some))).all())
    return found
