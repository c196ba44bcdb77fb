"""Reading the history: pages of entries, who made entries, names of what was deleted."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select, union_all
from sqlalchemy.orm import aliased

from app.actor import Actor, Role, Via
from app.database import keyset
from app.database.cursor import BY_ID, Cursor
from app.database.engine import db, release_connection
from app.database.keyset import Listing, Page, Query, count_some, seek_by_id
from app.database.service import permitted
from app.errors import Conflict, NotFound
from app.history.models import ADMINISTRATORS, EVERYBODY, HistoryEntry
from app.text import N_
from app.times import day_bounds

# How far the order of ids may differ from that of times: transactions commit in any order, and
# the clocks of two hosts differ.
SLACK = timedelta(minutes=10)
OPERATOR = 0  # the filter `person` for the command line
ALREADY_UNDONE = N_("This was already undone.")
CHANGED_SINCE = N_("This was changed again in the meantime, so nothing was undone.")
GONE = N_("This was removed in the meantime, so nothing was undone.")
CANNOT = N_("This cannot be undone.")
NO_ENTRY = N_("There is no such entry in the history.")
FIRST_YEAR = 1900  # of days; time zones cannot hold the first and the last years


@dataclass(frozen=True)
class HistoryListing(Listing):
    """The filters. Nothing set is everything, newest first. `person` is a person's id or OPERATOR;
    `kind` is a kind of subject."""

    SORTS: ClassVar = {"id": BY_ID}

    sort: str = "id"
    descending: bool = True
    person: int | None = None
    kind: str = ""
    day: date | None = None
    batch: str = ""


@permitted(Role.ADMIN, by_token=False)
def select_entries(
    actor: Actor, listing: HistoryListing, cursor: Cursor, zone: ZoneInfo
) -> tuple[Page[HistoryEntry], int | None]:
    """The page at a cursor, and how many entries the list has (None for more than COUNT_MOST).
    `zone` is the one whose day is meant."""
    conditions = [visible_to(actor), *filters(listing, zone)]
    total = count_some(HistoryEntry.id, conditions)
    page: Page[HistoryEntry] = keyset.select_page(
        lambda at, limit: db.session.scalars(
            rows_query(listing, conditions, at).limit(limit)
        ).all(),
        partial(keyset.cursor_at, listing),
        cursor,
        listing.size,
        total,
    )
    return page, total


def rows_query(
    listing: HistoryListing, conditions: list[ColumnElement[bool]], cursor: Cursor
) -> Query:
    query: Query = select(HistoryEntry).where(*conditions)
    filters_indexed = {
        "ix_history_batch": listing.batch,
        "ix_history_actor": listing.person is not None,
        "ix_history_subject_kind": listing.kind,
    }
    usable = ", ".join(index for index, is_set in filters_indexed.items() if is_set)
    if usable:
        # MariaDB would read all entries of a person, or of a person and a kind, and sort them.
        query = query.with_hint(HistoryEntry, f"FORCE INDEX ({usable})", dialect_name="mysql")
    return seek_by_id(query, HistoryEntry.id, listing, cursor)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The entries that an actor may see. Those for one person are hidden from
    administrators too."""
    seen = [EVERYBODY]
    if actor.is_admin:
        seen.append(ADMINISTRATORS)
    if actor.id is not None:
        seen.append(actor.id)
    return HistoryEntry.visible_to.in_(seen)


