"""Which imports a job works on, and which of them have their lines still: these are deleted after
REMOVED_DAYS, those of earlier releases when they were confirmed."""

from sqlalchemy import ColumnElement, and_, exists, or_, select

from app.cities.importing.models import CityImport, ImportLine, ImportState
from app.database.engine import db
from app.errors import Conflict
from app.jobs.models import ACTIVE, Job
from app.removed.period import oldest_restorable
from app.text import N_, Message

TOO_OLD = N_("This import is too old: its lines were deleted, so it cannot be undone any more.")
NO_REST = N_(
    "This import is too old: its lines were deleted, so it can be neither finished nor undone."
)


def is_active(job_id: int | None) -> bool:
    """True if a job waits or runs."""
    query = select(Job.id).where(Job.id == job_id, Job.state.in_(ACTIVE))
    return job_id is not None and db.session.scalar(query) is not None


def has_active_job() -> ColumnElement[bool]:
    """The same, as a condition for imports."""
    return exists().where(Job.id == CityImport.job_id, Job.state.in_(ACTIVE))


def check_lines(found: CityImport) -> None:
    """Conflict if the lines of an import are not there for its next job."""
    if reason := why_incomplete(found):
        raise Conflict(reason)


def why_incomplete(found: CityImport) -> Message | None:
    """Why nothing can be done with a confirmed import any more; None if its lines are there."""
    query = select(CityImport.id).where(CityImport.id == found.id, keeps_lines())
    if db.session.scalar(query) is not None:
        return None
    return TOO_OLD if found.state == ImportState.APPLIED else NO_REST


def keeps_lines() -> ColumnElement[bool]:
    """The condition for imports whose lines are there, and stay for the next job."""
    is_young = or_(CityImport.applied_at.is_(None), ~is_too_old())
    return and_(is_young, has_lines())


def is_too_old() -> ColumnElement[bool]:
    return CityImport.applied_at <= oldest_restorable()


def has_lines() -> ColumnElement[bool]:
    return exists().where(ImportLine.import_id == CityImport.id)
