"""Staging an import: each line of its file is compared with the register and stored with what it
would do. A job does that in chunks, each in a transaction that also moves `staged_line`, so that it
goes on there after its process was killed. Nothing in the register changes."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import dropwhile, islice
from pathlib import Path
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import insert, select

from app.actor import Actor, Role
from app.cities.fields import FIELDS, values_of
from app.cities.importing.cleaning import PIECE, delete_lines
from app.cities.importing.compare import (
    Examined,
    Known,
    Seen,
    StagedValues,
    compare_line,
    examine,
)
from app.cities.importing.models import (
    WAITING,
    CityImport,
    ImportLine,
    ImportState,
    LineKind,
)
from app.cities.importing.queries import load_import
from app.cities.importing.reading.choices import Reading
from app.cities.importing.reading.samples import dump_samples, sample_encodings
from app.cities.importing.reading.sniff import is_workbook
from app.cities.importing.reading.tables import Line, Table, open_table, suggest
from app.cities.importing.services import STAGE
from app.cities.importing.storage import path_of_import
from app.cities.models import City
from app.cities.rules import Pair, pair_of, sort_key
from app.cities.search_keys import are_due, fill_keys
from app.database.engine import db, release_connection
from app.database.service import service
from app.errors import Conflict, Invalid, NotFound
from app.jobs.kinds import JobKind
from app.jobs.queries import find_job
from app.jobs.run import Run
from app.text import N_
from app.textfiles.encoding import UTF_8

CHUNK = 1000  # lines, whose transaction takes about 50 ms
CHECKED = 1000  # lines that are read between two looks whether the job is to end
COLUMNS = (City.id, City.version, *(getattr(City, field.column) for field in FIELDS))
INSERT = insert(ImportLine.__table__)


class Superseded(Conflict):
    """The lines are staged again, by another job."""

    text = N_("This file is being read again, in another window. Open its import again.")


class StagingTask(NamedTuple):
    """What a job has to do: the file, and how it is read if that was chosen. `is_begun` if an
    earlier attempt has stored lines, up to `staged_line`."""

    path: Path
    reading: Reading | None
    is_begun: bool
    staged_line: int


def stage(run: Run) -> None:
    """Read the file of an import and stage its lines. If it is not certain how it is read, its
    person is asked."""
    task = take(run.actor, run)
    if task is None:
        return
    reading = task.reading
    try:
        if reading is None:
            reading, is_certain = suggest(task.path, run.args["codec"])
            if not is_certain:
                ask(run.actor, run, reading, samples_of(task, reading))
                return
        with open_table(task.path, reading, lambda: run.report(0)) as table:
            stage_table(run, task, reading, table)
    except Invalid:
        reading = reading or fallback(task)
        give_up(run.actor, run, reading, samples_of(task, reading))
        raise


def fallback(task: StagingTask) -> Reading:
    """How a file is shown that cannot be read in any way."""
    return Reading(sheet=0) if is_workbook(task.path) else Reading(UTF_8.codec)


def samples_of(task: StagingTask, reading: Reading) -> list[Any] | None:
    return dump_samples(sample_encodings(task.path)) if reading.sheet is None else None


def stage_table(run: Run, task: StagingTask, reading: Reading, table: Table) -> None:
    """Stage the lines of a file, all of which are read once before any is stored."""
    total = count_lines(run, table)
    if not task.is_begun:
        begin_staging(run.actor, run, reading, table, samples_of(task, reading))
    while delete_others(run.actor, run, task.staged_line) == PIECE:
        run.report(0, total)
    lines = dropwhile(lambda line: line.line <= task.staged_line, table.read())
    while chunk := list(islice(lines, CHUNK)):
        done = store_lines(run.actor, run, compare_lines(run.args["import_id"], chunk))
        run.report(done, total)
    finish_staging(run.actor, run, table.fields)


def count_lines(run: Run, table: Table) -> int:
    """How many lines there are; Invalid at one that cannot be read."""
    count = 0
    for count, _line in enumerate(table.read(), 1):
        if count % CHECKED == 0:
            run.report(0)
    return count


@service(Role.EDITOR)
def take(actor: Actor, run: Run) -> StagingTask | None:
    """Have the import belong to this job: it may be one that was started again. None if all lines
    are staged already; Superseded if another job stages them, or has done so."""
    found = load_import(actor, run.args["import_id"], lock=True, unfinished=True)
    preview = run.args["preview"]
    other = find_job(found.job_id) if found.job_id != run.id else None
    if found.state not in WAITING or found.preview > preview or (other and other.is_active):
        raise Superseded()
    is_begun = found.preview == preview
    if is_begun and found.state == ImportState.STAGED:
        return None
    found.job_id, found.state = run.id, ImportState.STAGING
    chosen = run.args["reading"] or (found.reading if is_begun else None)
    run.guard()
    staged_line = found.staged_line if is_begun else 0
    reading = Reading(**chosen) if chosen else None
    return StagingTask(path_of_import(found), reading, is_begun, staged_line)


def load_own(actor: Actor, run: Run) -> CityImport:
    """The import of this job, locked. Superseded if it is not any more."""
    try:
        found = load_import(actor, run.args["import_id"], lock=True, unfinished=True)
    except NotFound:
        run.guard()  # cancelled with the import
        raise
    if found.job_id != run.id or found.state != ImportState.STAGING:
        run.guard()
        raise Superseded()
    return found


@service(Role.EDITOR)
def ask(actor: Actor, run: Run, reading: Reading, samples: list[Any] | None) -> None:
    """Leave it to the person how the file is read; this is what is suggested."""
    found = load_own(actor, run)
    found.state = ImportState.STORED
    found.reading, found.samples = reading._asdict(), samples
    run.guard()


@service(Role.EDITOR)
def give_up(actor: Actor, run: Run, reading: Reading, samples: list[Any] | None) -> None:
    """The file cannot be read in this way: what was staged before stays."""
    found = load_own(actor, run)
    found.state = ImportState.STORED if found.fields is None else ImportState.STAGED
    if found.reading is None:
        found.reading, found.samples = reading._asdict(), samples
    run.guard()


@service(Role.EDITOR)
def begin_staging(
    actor: Actor, run: Run, reading: Reading, table: Table, samples: list[Any] | None
) -> None:
    """Begin with the first line: from now on there is no earlier preview any more."""
    found = load_own(actor, run)
    found.preview = run.args["preview"]
    found.reading, found.samples = reading._asdict(), samples
    found.ignored, found.source = ", ".join(table.ignored), table.source._asdict()
    found.fields, found.staged_line = None, 0
    for kind in LineKind:
        setattr(found, f"lines_{kind}", 0)
    run.guard()


@service(Role.EDITOR)
def delete_others(actor: Actor, run: Run, after: int) -> int:
    """Delete some lines of an earlier preview; returns how many."""
    count = delete_lines(load_own(actor, run).id, after)
    run.guard()
    return count


@service(Role.EDITOR)
def store_lines(actor: Actor, run: Run, rows: list[StagedValues]) -> int:
    """Store one chunk; returns how many lines are staged."""
    found = load_own(actor, run)
    if found.staged_line >= rows[0]["line"]:
        raise Superseded()
    db.session.execute(INSERT, rows)
    for kind, count in Counter(row["kind"] for row in rows).items():
        setattr(found, f"lines_{kind}", found.line_counts[kind] + count)
    found.staged_line = rows[-1]["line"]
    run.guard()
    return sum(found.line_counts.values())


@service(Role.EDITOR)
def finish_staging(actor: Actor, run: Run, fields: list[str]) -> None:
    """All lines are staged."""
    found = load_own(actor, run)
    found.fields, found.state = fields, ImportState.STAGED
    run.guard()


def compare_lines(import_id: int, lines: list[Line]) -> list[StagedValues]:
    """The rows to store for some lines."""
    examined = [examine(line) for line in lines]
    sound = [one for one in examined if not one.faults]
    known, seen = look_up(sound), look_up_earlier(import_id, sound)
    release_connection()
    return [{**compare_line(one, known, seen), "import_id": import_id} for one in examined]


def look_up(lines: Iterable[Examined]) -> dict[Pair, list[Known]]:
    """The rows of the register with the cities' names, by what pair_of() says of them. The search
    keys find names that are written in another way; rows without keys are found by the name
    alone."""
    names = {one.pair[1] for one in lines}
    conditions = [City.city_key.in_(set(map(sort_key, names)))]
    fill_keys()
    if are_due():
        conditions.append(City.cityname.in_(names))
    found: dict[int, Any] = {}
    for condition in conditions:
        found |= {row.id: row for row in db.session.execute(select(*COLUMNS).where(condition))}
    known: dict[Pair, list[Known]] = defaultdict(list)
    for row in found.values():
        pair = pair_of(row.provincename, row.cityname)
        known[pair].append(Known(row.id, row.version, values_of(row)))
    return known


def look_up_earlier(import_id: int, lines: Iterable[Examined]) -> Seen:
    """The staged lines with the same cities."""
    line = ImportLine
    query = select(line.name_digest, line.line, line.new_values).where(
        line.import_id == import_id, line.name_digest.in_({one.digest for one in lines})
    )
    return {digest: (number, values) for digest, number, values in db.session.execute(query)}


KIND = JobKind(STAGE, _l("Preview of an import"), stage, Role.EDITOR)
