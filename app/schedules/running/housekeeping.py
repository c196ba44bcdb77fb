"""Housekeeping: short work that the clock does itself when a schedule says so, without a worker.

The row of the schedule is locked for a moment only: its next run is put off, so that no other clock
begins the same, and moved to its place when the work is done. If the clock is killed in between,
another one does the work after LEASE_SECONDS.
"""

import logging
import time
from datetime import datetime

from redis.exceptions import RedisError
from sqlalchemy import select

from app.clock.run import report
from app.database import failures
from app.database.dialects import DatabaseTime, database_time
from app.database.engine import db
from app.database.service import essential, unrecorded
from app.errors import DomainError
from app.jobs.kinds import JobKind, all_kinds
from app.schedules.models import RunState, Schedule, ScheduleRun
from app.schedules.running.lookup import find_due, lock_due
from app.schedules.running.starting import add_run
from app.text import N_, Message, dump_messages

log = logging.getLogger("gazetteer.clock")

POLL_SECONDS = 1.0
LEASE_SECONDS = 300

DATABASE_AWAY = N_("The database did not answer, or refused this. The log of the clock says more.")
REDIS_AWAY = N_("Redis did not answer, or refused this. The log of the clock says more.")
FAILED = N_("This failed. The log of the clock says why.")


def work() -> None:
    """Do what is due, what has been due for longest first. Ends soon, so that a clock that is to
    stop does: the rest is left to the next time."""
    begun_at = time.monotonic()
    for schedule_id in find_due(housekeeping=True):
        if begun := begin(schedule_id):
            kind, planned = begun
            end(schedule_id, planned, do(kind))
        if time.monotonic() - begun_at > POLL_SECONDS:
            return


@unrecorded
def begin(schedule_id: int) -> tuple[JobKind, datetime] | None:
    """Put the next run off; returns what is to be done, and for when that was planned. None if
    another clock does it."""
    row = lock_due(schedule_id, housekeeping=True)
    if row is None or row.next_at is None:
        return None
    planned = row.next_at
    row.next_at = DatabaseTime(LEASE_SECONDS)
    return all_kinds()[row.kind], planned


def do(kind: JobKind) -> Message | None:
    """Do it; returns what went wrong."""
    assert kind.housekeeping  # noqa: S101 - for mypy
    try:
        done = kind.housekeeping()
        db.session.rollback()
    except Exception as error:
        report(error, f"housekeeping: {kind.name} failed")
        with failures.tolerated("a connection could not be given back"):
            db.session.rollback()
        return problem_of(error)
    if done:
        log.info("housekeeping: %s: %s", kind.name, done)
    return None


def problem_of(error: Exception) -> Message:
    """What the page of the schedule says."""
    if isinstance(error, failures.DATABASE_ERRORS):
        return DATABASE_AWAY
    if isinstance(error, RedisError):
        return REDIS_AWAY
    text = error.args[0] if isinstance(error, DomainError) else ""
    return text if isinstance(text, Message) else FAILED


@essential
def end(schedule_id: int, planned: datetime, problem: Message | None) -> None:
    """Move a schedule on, and note a failure."""
    own = select(Schedule).where(Schedule.id == schedule_id).with_for_update()
    row = db.session.scalar(own.execution_options(populate_existing=True))
    if row is None:
        return
    moment = database_time()
    row.next_at = None if row.paused else row.timing.next_after(moment)
    if problem:
        note_failure(row, planned, moment, dump_messages([problem]))
    else:
        row.ran_at = moment


def note_failure(row: Schedule, planned: datetime, moment: datetime, message: str) -> None:
    """Note a failed run; several in succession are one row."""
    runs = select(ScheduleRun).where(ScheduleRun.schedule_id == row.id)
    last = db.session.scalar(runs.order_by(ScheduleRun.planned_at.desc()).limit(1))
    if last and last.state == RunState.FAILED and not (row.ran_at and row.ran_at > last.planned_at):
        last.started_at = last.missed_until = moment
        last.message = message
    else:
        add_run(row, planned, moment, RunState.FAILED, message=message)
