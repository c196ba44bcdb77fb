"""Reading imports: their owners and administrators may. The reads of lines take an import that
`load_import()` found, so that nobody reads those of another person by a number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
)

from app.actor import Actor, Role
from app.cities.importing.models import (
    LIFE,
    MOST_WAITING,
    WAITING,
    CityImport,
    ImportLine,
    ImportState,
    LineKind,
    LineOutcome,
)
from app.database.cursor import FIRST, Cursor, Sort, no_value
from app.database.engine import db, release_connection
from app.database.keyset import Listing, Page, seek_by_id, select_page
from app.database.service import permitted
from app.errors import NotFound
from app.jobs.models import ACTIVE, Job
from app.text import N_
from app.times import now

# One of the previous release, which does not know states, may have been confirmed.
IS_STAGED = or_(
    CityImport.state.not_in((ImportState.STORED, ImportState.STAGING, ImportState.CANCELLED)),
    CityImport.applied_at.is_not(None),
)
# An earlier release stored no file: what it has not staged cannot go on.
CAN_GO_ON = or_(CityImport.fields.is_not(None), CityImport.stored_name.is_not(None))
LINES = sum((getattr(CityImport, f"lines_{kind}") for kind in LineKind), literal(0))
BATCH = 1000  # refused lines that are read at once


@dataclass(frozen=True)
class LineListing(Listing):
    """The lines of one kind, in the order of the file."""

    SORTS: ClassVar = {"line": Sort(no_value)}

    import_id: int = 0
    kind: str = ""


def is_current() -> ColumnElement[bool]:
    """The condition for imports that are confirmed or can still be."""
    waits = and_(CityImport.state != ImportState.CANCELLED, CityImport.created_at > now() - LIFE)
    is_confirmed = CityImport.applied_at.is_not(None)
    goes_on = CityImport.state.in_((ImportState.APPLYING, ImportState.UNDOING))
    return or_(is_confirmed, goes_on, waits)


def owned_by(actor: Actor) -> ColumnElement[bool]:
    """The actor's own imports, for administrators all, that are confirmed or can still be."""
    return is_current() if actor.is_admin else and_(CityImport.person_id == actor.id, is_current())


@permitted(Role.EDITOR)
def load_import(
    actor: Actor, import_id: int, *, lock: bool = False, unfinished: bool = False
) -> CityImport:
    """A staged import, with `unfinished` also one whose lines are being staged; NotFound for
    whoever may not see it."""
    query = select(CityImport).where(CityImport.id == import_id, owned_by(actor))
    if not unfinished:
        query = query.where(IS_STAGED)
    found: CityImport | None = db.session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound(N_("There is no such import. Unconfirmed ones are deleted after a day."))
    return found


@permitted(Role.EDITOR)
def list_waiting(actor: Actor) -> Sequence[Row[Any]]:
    """The actor's own imports that are neither confirmed nor cancelled, each with the number of its
    lines so far, the newest first."""
    query = select(
        CityImport.id,
        CityImport.file_name,
        CityImport.created_at,
        CityImport.state,
        LINES.label("lines"),
    ).where(waiting_of(actor), CAN_GO_ON)
    return db.session.execute(query.order_by(CityImport.id.desc()).limit(MOST_WAITING)).all()


class Unconfirmed(NamedTuple):
    """How many unconfirmed imports a person has: those whose lines are being staged, and those that
    wait for the person."""

    staging: int
    waiting: int


def count_unconfirmed(actor: Actor) -> Unconfirmed:
    """The actor's own."""
    job = exists().where(Job.id == CityImport.job_id, Job.state.in_(ACTIVE))
    waits = not_(and_(CityImport.state == ImportState.STAGING, job))
    query = select(waits, func.count()).where(waiting_of(actor), CAN_GO_ON).group_by(waits)
    counts = {bool(waiting): count for waiting, count in db.session.execute(query)}
    return Unconfirmed(counts.get(False, 0), counts.get(True, 0))


def waiting_of(actor: Actor) -> ColumnElement[bool]:
    """The actor's own imports that are neither confirmed nor cancelled nor expired."""
    own = CityImport.person_id == actor.id
    waits = CityImport.state.in_(WAITING)
    return and_(own, waits, CityImport.applied_at.is_(None), CityImport.created_at > now() - LIFE)


def count_part(found: CityImport, part: str) -> int:
    """How many lines are of a kind, or were skipped or kept."""
    return getattr(found, part) if part in set(LineOutcome) else found.line_counts[part]


def select_lines(
    found: CityImport, listing: LineListing, cursor: Cursor, size: int, total: int
) -> Page[ImportLine]:
    """The page at a cursor of the listing's `total` lines."""
    query = lines_of(found, listing.kind)
    return select_page(
        lambda at, limit: db.session.scalars(
            seek_by_id(query, ImportLine.line, listing, at).limit(limit)
        ).all(),
        lambda row, forward, place: Cursor(forward, row.line, place=place),
        cursor,
        size,
        total,
    )


def first_lines(found: CityImport, size: int) -> dict[str, Page[ImportLine]]:
    """The first lines of the kinds that a preview shows."""
    counts = found.line_counts
    return {
        kind: select_lines(found, LineListing(kind=kind), FIRST, size, counts[kind])
        for kind in (LineKind.CHANGED, LineKind.NEW, LineKind.REFUSED)
    }


def read_refused(import_id: int) -> Iterator[Sequence[Row[*tuple[Any, ...]]]]:
    """All refused lines, some at a time; no connection is held in between."""
    line = ImportLine
    columns = (line.line, line.faults, line.reason, line.cells)
    query = select(*columns).where(line.import_id == import_id, line.kind == LineKind.REFUSED)
    last = 0
    while rows := db.session.execute(
        query.where(line.line > last).order_by(line.line).limit(BATCH)
    ).all():
        release_connection()
        yield rows
        last = rows[-1].line


def lines_of(found: CityImport, kind: str) -> Select[ImportLine]:
    """The query for lines of a kind, or of which this became."""
    column = ImportLine.outcome if kind in set(LineOutcome) else ImportLine.kind
    return select(ImportLine).where(ImportLine.import_id == found.id, column == kind)
