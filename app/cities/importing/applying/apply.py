"""Applying the lines of an import to the register, a piece at a time.

Others change the register after the preview. So every line holds what it met (version and values of
a changed row, or that there was none), and this is compared again, under locks, before anything is
written: what has changed since is skipped.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, literal, select, update

from app.actor import Actor, Role
from app.cities import cache
from app.cities.fields import DETAILS, FIELDS
from app.cities.importing.applying.parts import Part, lock_changed, set_outcome, staged
from app.cities.importing.applying.progress import (
    ImportProgress,
    applying_progress,
    lock_taken,
    note_applied,
)
from app.cities.importing.models import ImportLine, ImportState, LineKind, LineOutcome
from app.cities.models import City
from app.cities.name_locks import lock_names
from app.cities.rules import pair_of
from app.cities.services import newest_id
from app.database.engine import db
from app.database.service import service
from app.database.stored_keys import update_rows
from app.database.types import UtcDateTime
from app.history.services import record_rows
from app.jobs.run import Run
from app.text import N_
from app.times import now

# The same as rules.keys(), of a staged line.
STAGED_KEYS = {
    "province_key": ImportLine.province_key,
    "city_key": ImportLine.city_key,
    "search_key": ImportLine.search_key,
    "province_same": ImportLine.province_same,
    "keyed_province": ImportLine.provincename,
    "keyed_city": ImportLine.cityname,
}
CHANGED_SINCE = N_("This city was changed after the preview.")
REMOVED_SINCE = N_("This city was removed after the preview.")
ADDED_SINCE = N_("A city with this name was added after the preview.")


@service(Role.EDITOR)
def apply_part(actor: Actor, run: Run, part: Part) -> ImportProgress:
    """Apply some lines. The job's row is locked last, so that its beats do not wait."""
    found = lock_taken(actor, run, ImportState.APPLYING)
    skipped = skip_changed(part)
    lock_new_names(part)
    newest, moment = newest_id(), now()
    skipped += skip_existing(part)
    insert_new(part, moment)
    update_changed(part, None, ImportLine.new_values, moment)
    added, changed = note_new(part, newest), note_changed(part)
    found.added += added
    found.changed += changed
    found.skipped += skipped
    found.applied_line = part.first
    note_applied(actor, found)
    record_part(actor, part)
    cache.invalidate_all()
    run.guard()
    return applying_progress(found)


@service(Role.EDITOR)
def finish_applying(actor: Actor, run: Run) -> ImportProgress:
    """All lines are applied or skipped."""
    found = lock_taken(actor, run, ImportState.APPLYING)
    if found.applied_at is None:  # nothing was to be applied
        note_applied(actor, found)
    found.state, found.finished_at = ImportState.APPLIED, now()
    run.guard()
    return applying_progress(found)


def skip_changed(part: Part) -> int:
    """Skip the lines whose city is not what it was; returns how many. Locks these cities."""
    found = lock_changed(part, None, [LineKind.CHANGED], ImportLine.old_values)
    gone = [number for number, city_id in found.items() if city_id is None]
    set_outcome(part, gone, LineOutcome.SKIPPED, REMOVED_SINCE)
    set_outcome(part, found.keys() - set(gone), LineOutcome.SKIPPED, CHANGED_SINCE)
    return len(found)


def lock_new_names(part: Part) -> None:
    """Lock the names of new cities until the commit. That read must not begin the snapshot in which
    the register is read, so it locks too: the lines of one's own import."""
    names = select(ImportLine.provincename, ImportLine.cityname)
    names = names.where(part.of(None, LineKind.NEW)).with_for_update()
    lock_names(db.session.execute(names).all())


def skip_existing(part: Part) -> int:
    """Skip the new cities that exist by now; returns how many."""
    line = ImportLine
    names = select(line.line, line.provincename, line.cityname, City.provincename, City.cityname)
    rows = db.session.execute(with_cities(names, part))
    found = {row[0] for row in rows if pair_of(*row[1:3]) == pair_of(*row[3:])}
    set_outcome(part, found, LineOutcome.SKIPPED, ADDED_SINCE)
    return len(found)


