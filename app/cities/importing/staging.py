"""Staging the lines of an import: each is compared with the register and stored with what it would
do. Chunk by chunk, so that a long file holds no lock for long; nothing in the register changes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import delete, insert, select

from app.actor import Actor, Role
from app.auth.queries import load_person
from app.cities.fields import CITY, values_of
from app.cities.importing.compare import Known, Seen, StagedValues, compare_line
from app.cities.importing.models import (
    LIFE,
    MOST_WAITING,
    CityImport,
    ImportLine,
    ImportState,
)
from app.cities.importing.queries import count_lines, count_unconfirmed, load_import
from app.cities.importing.reading.choices import Reading
from app.cities.importing.reading.tables import Line, Table
from app.cities.importing.storage import ImportFile, remove_file
from app.cities.models import TEXT_LENGTH, City
from app.cities.queries import COLUMNS, CityRow
from app.cities.rules import Pair, pair_of, same_name, sort_key
from app.cities.search_keys import fill_keys
from app.concurrency import yield_to_hub
from app.database.engine import db, release_connection
from app.database.failures import tolerated
from app.database.service import service, unrecorded
from app.errors import Conflict, NotFound
from app.history.models import ADMINISTRATORS
from app.history.services import Change, record
from app.text import N_
from app.times import now

CHUNK = 200  # compared and stored in about 30 ms
# How many expired imports a new one deletes: 5,000 lines take 20 to 200 ms.
EXPIRED_AT_ONCE = 5


class Superseded(Conflict):
    """The lines are being staged again, by another request."""

    text = N_("This file is being read again, in another window. Open its import again.")


class TooManyWaiting(Conflict):
    """The person has as many unconfirmed imports as one may have."""


def renew_preview(actor: Actor, import_id: int) -> None:
    """Compare all lines with the register again. The preview's number rises before and after,
    because a page that was read in between shows lines of both previews."""
    lines = read_lines(import_id)
    preview = raise_preview(actor, import_id)
    stage_lines(actor, import_id, lines, preview)
    raise_preview(actor, import_id, preview)


@service(Role.EDITOR)
def insert_import(actor: Actor, file_name: str, table: Table | None, file: ImportFile) -> int:
    """Insert an import without lines; without `table` it has to be chosen how it is read. A person
    who has the most unconfirmed ones gets TooManyWaiting; the locked row of the person makes two
    files at once wait for each other."""
    load_person(actor.person_id, lock=True)
    if sum(count_unconfirmed(actor)) >= MOST_WAITING:
        raise TooManyWaiting(
            N_(
                "You have %(most)s imports that are not confirmed yet. "
                "Confirm or cancel one of them, then choose the file again.",
                most=MOST_WAITING,
            )
        )
    row = CityImport(
        person_id=actor.person_id,
        file_name=file_name,
        state=ImportState.STAGING if table else ImportState.STORED,
        stored_name=file.name,
        size=file.size,
        sha256=file.sha256,
        ignored=", ".join(table.ignored) if table else "",
        source=table.source._asdict() if table else None,
    )
    db.session.add(row)
    db.session.flush()
    counted = {"lines": len(table.lines)} if table else {}
    change = Change(row.id, after={"file_name": file_name, **counted})
    batch_id = str(row.id)
    record(actor, "import.begin", change, batch_id=batch_id, visible_to=ADMINISTRATORS)
    return row.id


@service(Role.EDITOR)
def begin_again(actor: Actor, import_id: int, reading: Reading, table: Table) -> int:
    """Delete the lines of an import, which is read in another way, and remember its encoding.
    Returns the number of the preview under which the lines are staged."""
    found = load_import(actor, import_id, lock=True, unfinished=True)
    if found.applied_at is not None:
        raise NotFound()
    db.session.execute(delete(ImportLine).where(ImportLine.import_id == import_id))
    found.preview += 1
    found.state = ImportState.STAGING
    found.fields = None
    found.reading = reading._asdict()
    found.ignored, found.source = ", ".join(table.ignored), table.source._asdict()
    if reading.codec:
        load_person(actor.person_id, lock=True).file_codec = reading.codec
    return found.preview


def stage_lines(actor: Actor, import_id: int, lines: Sequence[Line], preview: int = 0) -> None:
    """Compare all lines with the register and store what each would do. Superseded once the
    preview has another number."""
    fill_keys()
    seen: Seen = {}
    for start in range(0, len(lines), CHUNK):
        chunk = lines[start : start + CHUNK]
        known = look_up(chunk)
        rows = [compare_line(line, known, seen) for line in chunk]
        store_lines(actor, import_id, rows, preview)
        yield_to_hub()  # SQLite never waits


def read_lines(import_id: int) -> list[Line]:
    """The lines of a staged import as its file had them."""
    query = select(
        ImportLine.line, ImportLine.cells, ImportLine.surplus, ImportLine.problems
    ).where(ImportLine.import_id == import_id)
    rows = db.session.execute(query.order_by(ImportLine.line))
    lines = [Line(line, cells, surplus, problems or {}) for line, cells, surplus, problems in rows]
    release_connection()
    return lines


def look_up(lines: Iterable[Line]) -> dict[Pair, list[Known]]:
    """The rows of the register with the cities' names, by what pair_of() says of them. The search
    keys find names that are written in another way; rows without keys are found by the name
    alone."""
    names = {same_name(line.cells[CITY.name]) for line in lines}
    names = {name for name in names if len(name) <= TEXT_LENGTH}
    found: dict[int, CityRow] = {}
    for condition in (City.city_key.in_(set(map(sort_key, names))), City.cityname.in_(names)):
        found |= {row.id: row for row in db.session.execute(select(*COLUMNS).where(condition))}
    release_connection()
    known: dict[Pair, list[Known]] = defaultdict(list)
    for row in found.values():
        pair = pair_of(row.provincename, row.cityname)
        known[pair].append(Known(row.id, row.version, values_of(row)))
    return known


@service(Role.EDITOR)
def store_lines(actor: Actor, import_id: int, rows: list[StagedValues], preview: int) -> None:
    """Store one chunk, in place of an earlier comparison of the same lines."""
    found = load_import(actor, import_id, lock=True, unfinished=True)
    if found.applied_at is not None:
        raise NotFound()  # confirmed in another window in the meantime
    if found.preview != preview:
        raise Superseded()
    db.session.execute(
        delete(ImportLine).where(
            ImportLine.import_id == import_id,
            ImportLine.line.between(rows[0]["line"], rows[-1]["line"]),
        )
    )
    lines = [{**row, "import_id": import_id} for row in rows]
    db.session.execute(insert(ImportLine.__table__), lines)


@service(Role.EDITOR)
def raise_preview(
    actor: Actor,
    import_id: int,
    preview: int | None = None,
    fields: list[str] | None = None,
) -> int:
    """Raise the preview's number, so that a page which shows an earlier one can no longer confirm;
    returns it. Superseded if it is not `preview`. With the `fields` of the file the import counts
    as staged."""
    found = load_import(actor, import_id, lock=True, unfinished=True)
    if preview not in (None, found.preview):
        raise Superseded()
    found.preview += 1
    found.fields = fields or found.fields
    if found.fields is not None:
        found.state = ImportState.STAGED
        for kind, count in count_lines(found).items():
            setattr(found, f"lines_{kind}", count)
    return found.preview


def delete_expired() -> int:
    """Delete the oldest imports that were not confirmed within a day, each in a short transaction
    of its own; returns how many. One that is locked is left to the next time."""
    count = 0
    expired = (CityImport.created_at < now() - LIFE, CityImport.applied_at.is_(None))
    oldest = select(CityImport.id).where(*expired).order_by(CityImport.created_at)
    for import_id in db.session.scalars(oldest.limit(EXPIRED_AT_ONCE)).all():
        with tolerated("an expired import was not deleted"):
            delete_import(import_id)
            count += 1
    return count


@unrecorded
def delete_import(import_id: int) -> None:
    waiting = (CityImport.id == import_id, CityImport.applied_at.is_(None))
    found = db.session.scalar(select(CityImport).where(*waiting).with_for_update())
    if found is not None:
        remove_file(found)
        db.session.delete(found)
