"""Deleting jobs that ended long ago."""

from functools import partial
from typing import Any

from sqlalchemy import and_, delete, or_, select

from app.database.dialects import DatabaseTime
from app.database.engine import db
from app.database.service import unrecorded
from app.jobs.deliveries.queries import is_being_delivered
from app.jobs.models import Job
from app.removed.emptying import repeat_for

DAY = 86_400
# A shared result is computed again when somebody asks.
DAYS, SHARED_DAYS = 30, 1
BATCH = 200
SECONDS = 2.0  # of one look


def delete_ended() -> int:
    """Delete jobs, with their logs, that ended so many days ago; returns how many."""
    return repeat_for(SECONDS, partial(delete_batch, BATCH), BATCH)


@unrecorded
def delete_batch(most: int) -> int:
    """Delete some of them, unless their result is still to be sent; returns how many."""
    old = Job.ended_at < DatabaseTime(-DAYS * DAY)
    shared = and_(Job.key.is_not(None), Job.ended_at < DatabaseTime(-SHARED_DAYS * DAY))
    conditions = (or_(old, shared), ~is_being_delivered())
    ids = db.session.scalars(select(Job.id).where(*conditions).limit(most)).all()
    # The conditions again, because on MariaDB a job may have been started again in between.
    statement = delete(Job).where(Job.id.in_(ids), *conditions)
    deleted: Any = db.session.execute(statement) if ids else None
    return deleted.rowcount if deleted else 0
