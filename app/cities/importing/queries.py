"""Reading imports: their owners and administrators may. The reads of lines take an import that
`load_import()` found, so that nobody reads those of another person by a number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, and_, func, not_, or_, select

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
from app.database.engine import db
from app.database.keyset import Listing, Page, seek_by_id, select_page
from app.database.service import permitted
from app.errors import NotFound
from app.text import N_
from app.times import now

STAGING = timedelta(minutes=10)  # more than staging a file takes
# A confirmed one may be of the previous release, which did not note the fields.
IS_STAGED = or_(CityImport.fields.is_not(None), CityImport.applied_at.is_not(None))

# Staged, or with a file that can be read in another way, or again.
CAN_GO_ON = or_(CityImport.fields.is_not(None), CityImport.stored_name.is_not(None))


@dataclass(frozen=True)
class LineListing(Listing):
    """The lines of one kind, in the order of the file."""

    SORTS: ClassVar = {"line": Sort(no_value)}

    import_id: int = 0
    kind: str = ""


def owned_by(actor: Actor) -> ColumnElement[bool]:
    """The actor's own imports, for administrators all, that are confirmed or can still be."""
    waits = CityImport.created_at > now() - LIFE
    is_confirmed = CityImport.applied_at.is_not(None)
    current = or_(is_confirmed, CityImport.state == ImportState.APPLYING, waits)
    return current if actor.is_admin else and_(CityImport.person_id == actor.id, current)


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
    lines, the newest first."""
    lines = select(func.count()).where(ImportLine.import_id == CityImport.id).scalar_subquery()
    query = select(
        CityImport.id,
        CityImport.file_name,
        CityImport.created_at,
        CityImport.fields.is_not(None).label("is_staged"),
        lines.label("lines"),
    ).where(waiting_of(actor), CAN_GO_ON)
    return db.session.execute(query.order_by(CityImport.id.desc()).limit(MOST_WAITING)).all()


class Unconfirmed(NamedTuple):
    """How many unconfirmed imports a person has: those whose lines are being staged, and those that
    wait for the person. One that was interrupted before its file was stored stops counting after
    some minutes."""

    staging: int
    waiting: int


def count_unconfirmed(actor: Actor) -> Unconfirmed:
    """The actor's own. One that was read is being compared, unless that was interrupted."""
    is_recent = CityImport.created_at > now() - STAGING
    is_compared = and_(CityImport.fields.is_(None), CityImport.source.is_not(None), is_recent)
    waits = and_(CAN_GO_ON, not_(is_compared))
    counted = or_(CAN_GO_ON, is_recent)
    query = select(waits, func.count()).where(waiting_of(actor), counted).group_by(waits)
    counts = {bool(is_staged): count for is_staged, count in db.session.execute(query)}
    return Unconfirmed(counts.get(False, 0), counts.get(True, 0))


def waiting_of(actor: Actor) -> ColumnElement[bool]:
    """The actor's own imports that are neither confirmed nor cancelled nor expired."""
    own = CityImport.person_id == actor.id
    return and_(own, is_waiting(), CityImport.created_at > now() - LIFE)


def is_waiting() -> ColumnElement[bool]:
    """The condition for imports that nobody has confirmed."""
    return and_(CityImport.state.in_(WAITING), CityImport.applied_at.is_(None))


def count_lines(found: CityImport) -> dict[str, int]:
    """How many lines there are of each kind."""
    query = (
        select(ImportLine.kind, func.count())
        .where(ImportLine.import_id == found.id)
        .group_by(ImportLine.kind)
    )
    return dict.fromkeys(map(str, LineKind), 0) | dict(db.session.execute(query).all())


def count_part(found: CityImport, part: str) -> int:
    """How many lines are of a kind, or were skipped or kept."""
    return getattr(found, part) if part in set(LineOutcome) else count_lines(found)[part]


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


def read_refused(found: CityImport) -> Sequence[ImportLine]:
    """All refused lines."""
    return db.session.scalars(lines_of(found, LineKind.REFUSED).order_by(ImportLine.line)).all()


def lines_of(found: CityImport, kind: str) -> Select[ImportLine]:
    """The query for lines of a kind, or of which this became."""
    column = ImportLine.outcome if kind in set(LineOutcome) else ImportLine.kind
    return select(ImportLine).where(ImportLine.import_id == found.id, column == kind)
