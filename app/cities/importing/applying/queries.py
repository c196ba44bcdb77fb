"""Reading imports that were confirmed: what can be undone, their list, what became of lines."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar

from sqlalchemy import and_, or_, select

from app.actor import Actor, Role
from app.cities.importing.applying.conditions import (
    has_active_job,
    is_active,
    keeps_lines,
    why_incomplete,
)
from app.cities.importing.models import CityImport, ImportState
from app.cities.importing.queries import owned_by
from app.current import settings
from app.database import keyset
from app.database.cursor import BY_ID, Cursor
from app.database.engine import db
from app.database.keyset import Listing, Page, count_some, seek_by_id
from app.database.service import permitted
from app.history.models import HistoryEntry
from app.jobs.models import ACTIVE, Job
from app.text import N_, Message

# The states in which an import has changed the register, or is about to.
CONFIRMED = (
    ImportState.APPLYING,
    ImportState.APPLIED,
    ImportState.UNDOING,
    ImportState.UNDONE,
)
GOES_ON = N_("This import is being worked on at the moment. Stop that first.")
NOTHING_TO_UNDO = N_("This import has changed nothing that could be undone.")


@dataclass(frozen=True)
class ImportListing(Listing):
    """All imports that one may see, the newest first."""

    SORTS: ClassVar = {"id": BY_ID}

    sort: str = "id"
    descending: bool = True


@permitted(Role.EDITOR)
def select_imports(
    actor: Actor, listing: ImportListing, cursor: Cursor
) -> tuple[Page[CityImport], int | None]:
    """The page at a cursor, and how many imports there are (None for more than COUNT_MOST): one's
    own, for administrators all."""
    query = select(CityImport).where(owned_by(actor))

    def read_rows(cursor: Cursor, limit: int) -> Sequence[CityImport]:
        rows = seek_by_id(query, CityImport.id, listing, cursor)
        return db.session.scalars(rows.limit(limit)).all()

    total = count_some(CityImport.id, [owned_by(actor)])
    row_cursor = partial(keyset.cursor_at, listing)
    return keyset.select_page(read_rows, row_cursor, cursor, listing.size, total), total


def why_not_undoable(found: CityImport) -> Message | None:
    """Why an import cannot be undone; None if it can."""
    if is_active(found.job_id):
        return GOES_ON
    if found.state not in CONFIRMED or found.state == ImportState.UNDONE:
        return NOTHING_TO_UNDO
    if found.state == ImportState.APPLIED and not found.added + found.changed:
        return NOTHING_TO_UNDO
    return why_incomplete(found)


def undoable_ids(actor: Actor, ids: Collection[int]) -> Collection[int]:
    """Those of some imports that the actor can undo now."""
    if not actor.may_write:
        return ()
    changed = or_(CityImport.added > 0, CityImport.changed > 0)
    is_done = and_(CityImport.state == ImportState.APPLIED, changed)
    is_stopped = and_(
        CityImport.state.in_((ImportState.APPLYING, ImportState.UNDOING)), ~has_active_job()
    )
    conditions = (CityImport.id.in_(ids), owned_by(actor), or_(is_done, is_stopped), keeps_lines())
    return db.session.scalars(select(CityImport.id).where(*conditions)).all()


def undoable_entries(actor: Actor, entries: Sequence[HistoryEntry]) -> Collection[int]:
    """The ids of those entries, each the newest about its import, that the actor can undo."""
    applied = {each.subject_id: each.id for each in entries if each.action == "import.apply"}
    return {applied[import_id] for import_id in undoable_ids(actor, applied)} if applied else ()


def undoable_until(found: CityImport) -> datetime | None:
    """Until when an import can be undone; None if nothing was applied."""
    period = timedelta(days=settings().removed_days)
    return None if found.applied_at is None else found.applied_at + period


def active_jobs(imports: Sequence[CityImport]) -> set[int]:
    """The ids of those of their jobs that wait or run."""
    ids = [found.job_id for found in imports if found.job_id is not None]
    query = select(Job.id).where(Job.id.in_(ids), Job.state.in_(ACTIVE))
    return set(db.session.scalars(query)) if ids else set()
