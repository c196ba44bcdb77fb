"""Taking a staged import into the register.

Between preview and confirmation others change the register. Every line therefore keeps what it met
(version and values of a changed row, or that there was none), and the confirmation compares again,
under locks, before it writes.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import and_, delete, insert, literal, or_, select, update

from app.cities import cache
from app.cities.importing.csv_table import Line
from app.cities.importing.models import CityImportRow, Kind
from app.cities.importing.staging import count_lines, find_import, mark_ready, stage_lines
from app.cities.models import City
from app.database.engine import db
from app.database.service import after_commit, transaction
from app.database.types import UtcDateTime
from app.errors import Conflict
from app.times import now


class OutdatedPreview(Conflict):
    """The register changed since the preview, or the preview was made anew; nothing was applied."""


@dataclass(frozen=True)
class Outcome:
    """What a confirmed import did."""

    added: int
    changed: int


def confirm_import(import_id: int, owner: int | None, preview: int) -> Outcome:
    """Apply what was accepted; confirmed again, it only tells what it did. When the register
    changed since the preview, the preview is made anew and Outdated says so."""
    try:
        return apply_import(import_id, owner, preview)
    except OutdatedPreview:
        renew_preview(import_id)
        raise


def renew_preview(import_id: int) -> None:
    """Compare all lines with the register again. The preview's number rises before and after: a
    page that was read in between shows some lines of either and must not be confirmed."""
    query = select(CityImportRow).where(CityImportRow.import_id == import_id)
    lines = [
        Line(row.line, row.provincename, row.cityname, row.number_text, row.surplus)
        for row in db.session.scalars(query.order_by(CityImportRow.line))
    ]
    db.session.rollback()
    mark_ready(import_id)
    stage_lines(import_id, lines)
    mark_ready(import_id)


@transaction
def apply_import(import_id: int, owner: int | None, preview: int) -> Outcome:
    """Take the accepted lines into the register, all or none."""
    held = find_import(import_id, owner, lock=True)
    if held.applied_at is None:
        if held.preview != preview or is_outdated(import_id):
            raise OutdatedPreview(
                _(
                    "The register changed since the preview was made, so nothing was taken over. "
                    "This is the preview made anew: look at it and confirm again."
                )
            )
        counts, moment = count_lines(import_id), now()
        add_new(import_id, moment)
        change_numbers(import_id, moment)
        db.session.execute(delete(CityImportRow).where(CityImportRow.import_id == import_id))
        held.applied_at = moment
        held.added, held.changed = counts[Kind.NEW], counts[Kind.CHANGED]
        after_commit(cache.changed)
    return Outcome(held.added, held.changed)


def is_outdated(import_id: int) -> bool:
    """Whether a row that would change is not what it was, or a new city is there by now. Both
    questions lock what they look at (on MariaDB also the gaps where a new city would stand), so
    that the answer holds until the commit."""
    row = CityImportRow
    moved = (
        select(row.line)
        .outerjoin(City, City.id == row.city_id)
        .where(row.import_id == import_id, row.kind == Kind.CHANGED)
        .where(
            or_(
                City.id.is_(None),
                City.version != row.city_version,
                City.usernumber.is_distinct_from(row.old_number),
                # The original program changes rows without raising their version.
                City.provincename.is_distinct_from(row.provincename),
                City.cityname.is_distinct_from(row.cityname),
            )
        )
    )
    taken = (
        select(row.line)
        .join(City, and_(City.cityname == row.cityname, City.provincename == row.provincename))
        .where(row.import_id == import_id, row.kind == Kind.NEW)
    )
    return any(
        db.session.scalar(query.limit(1).with_for_update()) is not None for query in (moved, taken)
    )


def add_new(import_id: int, moment: datetime) -> None:
    """Insert the new cities in one statement. The last line goes in first: the list shows the
    newest first, so it reads as the file does."""
    row = CityImportRow
    at = literal(moment, UtcDateTime())
    values = {
        "provincename": row.provincename,
        "cityname": row.cityname,
        "usernumber": row.usernumber,
        **staged_keys(),
        "version": literal(1),
        "created_at": at,
        "changed_at": at,
    }
    rows = (
        select(*values.values())
        .where(row.import_id == import_id, row.kind == Kind.NEW)
        .order_by(row.line.desc())
    )
    db.session.execute(insert(City).from_select(list(values), rows))


def staged_keys() -> dict[str, Any]:
    """The same as rules.keys(), from a staged line."""
    row = CityImportRow
    return {
        "province_key": row.province_key,
        "city_key": row.city_key,
        "search_key": row.search_key,
        "keyed_province": row.provincename,
        "keyed_city": row.cityname,
    }


def change_numbers(import_id: int, moment: datetime) -> None:
    """Update the changed cities in one statement, written as a join: MariaDB would answer
    `id IN (SELECT ...)` by reading, and locking, the whole register."""
    row = CityImportRow
    db.session.execute(
        update(City)
        .where(City.id == row.city_id, row.import_id == import_id, row.kind == Kind.CHANGED)
        .values(
            usernumber=row.usernumber,
            version=City.version + 1,
            changed_at=moment,
            **staged_keys(),
        )
        .execution_options(synchronize_session=False)
    )
