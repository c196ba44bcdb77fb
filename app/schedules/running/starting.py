"""Starting the jobs of schedules that are due, within a running transaction."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select

from app.actor import Actor, Role, Via
from app.current import worker_name
from app.database.engine import db
from app.jobs.kinds import load_kind
from app.jobs.models import JobState
from app.jobs.queries import find_shared
from app.jobs.services import insert_job, restart
from app.schedules.models import HOST_LENGTH, RunState, Schedule, ScheduleRun

# Runs of one schedule in one transaction; what is left comes a second later.
BATCH = 20


@dataclass(frozen=True)
class Due:
    """What is due: a stretch that is over the grace period, the moments that are to run, and the
    next one, with which it goes on."""

    missed: datetime | None
    missed_until: datetime | None
    moments: list[datetime]
    next_at: datetime | None


def runs_due(row: Schedule, moment: datetime) -> Due:
    """What is due of a schedule at this moment."""
    assert row.next_at is not None  # noqa: S101 - for mypy
    first, bound = row.next_at, moment - timedelta(seconds=row.grace_seconds)
    missed = missed_until = None
    following: datetime | None = first
    if first < bound:
        missed = first
        following = row.timing.next_after(bound - timedelta(microseconds=1))
        if row.timing.next_after(first) != following:
            missed_until = following or bound
    moments: list[datetime] = []
    while following is not None and following <= moment and len(moments) < BATCH:
        moments.append(following)
        following = row.timing.next_after(following)
    return Due(missed, missed_until, moments, following)


def run_schedule(row: Schedule, moment: datetime, ids: Iterator[int]) -> int:
    """Insert the runs of a schedule that are due, whose row is locked, with their jobs, and move
    it to its next moment; returns how many jobs were started. `ids` are those of new jobs."""
    due = runs_due(row, moment)
    if due.missed:
        add_run(row, due.missed, moment, RunState.MISSED, missed_until=due.missed_until)
    started, last = 0, due.moments[-1:]
    for planned in due.moments:
        if row.coalesce and planned not in last:
            add_run(row, planned, moment, RunState.MERGED)
        else:
            started += start_run(row, planned, moment, ids)
    row.next_at = due.next_at
    return started


def start_run(row: Schedule, planned: datetime, moment: datetime, ids: Iterator[int]) -> bool:
    """Insert one run with its job, unless as many as may run at once are running."""
    if count_running(row.id) >= row.at_once:
        add_run(row, planned, moment, RunState.BUSY)
        return False
    add_run(row, planned, moment, RunState.STARTED, job_id=insert_job_of(row, next(ids)))
    return True


def add_run(
    row: Schedule, planned: datetime, moment: datetime, state: RunState, **more: Any
) -> None:
    values = {
        "schedule_id": row.id,
        "planned_at": planned,
        "started_at": moment,
        "state": state,
        "host": worker_name()[:HOST_LENGTH],
        **more,
    }
    db.session.execute(insert(ScheduleRun).values(values))


def count_running(schedule_id: int) -> int:
    """How many jobs of a schedule have not ended."""
    running = (ScheduleRun.schedule_id == schedule_id, ScheduleRun.state == RunState.STARTED)
    return db.session.scalar(select(func.count()).where(*running)) or 0


def insert_job_of(row: Schedule, job_id: int) -> int:
    """Insert a job of a schedule. Its worker checks what the person may do by then. A shared result
    that is there, or being computed, is not computed again."""
    kind = load_kind(row.kind)
    key = kind.key_of(row.arguments) if kind.key_of else None
    if key and (found := find_shared(key, lock=True)):
        if not found.is_active and found.state != JobState.DONE:
            restart(found)
        return found.id
    actor = Actor(row.person_id, "schedule", Role.ADMIN, Via.SCHEDULE)
    return insert_job(actor, job_id, kind.name, row.arguments, key=key)