def with_cities(query: Select[*tuple[Any, ...]], part: Part) -> Select[*tuple[Any, ...]]:
    """The query for new lines and the cities with their keys. Without the hints MariaDB would
    sometimes read the whole register once for each line."""
    same_keys = (City.city_key == ImportLine.city_key) & (
        City.province_key == ImportLine.province_key
    )
    return (
        query.select_from(ImportLine)
        .join(City, same_keys)
        .where(part.of(None, LineKind.NEW))
        .prefix_with("STRAIGHT_JOIN", dialect="mysql")
        .with_hint(City, "FORCE INDEX (ix_city_city_key)", dialect_name="mysql")
    )


def insert_new(part: Part, moment: datetime) -> None:
    """Insert the new cities in one statement. The last line goes in first, and the last part before
    the others: the list shows the newest first, so it reads as the file does."""
    at = literal(moment, UtcDateTime())
    values = {
        **{field.column: staged(ImportLine.new_values, field) for field in FIELDS},
        **STAGED_KEYS,
        "version": literal(1),
        "created_at": at,
        "changed_at": at,
    }
    rows = select(*values.values()).where(part.of(None, LineKind.NEW))
    rows = rows.order_by(ImportLine.line.desc())
    db.session.execute(insert(City).from_select(list(values), rows))


def update_changed(part: Part, outcome: LineOutcome | None, values: Any, moment: datetime) -> None:
    """Give the cities of changed lines these values of their lines, in one statement, written as a
    join: for `id IN (SELECT ...)` MariaDB would read, and lock, the whole register."""
    db.session.execute(
        update(City)
        .where(City.id == ImportLine.city_id, part.of(outcome, LineKind.CHANGED))
        .values(
            **{field.column: staged(values, field) for field in DETAILS},
            **STAGED_KEYS,
            version=City.version + 1,
            changed_at=moment,
        )
        .execution_options(synchronize_session=False)
    )


def note_new(part: Part, newest: int) -> int:
    """Note in the lines which cities were added for them: those with larger ids than `newest`, the
    largest one before. Returns how many."""
    line = ImportLine
    cities = select(City.provincename, City.cityname, City.id).where(City.id > newest)
    ids = {(province, city): city_id for province, city, city_id in db.session.execute(cities)}
    lines = select(line.line, line.provincename, line.cityname).where(part.of(None, LineKind.NEW))
    applied = {"city_version": 1, "outcome": LineOutcome.APPLIED}
    changes = [
        {"import_id": part.import_id, "line": number, "city_id": ids[province, city], **applied}
        for number, province, city in db.session.execute(lines)
    ]
    update_rows(ImportLine, changes)
    return len(changes)


def note_changed(part: Part) -> int:
    """Note in the lines of which version their cities are now; returns how many."""
    applied = {"outcome": LineOutcome.APPLIED, "city_version": ImportLine.city_version + 1}
    lines = update(ImportLine).where(part.of(None, LineKind.CHANGED)).values(applied)
    done: Any = db.session.execute(lines.execution_options(synchronize_session=False))
    return int(done.rowcount)


def record_part(actor: Actor, part: Part) -> None:
    """Record each city that was added or changed, in the order of their ids and of the lines."""
    line, batch_id = ImportLine, str(part.import_id)
    columns = select(line.city_id, line.before, line.after, line.city_version)
    new = columns.where(part.of(LineOutcome.APPLIED, LineKind.NEW)).order_by(line.line.desc())
    changed = columns.where(part.of(LineOutcome.APPLIED, LineKind.CHANGED)).order_by(line.line)
    record_rows(actor, "city.create", new, batch_id)
    record_rows(actor, "city.update", changed, batch_id)
