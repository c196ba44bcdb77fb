"""Applying a staged import to the register.

Others may change the register after the preview. So every line holds what it met (version and
values of a changed row, or that there was none), and this is compared again, under locks, before
anything is written.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, insert, literal, or_, select, update

from app.actor import Actor
from app.cities import cache
from app.cities.fields import DETAILS, FIELDS, Field
from app.cities.importing.models import CityImport, ImportLine, ImportState, LineKind
from app.cities.importing.storage import remove_file
from app.cities.models import City
from app.cities.name_locks import lock_names
from app.cities.rules import pair_of
from app.cities.services import newest_id
from app.database.engine import db
from app.database.types import UtcDateTime
from app.errors import Conflict
from app.history.services import Change, record, record_rows
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


class OutdatedPreview(Conflict):
    """The register changed since the preview, or the preview was made again."""


@dataclass(frozen=True)
class Outcome:
    """How many cities a confirmed import added and changed."""

    added: int
    changed: int


def apply_lines(actor: Actor, found: CityImport, preview: int) -> None:
    """Apply the accepted lines and record it, within a running service."""
    if found.preview != preview or has_changed_rows(found.id) or has_new_names(found.id):
        raise OutdatedPreview(
            N_(
                "The register changed since the preview was made, so nothing was imported. "
                "This is a new preview: check it and confirm again."
            )
        )
    counts, moment, newest = found.line_counts, now(), newest_id()
    insert_new(found.id, moment)
    update_changed(found.id, moment)
    record_import(actor, found, counts, newest)
    db.session.execute(delete(ImportLine).where(ImportLine.import_id == found.id))
    remove_file(found)
    found.applied_at = found.finished_at = moment
    found.state = ImportState.APPLIED
    found.added, found.changed = counts[LineKind.NEW], counts[LineKind.CHANGED]
    cache.invalidate_all()


def has_changed_rows(import_id: int) -> bool:
    """True if a row that would change is not what it was. Locks these rows until the commit."""
    line = ImportLine
    query = (
        select(line.line)
        .outerjoin(City, City.id == line.city_id)
        .where(
            is_line_of(import_id, LineKind.CHANGED),
            or_(
                City.id.is_(None),
                City.version != line.city_version,
                # The original program changes rows without raising their version.
                *(
                    getattr(City, field.column).is_distinct_from(staged(line.old_values, field))
                    for field in FIELDS
                ),
            ),
        )
    )
    return db.session.scalar(query.limit(1).with_for_update()) is not None


def has_new_names(import_id: int) -> bool:
    """True if a city that would be new exists by now. Locks the names of these until the
    commit. That read must not begin the snapshot in which the register is read, so it locks too:
    the lines of one's own import."""
    names = select(ImportLine.provincename, ImportLine.cityname).where(
        is_line_of(import_id, LineKind.NEW)
    )
    lock_names(db.session.execute(names.with_for_update()).all())
    found = with_cities(
        select(ImportLine.provincename, ImportLine.cityname, City.provincename, City.cityname),
        import_id,
    )
    return any(pair_of(*row[:2]) == pair_of(*row[2:]) for row in db.session.execute(found))


def is_line_of(import_id: int, kind: LineKind) -> ColumnElement[bool]:
    """The lines of an import that are of a kind."""
    return and_(ImportLine.import_id == import_id, ImportLine.kind == kind)


def with_cities(query: Select[*tuple[Any, ...]], import_id: int) -> Select[*tuple[Any, ...]]:
    """The query for new lines and the cities with their keys. Without the hints MariaDB would
    sometimes read the whole register once for each line."""
    same_keys = and_(
        City.city_key == ImportLine.city_key, City.province_key == ImportLine.province_key
    )
    return (
        query.select_from(ImportLine)
        .join(City, same_keys)
        .where(is_line_of(import_id, LineKind.NEW))
        .prefix_with("STRAIGHT_JOIN", dialect="mysql")
        .with_hint(City, "FORCE INDEX (ix_city_city_key)", dialect_name="mysql")
    )


def staged(values: Any, field: Field) -> Any:
    """A field of a line's values, as SQL."""
    value = values[field.name]
    return value.as_integer() if field.numeric else value.as_string()


def insert_new(import_id: int, moment: datetime) -> None:
    """Insert the new cities in one statement. The last line goes in first: the list shows the
    newest first, so it reads as the file does."""
    at = literal(moment, UtcDateTime())
    values = {
        **{field.column: staged(ImportLine.new_values, field) for field in FIELDS},
        **STAGED_KEYS,
        "version": literal(1),
        "created_at": at,
        "changed_at": at,
    }
    rows = (
        select(*values.values())
        .where(is_line_of(import_id, LineKind.NEW))
        .order_by(ImportLine.line.desc())
    )
    db.session.execute(insert(City).from_select(list(values), rows))


def update_changed(import_id: int, moment: datetime) -> None:
    """Update the changed cities in one statement, written as a join: for `id IN (SELECT ...)`
    MariaDB would read, and lock, the whole register."""
    db.session.execute(
        update(City)
        .where(City.id == ImportLine.city_id, is_line_of(import_id, LineKind.CHANGED))
        .values(
            **{field.column: staged(ImportLine.new_values, field) for field in DETAILS},
            **STAGED_KEYS,
            version=City.version + 1,
            changed_at=moment,
        )
        .execution_options(synchronize_session=False)
    )


def record_import(actor: Actor, found: CityImport, counts: dict[str, int], newest: int) -> None:
    """Record the import, and each city that it added or changed. New cities are found by their
    names and by ids larger than `newest`, the largest one before."""
    batch_id = str(found.id)
    summary = Change(found.id, None, {"file_name": found.file_name, **counts})
    record(actor, "import.apply", summary, batch_id=batch_id)
    line = ImportLine
    new = with_cities(select(City.id, line.before, line.after, City.version), found.id).where(
        City.cityname == line.cityname, City.provincename == line.provincename
    )
    changed = select(line.city_id, line.before, line.after, line.city_version + 1).where(
        is_line_of(found.id, LineKind.CHANGED)
    )
    record_rows(actor, "city.create", new.where(City.id > newest).order_by(City.id), batch_id)
    record_rows(actor, "city.update", changed.order_by(line.line), batch_id)
