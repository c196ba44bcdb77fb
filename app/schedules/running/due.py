"""Starting the jobs of schedules, which every clock does once a second, in a thread of its own.

A run is inserted, its job too, and the schedule moved to its next moment in one transaction that
has locked the row of the schedule. So each run is started once, however many clocks there are and
whichever of them are killed. All times are those of the database.
"""

import logging
from collections.abc import Iterator

from sqlalchemy import delete, or_, select, update

from app.database.dialects import database_time
from app.database.engine import db
from app.database.failures import DATABASE_ERRORS, tolerated
from app.database.service import unrecorded
from app.errors import Locked
from app.jobs.models import ACTIVE, Job, JobState
from app.redis.ids import next_id
from app.schedules.models import RunState, Schedule, ScheduleRun
from app.schedules.running import starting
from app.schedules.running.lookup import find_due, lock_due

log = logging.getLogger("gazetteer.clock")

POLL_SECONDS = 1.0
RUNS_RETAINED = 1000  # of each schedule, the newest
SETTLED_AT_ONCE = 100


def work() -> None:
    """Note how started runs ended, and start what is due."""
    if ended := find_ended():
        settle_runs(ended)
    for schedule_id in find_due(housekeeping=False):
        run_one(schedule_id)


def run_one(schedule_id: int) -> None:
    """Start what is due of one schedule; an error does not keep the others from theirs. Without
    Redis there are no ids: Unavailable, and the clock tries again."""
    ids = iter([next_id() for _ in range(starting.BATCH)])
    with tolerated(f"schedule {schedule_id} was not run"):
        try:
            started = run_due(schedule_id, ids)
        except (Locked, *DATABASE_ERRORS):
            raise
        except Exception:
            db.session.rollback()
            log.exception("schedule %s was not run", schedule_id)
        else:
            log.info("schedule %s: %s started", schedule_id, started)


@unrecorded
def run_due(schedule_id: int, ids: Iterator[int]) -> int:
    """Start what is due of a schedule, unless another clock is doing that; returns how many jobs
    were started."""
    row = lock_due(schedule_id, housekeeping=False)
    return starting.run_schedule(row, database_time(), ids) if row else 0


def find_ended() -> list[tuple[int, str, str | None]]:
    """Runs whose jobs have ended, how, and the message of one that failed."""
    columns = select(ScheduleRun.id, Job.state, Job.message)
    columns = columns.outerjoin(Job, Job.id == ScheduleRun.job_id)
    ended = or_(Job.id.is_(None), Job.state.not_in(ACTIVE))
    query = columns.where(ScheduleRun.state == RunState.STARTED, ended).limit(SETTLED_AT_ONCE)
    found = [
        (row.id, row.state or RunState.LOST, row.message if row.state != JobState.DONE else None)
        for row in db.session.execute(query)
    ]
    db.session.rollback()
    return found


@unrecorded
def settle_runs(ended: list[tuple[int, str, str | None]]) -> None:
    """Write how runs ended, which remains when their jobs are deleted."""
    for run_id, state, message in ended:
        started = (ScheduleRun.id == run_id, ScheduleRun.state == RunState.STARTED)
        values = {"state": state, "message": message}
        db.session.execute(update(ScheduleRun).where(*started).values(values))


def delete_old_runs() -> int:
    """Delete all but the newest runs of each schedule; returns how many."""
    schedules = list(db.session.scalars(select(Schedule.id)))
    db.session.rollback()
    return sum(delete_runs_of(each, RUNS_RETAINED) for each in schedules)


@unrecorded
def delete_runs_of(schedule_id: int, most: int) -> int:
    own = ScheduleRun.schedule_id == schedule_id
    newest_first = select(ScheduleRun.planned_at).where(own)
    query = newest_first.order_by(ScheduleRun.planned_at.desc()).offset(most).limit(1)
    last = db.session.scalar(query)
    if last is None:
        return 0
    old = (own, ScheduleRun.planned_at <= last, ScheduleRun.state != RunState.STARTED)
    return db.session.execute(delete(ScheduleRun).where(*old)).rowcount  # type: ignore[attr-defined,no-any-return]


@unrecorded
def pass_over() -> None:
    """Move schedules on to what comes from now on: after a backup was restored, nothing that was
    planned since it was made is missed or made up for."""
    moment = database_time()
    for row in db.session.scalars(select(Schedule).where(Schedule.next_at < moment)):
        row.next_at = row.timing.next_after(moment)
