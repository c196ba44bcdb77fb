"""Staging an import: read a file, compare it with the register, show what it would do.

Staging commits chunk by chunk, so that a long file holds no lock for long; nothing in the register
changes. applying.py takes over what was accepted, in one transaction.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import Select, delete, func, insert, select

from app.cities.importing.compare import Known, Pair, Seen, StagedValues, compare_line
from app.cities.importing.csv_table import Line, read_csv
from app.cities.importing.models import CityImport, CityImportRow, Kind
from app.cities.models import TEXT_LENGTH, City
from app.cities.rules import clean, pair_of, sort_key
from app.cities.search_keys import fill_keys
from app.concurrency import yield_to_hub
from app.current import settings
from app.database.engine import DATABASE_AWAY, db
from app.database.service import transaction
from app.disk import has_space
from app.errors import Locked, NoSpace, NotFound
from app.times import now

log = logging.getLogger("gazetteer.cities")

CHUNK = 200  # judged and stored in about 30 ms
KEPT_HOURS = 24
# How many expired imports another one deletes: 5,000 lines take 20 to 200 ms.
EXPIRED_AT_ONCE = 5
PART_SIZE = 100


@dataclass(frozen=True)
class Part:
    """One page of the lines of one kind; pages are counted from 1."""

    rows: list[CityImportRow]
    page: int
    pages: int
    total: int


def stage_file(person_id: int, file_name: str, data: bytes) -> int:
    """Read a file and stage its lines; returns the import's id. Invalid when the file cannot be
    read, NoSpace while the disk is nearly full: then nothing is stored."""
    table = read_csv(data)
    if not has_space(settings().instance, len(data)):
        raise NoSpace()
    delete_expired()
    import_id = begin_import(person_id, file_name, ", ".join(table.ignored), table.has_number)
    stage_lines(import_id, table.lines)
    mark_ready(import_id)
    return import_id


def delete_expired(most: int = EXPIRED_AT_ONCE) -> None:
    """Delete the oldest imports that nobody confirmed within a day, each with its lines in a short
    transaction of its own. What cannot be deleted now is left to the next import."""
    expired = CityImport.created_at < now() - timedelta(hours=KEPT_HOURS)
    oldest = select(CityImport.id).where(expired).order_by(CityImport.created_at).limit(most)
    try:
        for import_id in db.session.scalars(oldest).all():
            delete_import(import_id)
            yield_to_hub()
    except (*DATABASE_AWAY, Locked) as error:
        db.session.rollback()
        log.warning("expired imports were not deleted: %s", error.__class__.__name__)


@transaction
def delete_import(import_id: int) -> None:
    """Delete an import with its lines."""
    db.session.execute(delete(CityImport).where(CityImport.id == import_id))


@transaction
def begin_import(person_id: int, file_name: str, ignored: str, has_number: bool) -> int:
    """A new import without lines."""
    held = CityImport(
        person_id=person_id,
        file_name=name_of_file(file_name),
        ignored=ignored,
        has_number=has_number,
    )
    db.session.add(held)
    db.session.flush()
    return held.id


def name_of_file(name: str) -> str:
    """A file's name for people to read: without folders and control characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isprintable()).strip()[:TEXT_LENGTH] or "cities.csv"


def stage_lines(import_id: int, lines: list[Line]) -> None:
    """Compare all lines with the register and keep what each would do."""
    fill_keys()
    seen: Seen = {}
    for start in range(0, len(lines), CHUNK):
        chunk = lines[start : start + CHUNK]
        known = look_up(chunk)
        keep_rows(import_id, [compare_line(line, known, seen) for line in chunk])
        yield_to_hub()  # SQLite never waits


