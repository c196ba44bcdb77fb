"""What happened lately, for members: the newest changes, bulk changes and long uploads as one.

An import writes an entry for each of thousands of cities. So the feed does not read entries marked
as `folded` (services.py), and of the others HEADS_MOST at most, however they are grouped. Uploads
one after another are one line, of JOINED_MOST at most, after which there is another one: so there
is room for what others have done, and Undo is of as many as the line says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import false, func, literal, select, union_all

from app.actor import Actor, Role
from app.database.engine import db
from app.database.keyset import COUNT_MOST, Query
from app.database.service import permitted
from app.history.bulk import is_action
from app.history.models import HistoryEntry
from app.history.queries import visible_to
from app.history.subjects import all_subjects, is_joined

HEADS_MOST, CHUNK = 2000, 60
JOINED_MOST = 500  # entries that are read for one line of joined changes
GAP = timedelta(minutes=10)  # between two uploads that are one

BatchKey = tuple[str, str, str]  # batch, kind of the whole, verb


@dataclass
class ChangeGroup:
    """Changes that are one line, the newest first. Of a bulk change `entries` and `parts` have only
    those that stand for the others, `parts` about what is part of the subjects of `entries`; the
    counts are how many there are, None for more than COUNT_MOST besides the newest."""

    entries: list[HistoryEntry] = field(default_factory=list)
    parts: list[HistoryEntry] = field(default_factory=list)
    count: int | None = 0
    part_count: int | None = 0

    @property
    def newest(self) -> HistoryEntry:
        return self.entries[0]

    def add(self, entry: HistoryEntry) -> None:
        """Add an older one, which may be about what the others are parts of."""
        kind = entry.subject_kind
        if self.entries and part_of(self.entries[0]) == kind:
            self.entries, self.parts = [], self.entries
        is_part = self.entries and self.entries[0].subject_kind != kind
        (self.parts if is_part else self.entries).append(entry)

    @property
    def is_undone_as_one(self) -> bool:
        """True for several changes, and for one of a batch if its kind can be undone so: a folder
        that was made for the only file has no entry."""
        subject = all_subjects().get(self.newest.subject_kind)
        by_batch = subject is not None and subject.undo_bulk is not None
        return self.is_bulk or (by_batch and self.newest.batch_id is not None)

    @property
    def is_bulk(self) -> bool:
        """True for several changes."""
        return self.count != 1 or bool(self.parts)

    @property
    def heads(self) -> list[HistoryEntry]:
        """Of each batch its newest entry, and those that are in none."""
        found: dict[object, HistoryEntry] = {}
        for entry in self.entries:
            found.setdefault(entry.batch_id or entry.id, entry)
        return list(found.values())

    @property
    def batch_ids(self) -> set[str]:
        return {entry.batch_id for entry in self.entries if entry.batch_id is not None}

    def is_followed_by(self, entry: HistoryEntry) -> bool:
        """True if the same person has done the same shortly before, of what is joined."""
        if len(self.entries) >= JOINED_MOST:
            return False
        last = self.entries[-1]
        same = (last.actor_id, last.via, last.action) == (entry.actor_id, entry.via, entry.action)
        return same and is_joined(entry) and last.at - entry.at < GAP


def part_of(entry: HistoryEntry) -> str:
    """The kind of which the subject of an entry is part."""
    subject = all_subjects().get(entry.subject_kind)
    return subject.part_of if subject else ""


def batch_key(entry: HistoryEntry) -> BatchKey | None:
    if entry.batch_id is None:
        return None
    return entry.batch_id, part_of(entry) or entry.subject_kind, entry.action.partition(".")[2]


@permitted(Role.VIEWER)
def recent_changes(actor: Actor, most: int) -> list[ChangeGroup]:
    """The newest changes that the actor may see, at most so many groups."""
    groups: list[ChangeGroup] = []
    batches: dict[BatchKey, ChangeGroup] = {}
    for entry in read_heads(actor):
        key = batch_key(entry)
        group = batches.get(key) if key else None
        if group is None and groups and groups[-1].is_followed_by(entry):
            group = groups[-1]
        if group is None:
            if len(groups) == most:
                break
            group = ChangeGroup()
            groups.append(group)
        group.add(entry)
        if key:
            batches[key] = group
    count_entries(groups)
    return groups


def read_heads(actor: Actor) -> Iterator[HistoryEntry]:
    """The newest entries that stand for themselves or for a bulk change, of the actions that the
    feed shows."""
    shown = {action for subject in all_subjects().values() for action in subject.feed}
    entry_id = HistoryEntry.id
    # An equation: for `IS false` MariaDB would read and sort the whole index.
    query = select(HistoryEntry, visible_to(actor)).where(HistoryEntry.folded == false())
    query = query.with_hint(HistoryEntry, "FORCE INDEX (ix_history_folded)", dialect_name="mysql")
    before, left = None, HEADS_MOST
    while left > 0:
        limit = min(left, CHUNK)
        chunk = query if before is None else query.where(entry_id < before)
        rows = db.session.execute(chunk.order_by(entry_id.desc()).limit(limit)).all()
        for entry, is_visible in rows:
            if is_visible and entry.action in shown:
                yield entry
        if len(rows) < limit:
            return
        before, left = rows[-1][0].id, left - limit


def count_entries(groups: list[ChangeGroup]) -> None:
    """Set the counts of the groups, in one query for all that are of batches."""
    heads = [(group, some) for group in groups for some in (group.entries, group.parts) if some]
    of_batches = [some for group, some in heads if group.batch_ids]
    queries = [entries_of_batches(some).subquery() for some in of_batches]
    counts = [select(literal(n), func.count()).select_from(rows) for n, rows in enumerate(queries)]
    rows = db.session.execute(union_all(*counts)).all() if counts else []
    in_batches = {of_batches[n][0].id: count for n, count in rows}
    for group, some in heads:
        single = sum(entry.batch_id is None for entry in some)
        total = single + in_batches.get(some[0].id, 0)
        count = total if total <= COUNT_MOST + 1 else None
        if some is group.entries:
            group.count = count
        else:
            group.part_count = count


def entries_of_batches(heads: Sequence[HistoryEntry]) -> Query:
    """The query for the ids of the entries in the batches of some heads of one action, at most two
    more than COUNT_MOST."""
    batch_ids = {entry.batch_id for entry in heads if entry.batch_id is not None}
    query = select(HistoryEntry.id).where(HistoryEntry.batch_id.in_(batch_ids))
    return query.where(is_action(heads[0].action)).limit(COUNT_MOST + 2)
