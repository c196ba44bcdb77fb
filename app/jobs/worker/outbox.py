"""What the clock does about jobs, in a thread of its own so that it does not wait for housekeeping:
it sends those that are queued, and has those begun again whose process has died.

The row of a job is the outbox: whoever starts one needs no broker. A job may be sent twice, by two
clocks or again: a worker claims it once.
"""

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import Flask
from sqlalchemy import or_, select, update

from app.database.dialects import DatabaseTime
from app.database.engine import db
from app.database.service import unrecorded
from app.jobs.models import Job, JobState
from app.jobs.worker import beats, claim
from app.redis.client import redis_store

if TYPE_CHECKING:
    from app.jobs.worker.broker import Sender

POLL_SECONDS = 0.2
BATCH = 100
LOOK_SECONDS = 1.0  # between two looks for dead processes
# When a job that was sent and not begun is sent again: if no message waits, and in any case.
LOST_SECONDS, AGAIN_SECONDS = 60, 600


class Outbox:
    """The work of one clock."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.looked = self.resent = float("-inf")

    @cached_property
    def sender(self) -> "Sender":
        """Made when there is something to send, because Celery takes half a second to load."""
        from app.jobs.worker.broker import Sender

        return Sender(self.app.config["SETTINGS"])

    def work(self) -> None:
        """Do what is due."""
        if time.monotonic() - self.looked >= LOOK_SECONDS:
            self.looked = time.monotonic()
            claim.take_back()
            beats.forget_dead_workers()
        if time.monotonic() - self.resent >= LOST_SECONDS / 4:
            self.resent = time.monotonic()
            self.send_again()
        if has_unsent():
            self.send(take_unsent())

    def send(self, ids: list[int]) -> None:
        """Send these jobs, which this clock has taken."""
        for place, job_id in enumerate(ids):
            try:
                self.sender.send(job_id)
            except Exception:
                mark_unsent(ids[place:])
                raise

    def send_again(self) -> None:
        """Have those sent again whose messages were lost."""
        from app.jobs.worker.broker import count_waiting

        if not (overdue := find_overdue(LOST_SECONDS)):
            return
        empty = count_waiting(redis_store.client) == 0
        mark_unsent(overdue if empty else find_overdue(AGAIN_SECONDS))


def unsent() -> Any:
    """The query for queued jobs that are to be sent, the oldest first."""
    is_due = or_(Job.due_at.is_(None), Job.due_at <= DatabaseTime())
    conditions = (Job.state == JobState.QUEUED, Job.sent_at.is_(None), is_due)
    return select(Job.id).where(*conditions).order_by(Job.id)


def has_unsent() -> bool:
    """Asked first, because on SQLite taking them would make others wait."""
    return bool(read_ids(unsent().limit(1)))


@unrecorded
def take_unsent() -> list[int]:
    """The jobs that this clock sends; others pass them over."""
    found = unsent().limit(BATCH).with_for_update(skip_locked=True)
    ids = list(db.session.scalars(found))
    db.session.execute(update(Job).where(Job.id.in_(ids)).values(sent_at=DatabaseTime()))
    return ids


def find_overdue(seconds: float) -> list[int]:
    """Queued jobs that were sent so long ago."""
    overdue = (Job.state == JobState.QUEUED, Job.sent_at < DatabaseTime(-seconds))
    return read_ids(select(Job.id).where(*overdue).limit(BATCH))


def read_ids(query: Any) -> list[int]:
    found = list(db.session.scalars(query))
    db.session.rollback()
    return found


@unrecorded
def mark_unsent(ids: list[int]) -> None:
    """Have queued jobs sent again."""
    queued = (Job.id.in_(ids), Job.state == JobState.QUEUED)
    db.session.execute(update(Job).where(*queued).values(sent_at=None))
