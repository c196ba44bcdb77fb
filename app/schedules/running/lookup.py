"""Which schedules are due, for the clock."""

from sqlalchemy import ColumnElement, select

from app.database.dialects import DatabaseTime
from app.database.engine import db
from app.jobs.kinds import all_kinds
from app.schedules.models import Schedule


def is_due(housekeeping: bool) -> tuple[ColumnElement[bool], ...]:
    """The conditions for schedules that are due: those of housekeeping, or all others. What an
    older release does not know is left to the clock of a newer one."""
    kinds = [name for name, kind in all_kinds().items() if bool(kind.housekeeping) == housekeeping]
    return Schedule.next_at <= DatabaseTime(), Schedule.kind.in_(kinds)


def find_due(housekeeping: bool) -> list[int]:
    """Their ids, what has been due for longest first; without a lock, for which others would wait
    on SQLite."""
    query = select(Schedule.id).where(*is_due(housekeeping)).order_by(Schedule.next_at)
    found = list(db.session.scalars(query))
    db.session.rollback()
    return found


def lock_due(schedule_id: int, housekeeping: bool) -> Schedule | None:
    """One of them, locked; None if another clock has it."""
    query = select(Schedule).where(Schedule.id == schedule_id, *is_due(housekeeping))
    query = query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    found: Schedule | None = db.session.scalar(query)
    return found
