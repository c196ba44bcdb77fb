"""Recording changes, and deleting old entries."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, delete, insert, literal, select, update

from app.actor import Actor, Role
from app.database.engine import db
from app.database.service import permitted, service
from app.history.models import ADMINISTRATORS, EVERYBODY, HistoryEntry
from app.times import now

INSERT = insert(HistoryEntry.__table__)  # rows, not objects: they cost less than half
BATCH = 500  # entries of one statement
PRUNE_BATCH = 1000

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """What happened to one subject: the fields that changed, as plain JSON values. `before` is
    None for something new, `after` for something removed. `reverts_id` is the entry that it undoes,
    if that is another one for each change."""

    subject_id: int
    before: Fields | None = None
    after: Fields | None = None
    version: int | None = None
    reverts_id: int | None = None


def record(
    actor: Actor,
    action: str,
    *changes: Change,
    batch_id: str | None = None,
    reverts_id: int | None = None,
    visible_to: int = EVERYBODY,
) -> int | None:
    """Write one entry for each change, within the running service; returns its id if it is one.
    `action` is `<kind>.<verb>`, for example `city.update`, of a kind that history/subjects.py
    knows. In the feed the first of several stands for all of them."""
    common = common_columns(actor, action, batch_id=batch_id, visible_to=visible_to)
    if len(changes) == 1:
        inserted: Any = db.session.execute(INSERT, common | columns_of(changes[0], reverts_id))
        entry_id: int = inserted.inserted_primary_key[0]
        return entry_id
    for start in range(0, len(changes), BATCH):
        some = changes[start : start + BATCH]
        rows = [
            common | columns_of(change, reverts_id, folded=start + place > 0)
            for place, change in enumerate(some)
        ]
        db.session.execute(INSERT, rows)
    return None


def columns_of(change: Change, reverts_id: int | None, folded: bool = False) -> dict[str, Any]:
    """The columns of the entry about one change."""
    return {
        "subject_id": change.subject_id,
        "old_values": dump(change.before),
        "new_values": dump(change.after),
        "version": change.version,
        "reverts_id": change.reverts_id or reverts_id,
        "folded": folded,
    }


def record_rows(actor: Actor, action: str, rows: Select[*tuple[Any, ...]], batch_id: str) -> None:
    """Write entries for thousands of changes in one statement: `rows` is a query for the columns
    `subject_id`, `old_values` and `new_values` (as `dump()` writes them), `version` and, of changes
    that undo others, `reverts_id`. In the feed an entry about the whole, with the same batch,
    stands for them."""
    columns = HistoryEntry.__table__.c
    common = common_columns(actor, action, batch_id=batch_id, visible_to=EVERYBODY, folded=True)
    values = [literal(value, columns[name].type) for name, value in common.items()]
    names = ["subject_id", "old_values", "new_values", "version", "reverts_id"]
    names = [*names[: len(rows.selected_columns)], *common]
    db.session.execute(INSERT.from_select(names, rows.add_columns(*values)))


def update_entry(action: str, subject_id: int, fields: Fields) -> None:
    """Have the entry of something that goes on say how far it is, within the running service."""
    kind = action.partition(".")[0]
    entry = update(HistoryEntry).where(
        HistoryEntry.subject_kind == kind,
        HistoryEntry.subject_id == subject_id,
        HistoryEntry.action == action,
    )
    entry = entry.values(after=dump(fields)).execution_options(synchronize_session=False)
    db.session.execute(entry)


def common_columns(actor: Actor, action: str, **more: Any) -> dict[str, Any]:
    """What entries that are written together have in common."""
    return {
        "at": now(),
        "actor_id": actor.id,
        "via": actor.via.value,
        "token_id": actor.token_id,
        "request_id": actor.request_id,
        "action": action,
        "subject_kind": action.partition(".")[0],
        **more,
    }


def new_batch_id() -> str:
    """An id for the entries of one bulk change."""
    return uuid4().hex


def dump(fields: Fields | None) -> str | None:
    """Fields as JSON text; None stays None."""
    return None if fields is None else json.dumps(dict(fields), ensure_ascii=False)


def changed_fields(before: Fields, after: Fields) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of both sides the fields that differ."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


@permitted(Role.ADMIN, by_token=False)
def prune(actor: Actor, before: datetime) -> int:
    """Delete the entries written before a moment; returns how many. In batches, each a short
    transaction, so that nobody waits for it."""
    before = min(before, now())  # so that it never deletes its own entry
    batch_id, total = new_batch_id(), 0
    while count := prune_batch(actor, before, batch_id, total):
        total += count
    return total


@service(Role.ADMIN, by_token=False)
def prune_batch(actor: Actor, before: datetime, batch_id: str, earlier: int) -> int:
    """Delete the oldest entries, at most PRUNE_BATCH; returns how many. The first batch writes the
    entry of the pruning, later ones raise its count by what `earlier` ones deleted. The rows are
    locked first, so that two who prune at once count each entry once."""
    query = select(HistoryEntry.id).where(HistoryEntry.at < before).with_for_update()
    ids = db.session.scalars(query.order_by(HistoryEntry.at).limit(PRUNE_BATCH)).all()
    if not ids:
        return 0
    db.session.execute(delete(HistoryEntry).where(HistoryEntry.id.in_(ids)))
    fields = {"until": before.isoformat(), "entries": earlier + len(ids)}
    if earlier:
        of_pruning = update(HistoryEntry).where(HistoryEntry.batch_id == batch_id)
        db.session.execute(of_pruning.values(after=dump(fields)))
    else:
        pruned = Change(0, after=fields)
        record(actor, "history.prune", pruned, batch_id=batch_id, visible_to=ADMINISTRATORS)
    return len(ids)