def look_up(lines: Iterable[Line]) -> dict[Pair, list[Known]]:
    """What the register has under the cities' names. The stored keys find names that are written
    another way (decomposed, blanks around them); what counts is the pair after `clean()`. Rows
    that have no key yet are found by the name alone."""
    names = {clean(line.city) for line in lines}
    names = {name for name in names if len(name) <= TEXT_LENGTH}
    query = select(City.id, City.version, City.provincename, City.cityname, City.usernumber)
    rows: dict[int, Known] = {}
    for condition in (
        City.city_key.in_({sort_key(name) for name in names}),
        City.cityname.in_(names),
    ):
        rows |= {row.id: Known(*row) for row in db.session.execute(query.where(condition))}
    db.session.rollback()
    known: dict[Pair, list[Known]] = {}
    for row in rows.values():
        known.setdefault(pair_of(row.province, row.city), []).append(row)
    return known


@transaction
def keep_rows(import_id: int, rows: list[StagedValues]) -> None:
    """Keep one chunk, in place of an earlier judgement of the same lines."""
    held = db.session.get(CityImport, import_id, with_for_update=True)
    if held is None or held.applied_at is not None:
        raise NotFound()  # cancelled or confirmed in another window meanwhile
    db.session.execute(
        delete(CityImportRow).where(
            CityImportRow.import_id == import_id,
            CityImportRow.line.between(rows[0]["line"], rows[-1]["line"]),
        )
    )
    db.session.execute(insert(CityImportRow), [{"import_id": import_id, **row} for row in rows])


@transaction
def mark_ready(import_id: int) -> None:
    """The preview may be shown. Its number rises, so that a page which shows an earlier one can
    no longer confirm."""
    held = db.session.get(CityImport, import_id, with_for_update=True)
    if held is None:
        raise NotFound()
    held.ready, held.preview = True, held.preview + 1


def find_import(import_id: int, owner: int | None, lock: bool = False) -> CityImport:
    """A staged import of that person, or of anybody where `owner` is None (for administrators)."""
    query = select(CityImport).where(CityImport.id == import_id, CityImport.ready)
    if owner is not None:
        query = query.where(CityImport.person_id == owner)
    held: CityImport | None = db.session.scalar(query.with_for_update() if lock else query)
    if held is None:
        raise NotFound(_("There is no such import. Unconfirmed ones are kept for a day."))
    return held


def list_waiting(person_id: int) -> list[CityImport]:
    """A person's imports that are neither confirmed nor cancelled, the newest first."""
    query = select(CityImport).where(
        CityImport.person_id == person_id, CityImport.ready, CityImport.applied_at.is_(None)
    )
    return list(db.session.scalars(query.order_by(CityImport.id.desc()).limit(5)))


def count_lines(import_id: int) -> dict[str, int]:
    """How many lines there are of each kind."""
    query = (
        select(CityImportRow.kind, func.count())
        .where(CityImportRow.import_id == import_id)
        .group_by(CityImportRow.kind)
    )
    found = {row.kind: row[1] for row in db.session.execute(query)}
    return {kind.value: found.get(kind.value, 0) for kind in Kind}


def read_part(import_id: int, kind: str, total: int, page: int = 1, size: int = PART_SIZE) -> Part:
    """One page of the lines of a kind; a page beyond the last is the last."""
    pages = max(1, -(-total // size))
    page = min(page, pages)
    query = lines_of(import_id, kind).offset((page - 1) * size).limit(size)
    return Part(list(db.session.scalars(query)), page, pages, total)


def read_refused(import_id: int) -> list[CityImportRow]:
    """All lines that cannot be taken."""
    return list(db.session.scalars(lines_of(import_id, Kind.REFUSED)))


def lines_of(import_id: int, kind: str) -> Select[CityImportRow]:
    """The query for lines of a kind, in the order of the file."""
    return (
        select(CityImportRow)
        .where(CityImportRow.import_id == import_id, CityImportRow.kind == kind)
        .order_by(CityImportRow.line)
    )


@transaction
def cancel_import(import_id: int, owner: int | None) -> None:
    """Delete what was staged. One that was confirmed stays as it is."""
    held = find_import(import_id, owner, lock=True)
    if held.applied_at is None:
        db.session.execute(delete(CityImport).where(CityImport.id == import_id))