def filters(listing: HistoryListing, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if listing.person == OPERATOR:
        conditions += [HistoryEntry.actor_id.is_(None), HistoryEntry.via == Via.COMMAND]
    elif listing.person is not None:
        conditions.append(HistoryEntry.actor_id == listing.person)
    if listing.kind:
        conditions.append(HistoryEntry.subject_kind == listing.kind)
    if listing.batch:
        conditions.append(HistoryEntry.batch_id == listing.batch)
    if listing.day:
        conditions += written_between(*day_bounds(listing.day, zone))
    return conditions


def written_between(start: datetime, end: datetime) -> list[ColumnElement[bool]]:
    """The entries of a period. Their ids follow their times except for SLACK, so they are also a
    range of ids: every index, which holds the id after its own columns, is then read only as far
    as needed."""
    at, id_ = HistoryEntry.at, HistoryEntry.id
    later = select(id_).where(at >= end + SLACK).order_by(at, id_)
    high = db.session.scalar(later.limit(1))
    conditions = [*written_since(start), at < end]
    if high is not None:
        conditions.append(id_ < high)
    return conditions


def written_since(start: datetime) -> list[ColumnElement[bool]]:
    """The same for the entries from a moment on."""
    at, id_ = HistoryEntry.at, HistoryEntry.id
    earlier = select(id_).where(at < start - SLACK).order_by(at.desc(), id_.desc())
    low = db.session.scalar(earlier.limit(1))
    return [at >= start] if low is None else [at >= start, id_ > low]


@permitted(Role.ADMIN, by_token=False)
def list_authors(actor: Actor) -> list[int]:
    author = HistoryEntry.actor_id
    return list(db.session.scalars(select(author).where(author.is_not(None)).distinct()))


@permitted(Role.VIEWER)
def entries_about(
    actor: Actor, kind: str, subject_id: int, limit: int = 10, others: Collection[int] = ()
) -> list[HistoryEntry]:
    """The newest entries about a subject that the actor may see, also after its removal; `others`
    are more ids of the same thing, such as earlier versions of a file. The caller has checked that
    the actor may read it."""
    ids = {subject_id, *others}
    # By each id's own index: for an IN (...) both databases would sort all entries of all ids.
    newest = [
        select(
            select(HistoryEntry.id)
            .where(HistoryEntry.subject_kind == kind, HistoryEntry.subject_id == each)
            .where(visible_to(actor))
            .order_by(HistoryEntry.id.desc())
            .limit(limit)
            .subquery()
        )
        for each in ids
    ]
    found = union_all(*newest).subquery()
    query = select(HistoryEntry).join(found, found.c.id == HistoryEntry.id)
    return list(db.session.scalars(query.order_by(HistoryEntry.id.desc()).limit(limit)))


@permitted(Role.VIEWER)
def latest_entries(actor: Actor, action: str, limit: int = 10) -> list[HistoryEntry]:
    """The newest entries of an action that the actor may see."""
    query = select(HistoryEntry).where(HistoryEntry.action == action, visible_to(actor))
    return list(db.session.scalars(query.order_by(HistoryEntry.id.desc()).limit(limit)))


@permitted(Role.VIEWER)
def load_entry(actor: Actor, entry_id: int) -> HistoryEntry:
    """An entry that the actor may see, detached from the session: the service that undoes it begins
    with a lock, and must not read the entry again before it."""
    query = select(HistoryEntry).where(HistoryEntry.id == entry_id, visible_to(actor))
    entry: HistoryEntry | None = db.session.scalar(query)
    if entry is None:
        raise NotFound(NO_ENTRY)
    db.session.expunge(entry)
    release_connection()
    return entry


def newest_of_subjects(entries: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """Those of some entries that are the newest about their subjects."""
    newer = aliased(HistoryEntry)
    last = (
        select(newer.id)
        .where(newer.subject_kind == HistoryEntry.subject_kind)
        .where(newer.subject_id == HistoryEntry.subject_id)
        .order_by(newer.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    ids = [entry.id for entry in entries]
    query = select(HistoryEntry.id).where(HistoryEntry.id.in_(ids), HistoryEntry.id == last)
    newest = set(db.session.scalars(query)) if ids else set()
    return [entry for entry in entries if entry.id in newest]


def check_newest(entry: HistoryEntry) -> None:
    """Conflict if there is a newer entry about the subject of this one. Called within the service
    that undoes it, after the subject is locked."""
    check_not_undone(entry)
    if db.session.scalar(later_than(entry).limit(1)) is not None:
        raise Conflict(CHANGED_SINCE)


def check_not_undone(entry: HistoryEntry) -> None:
    """Conflict if a newer entry has undone this one, for subjects that are gone by now."""
    undone = later_than(entry).where(HistoryEntry.reverts_id == entry.id)
    if db.session.scalar(undone.limit(1)) is not None:
        raise Conflict(ALREADY_UNDONE)


def later_than(entry: HistoryEntry) -> Query:
    """The query for the ids of later entries about the same subject."""
    return select(HistoryEntry.id).where(
        HistoryEntry.subject_kind == entry.subject_kind,
        HistoryEntry.subject_id == entry.subject_id,
        HistoryEntry.id > entry.id,
    )


def entries_since(kind: str, subject_id: int, version: int, most: int) -> list[HistoryEntry]:
    """The first entries about a subject that were written after a version of it, the oldest
    first."""
    query = (
        select(HistoryEntry)
        .where(HistoryEntry.subject_kind == kind, HistoryEntry.subject_id == subject_id)
        .where(HistoryEntry.version > version)
        .order_by(HistoryEntry.id)
    )
    return list(db.session.scalars(query.limit(most)))


def last_entry(actor: Actor, kind: str, subject_id: int) -> HistoryEntry | None:
    """The newest entry about a subject that the actor may see."""
    query = (
        select(HistoryEntry)
        .where(HistoryEntry.subject_kind == kind, HistoryEntry.subject_id == subject_id)
        .where(visible_to(actor))
        .order_by(HistoryEntry.id.desc())
    )
    return db.session.scalars(query.limit(1)).first()


def find_removal(kind: str, subject_id: int, removed_at: datetime) -> int | None:
    """The id of the entry of a subject's removal, for the entry that reverts it; None for a removal
    by a release that had no history, also if there are entries of earlier removals."""
    query = (
        select(HistoryEntry.id)
        .where(HistoryEntry.subject_kind == kind, HistoryEntry.subject_id == subject_id)
        .where(HistoryEntry.action == f"{kind}.delete", HistoryEntry.at >= removed_at)
        .order_by(HistoryEntry.id.desc())
    )
    return db.session.scalar(query.limit(1))


def names_when_deleted(kind: str, ids: Iterable[int], field: str) -> Mapping[int, str]:
    """For deleted subjects the value of a field in their newest deletion."""
    query = select(HistoryEntry.subject_id, HistoryEntry.before).where(
        HistoryEntry.subject_kind == kind,
        HistoryEntry.subject_id.in_(ids),
        HistoryEntry.after.is_(None),
    )
    names: dict[int, str] = {}
    for subject_id, before in db.session.execute(query.order_by(HistoryEntry.id)):
        fields: dict[str, Any] = json.loads(before or "{}")
        if fields.get(field):
            names[subject_id] = str(fields[field])
    return names


def is_created_in(kind: str, subject_id: int, batch_id: str) -> bool:
    """True if a subject was created in a batch."""
    query = select(HistoryEntry.id).where(
        HistoryEntry.subject_kind == kind,
        HistoryEntry.subject_id == subject_id,
        HistoryEntry.batch_id == batch_id,
        HistoryEntry.action == f"{kind}.create",
    )
    return db.session.scalar(query.limit(1)) is not None
