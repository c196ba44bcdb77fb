"""Who does a job: claiming it, its progress, how it ended, and taking back those whose process has
died. All times are those of the database, because hosts differ."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.database.dialects import DatabaseTime
from app.database.engine import db
from app.database.failures import violates
from app.database.service import essential, unrecorded
from app.jobs.counts import owner_of, publish_count
from app.jobs.kinds import all_kinds
from app.jobs.models import LINE_LENGTH, LINES_MOST, Job, JobLine, JobState
from app.jobs.worker.processes import has_died
from app.text import N_, Message, dump_messages
from app.times import now

STALE_SECONDS = 30  # without a beat
TRIES_MOST = 3  # without progress
UNKNOWN_SECONDS, TAKEN_SECONDS, AWAY_SECONDS = 60, 1, 10
LOST = N_(
    "The process that did this was killed %(times)s times without any progress.", times=TRIES_MOST
)
LOG_FULL = N_("The log is full; later lines are not stored.")

Text = Message | str
# Used without the ORM, which costs a short job more than these statements.
JOBS: Any = Job.__table__
NOT_CLAIMED: Mapping[str, Any] = {
    "state": JobState.QUEUED,
    "claimed_by": None,
    "running_key": None,
    "sent_at": None,
    "beat_at": None,
}


@dataclass(frozen=True)
class Claim:
    """A job that this process does, and which attempt it is."""

    job_id: int
    attempt: int
    kind: str
    args: dict[str, Any]
    created_by: int | None
    via: str
    token_id: int | None

    def is_ours(self) -> tuple[Any, ...]:
        """The conditions under which this process still has the job."""
        columns = JOBS.c
        return (
            columns.id == self.job_id,
            columns.attempt == self.attempt,
            columns.state == JobState.RUNNING,
        )


def change(claim: Claim, **values: Any) -> bool:
    """Change the row; False if the job is no longer ours. In this order, because MariaDB computes
    each value from those before it."""
    statement = update(JOBS).where(*claim.is_ours()).ordered_values(*values.items())
    done: Any = db.session.execute(statement)
    return bool(done.rowcount)


@essential
def claim_job(job_id: int, worker: str) -> Claim | None:
    """Claim a queued job, for a process of this name. None if it is not queued any more, or if it
    has to wait: for a worker that knows its kind, or for another one of an exclusive kind."""
    names = ("attempt", "kind", "args", "created_by", "via", "token_id")
    columns = (JOBS.c[name] for name in names)
    queued = (JOBS.c.id == job_id, JOBS.c.state == JobState.QUEUED)
    row = db.session.execute(select(*columns).where(*queued)).one_or_none()
    if row is None:
        return None
    kind = all_kinds().get(row.kind)
    if kind is None:
        postpone(job_id, UNKNOWN_SECONDS)
        return None
    values = {
        "state": JobState.RUNNING,
        "claimed_by": worker,
        "running_key": kind.running_key,
        "attempt": row.attempt + 1,
        "tries": JOBS.c.tries + 1,
        "started_at": DatabaseTime(),
        "beat_at": DatabaseTime(),
        "due_at": None,
    }
    try:
        ours = update(JOBS).where(*queued, JOBS.c.attempt == row.attempt).values(values)
        claimed: Any = db.session.execute(ours)
    except IntegrityError as error:
        if not violates(error, "uq_job_running_key"):
            raise
        postpone(job_id, TAKEN_SECONDS)
        return None
    if not claimed.rowcount:
        return None
    return Claim(job_id, row.attempt + 1, row.kind, json.loads(row.args), *row[3:])


def postpone(job_id: int, seconds: float) -> None:
    """Have a queued job sent again later, within a running transaction."""
    later = {"sent_at": None, "due_at": DatabaseTime(seconds)}
    queued = (Job.id == job_id, Job.state == JobState.QUEUED)
    db.session.execute(update(Job).where(*queued).values(later))


@unrecorded
def beat(claim: Claim) -> bool:
    """Say that the job is being done; False if it is no longer ours. A row that is locked is passed
    over: the process itself has locked it."""
    locked = select(Job.id).where(*claim.is_ours()).with_for_update(skip_locked=True)
    if db.session.scalar(locked):
        return change(claim, beat_at=DatabaseTime())
    return db.session.scalar(select(Job.id).where(*claim.is_ours())) is not None


@unrecorded
def write_progress(claim: Claim, done: int, total: int | None, message: Text | None) -> bool | None:
    """Write how far the job is. Returns whether it is to be cancelled; None if it is no longer
    ours. Progress beyond that of all attempts before resets the count of fruitless ones."""
    is_farther = JOBS.c.progress_most < done
    values: dict[str, Any] = {
        "tries": case((is_farther, 0), else_=JOBS.c.tries),
        "progress_most": case((is_farther, done), else_=JOBS.c.progress_most),
        "progress_done": done,
        "progress_total": total,
        "beat_at": DatabaseTime(),
    }
    if message is not None:
        values["message"] = dump_text(message)
    return is_cancelled(claim) if change(claim, **values) else None


@unrecorded
def ask(claim: Claim) -> bool | None:
    """Whether the job is to be cancelled; None if it is no longer ours."""
    return is_cancelled(claim)


def is_cancelled(claim: Claim, lock: bool = False) -> bool | None:
    """Whether the job is to be cancelled, within a running transaction; None if it is no longer
    ours. With `lock` nobody takes it back before the transaction has ended."""
    query = select(JOBS.c.cancel_asked).where(*claim.is_ours())
    found: bool | None = db.session.scalar(query.with_for_update() if lock else query)
    return found


@essential
def write_line(claim: Claim, message: Text) -> bool:
    """Add a line to the log; False if the job is no longer ours."""
    if is_cancelled(claim, lock=True) is None:
        return False
    last = select(func.max(JobLine.number)).where(JobLine.job_id == claim.job_id)
    number = (db.session.scalar(last) or 0) + 1
    if number > LINES_MOST:
        return True
    text = LOG_FULL if number == LINES_MOST else message
    row = {"job_id": claim.job_id, "number": number, "at": now(), "message": dump_text(text)}
    db.session.execute(insert(JobLine).values(row))
    return True


@essential
def finish(claim: Claim, state: JobState, result: str | None, message: Text | None) -> bool:
    """Write how the job ended; False if it is no longer ours."""
    values: dict[str, Any] = {"state": state, "result": result, "running_key": None}
    if message is not None:
        values["message"] = dump_text(message)
    return change(claim, **values, ended_at=DatabaseTime())


@essential
def give_back(claim: Claim, seconds: float = 0) -> bool:
    """Have the job begun again, so many seconds later at the earliest: this attempt does not
    count, because nothing is wrong with the job. One that is to be cancelled is."""
    if is_cancelled(claim, lock=True):
        return change(claim, **ended(JobState.CANCELLED))
    due = DatabaseTime(seconds) if seconds else None
    tries = case((Job.tries > 0, Job.tries - 1), else_=0)
    return change(claim, **NOT_CLAIMED, tries=tries, due_at=due)


def ended(state: JobState, message: Text | None = None) -> dict[str, Any]:
    """The values of a job that its process did not end itself."""
    text = {} if message is None else {"message": dump_text(message)}
    return {"state": state, "running_key": None, "ended_at": DatabaseTime(), **text}


def take_back() -> None:
    """Have the jobs begun again whose process has died, or has not beaten for STALE_SECONDS."""
    is_stale = Job.beat_at < DatabaseTime(-STALE_SECONDS)
    columns = (Job.id, Job.attempt, Job.claimed_by, is_stale.label("is_stale"))
    running = db.session.execute(select(*columns).where(Job.state == JobState.RUNNING)).all()
    db.session.rollback()
    for job_id, attempt, worker, stale in running:
        if stale or has_died(worker or ""):
            take_back_job(job_id, attempt, worker or "")
            publish_count(owner_of(job_id))


@unrecorded
def take_back_job(job_id: int, attempt: int, worker: str) -> None:
    """The same for one, unless it was taken back or has beaten since."""
    is_stale = Job.beat_at < DatabaseTime(-STALE_SECONDS)
    conditions = [Job.id == job_id, Job.attempt == attempt, Job.state == JobState.RUNNING]
    if not has_died(worker):
        conditions.append(is_stale)
    steps = (
        (Job.cancel_asked, ended(JobState.CANCELLED)),
        (Job.tries >= TRIES_MOST, ended(JobState.LOST, LOST)),
        (Job.tries < TRIES_MOST, {**NOT_CLAIMED, "due_at": None}),
    )
    for condition, values in steps:
        db.session.execute(update(Job).where(*conditions, condition).values(values))


def dump_text(text: Text) -> str:
    """A message, to be translated when it is shown."""
    if not isinstance(text, Message):
        text = Message("%(text)s", {"text": text[:LINE_LENGTH]})
    return dump_messages([text])
