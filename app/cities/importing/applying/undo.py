"""Undoing an import, a piece at a time: cities that it added are removed, cities that it changed
get their former values. What has changed since stays as it is."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, literal, null, select, update

from app.actor import Actor, Role
from app.cities import cache
from app.cities.importing.applying.apply import update_changed
from app.cities.importing.applying.parts import TAKEN, Part, lock_changed, set_outcome
from app.cities.importing.applying.progress import (
    ImportProgress,
    lock_taken,
    note_undone,
    undoing_progress,
)
from app.cities.importing.models import ImportLine, ImportState, LineKind, LineOutcome
from app.cities.models import City, RemovedCity
from app.database.engine import db
from app.database.limits import slices
from app.database.service import service
from app.database.types import UtcDateTime
from app.history.models import HistoryEntry
from app.history.services import record_rows
from app.jobs.run import Run
from app.text import N_
from app.times import now

CHANGED_SINCE = N_("This city was changed after the import.")
REMOVED_SINCE = N_("This city was removed after the import.")
# What a city and a removed one have in common, besides the id.
SHARED = [
    column.key
    for column in RemovedCity.__table__.c
    if column.key in City.__table__.c and column.key != "id"
]


@service(Role.EDITOR)
def undo_part(actor: Actor, run: Run, part: Part) -> ImportProgress:
    """Undo some lines. The job's row is locked last, so that its beats do not wait."""
    found = lock_taken(actor, run, ImportState.UNDOING)
    is_first, moment = found.undone_line == 0, now()
    kept = keep_changed(part)
    remove_added(actor, part, moment)
    update_changed(part, LineOutcome.APPLIED, ImportLine.old_values, moment)
    undone = note_lines(part)
    found.kept += kept
    found.removed += undone[LineKind.NEW]
    found.reverted += undone[LineKind.CHANGED]
    found.undone_line = part.last
    note_undone(actor, found, is_first)
    record_part(actor, part)
    cache.invalidate_all()
    run.guard()
    return undoing_progress(found)


@service(Role.EDITOR)
def finish_undoing(actor: Actor, run: Run) -> ImportProgress:
    """All lines are undone, or kept."""
    found = lock_taken(actor, run, ImportState.UNDOING)
    if not found.undone_line:  # nothing was applied
        note_undone(actor, found, is_first=True)
    found.state, found.undone_at = ImportState.UNDONE, now()
    run.guard()
    return undoing_progress(found)


def keep_changed(part: Part) -> int:
    """Keep the cities that are not what the import made of them; returns how many. Locks all."""
    found = lock_changed(part, LineOutcome.APPLIED, TAKEN, ImportLine.new_values)
    gone = [number for number, city_id in found.items() if city_id is None]
    set_outcome(part, gone, LineOutcome.KEPT, REMOVED_SINCE)
    set_outcome(part, found.keys() - set(gone), LineOutcome.KEPT, CHANGED_SINCE)
    return len(found)


def remove_added(actor: Actor, part: Part, moment: datetime) -> None:
    """Remove the cities that were added, so that each can be restored."""
    added = part.of(LineOutcome.APPLIED, LineKind.NEW)
    values: dict[str, Any] = {
        **{name: getattr(City, name) for name in SHARED},
        "city_id": City.id,
        "removed_at": literal(moment, UtcDateTime()),
        "removed_by": literal(actor.name),
    }
    rows = select(*values.values()).join(ImportLine, ImportLine.city_id == City.id).where(added)
    db.session.execute(insert(RemovedCity).from_select(list(values), rows))
    ids = db.session.scalars(select(ImportLine.city_id).where(added)).all()
    for some in slices(each for each in ids if each is not None):
        cities = delete(City).where(City.id.in_(some))
        db.session.execute(cities.execution_options(synchronize_session=False))


def record_part(actor: Actor, part: Part) -> None:
    """Record each city that was removed or got its former values, with the entry that is undone."""
    line, batch_id = ImportLine, str(part.import_id)
    entry = (
        select(HistoryEntry.id)
        .where(HistoryEntry.subject_kind == "city", HistoryEntry.subject_id == line.city_id)
        .where(HistoryEntry.batch_id == batch_id)
        .order_by(HistoryEntry.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    removed = select(line.city_id, line.after, null(), line.city_version, entry)
    reverted = select(line.city_id, line.after, line.before, line.city_version + 1, entry)
    for action, rows, kind in (
        ("city.delete", removed, LineKind.NEW),
        ("city.update", reverted, LineKind.CHANGED),
    ):
        rows = rows.where(part.of(LineOutcome.UNDONE, kind)).order_by(line.line)
        record_rows(actor, action, rows, batch_id)


def note_lines(part: Part) -> dict[LineKind, int]:
    """Note in the lines that they are undone; returns how many of each kind."""
    counts = {}
    for kind in TAKEN:
        lines = update(ImportLine).where(part.of(LineOutcome.APPLIED, kind))
        lines = lines.values(outcome=LineOutcome.UNDONE)
        done: Any = db.session.execute(lines.execution_options(synchronize_session=False))
        counts[kind] = int(done.rowcount)
    return counts
