"""Reads of jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from sqlalchemy import ColumnElement, select

from app.actor import Actor, Role
from app.database import keyset
from app.database.cursor import BY_ID, Cursor
from app.database.dialects import DatabaseTime
from app.database.engine import db
from app.database.keyset import Listing, Page, count_some, seek_by_id
from app.database.service import permitted
from app.errors import NotFound
from app.jobs.kinds import all_kinds
from app.jobs.models import Job, JobLine, JobWorker
from app.text import N_

NO_JOB = N_("There is no such job.")
ALIVE_SECONDS = 30  # after the last beat of a process


@dataclass(frozen=True)
class JobListing(Listing):
    """The filters. Nothing set is everything that one may see, newest first."""

    SORTS: ClassVar = {"id": BY_ID}

    sort: str = "id"
    descending: bool = True
    kind: str = ""
    state: str = ""
    person: int | None = None


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The condition for jobs in the list of somebody: their own, all for administrators."""
    return Job.id > 0 if actor.is_admin else Job.created_by == actor.id


def filters(listing: JobListing) -> list[ColumnElement[bool]]:
    found = []
    if listing.kind:
        found.append(Job.kind == listing.kind)
    if listing.state:
        found.append(Job.state == listing.state)
    if listing.person is not None:
        found.append(Job.created_by == listing.person)
    return found


@permitted(Role.VIEWER)
def select_jobs(actor: Actor, listing: JobListing, cursor: Cursor) -> tuple[Page[Job], int | None]:
    """The page at a cursor, and how many jobs the list has (None for more than COUNT_MOST)."""
    conditions = [visible_to(actor), *filters(listing)]

    def read_rows(cursor: Cursor, limit: int) -> Sequence[Job]:
        query = seek_by_id(select(Job).where(*conditions), Job.id, listing, cursor)
        return db.session.scalars(query.limit(limit)).all()

    total = count_some(Job.id, conditions)
    row_cursor = partial(keyset.cursor_at, listing)
    return keyset.select_page(read_rows, row_cursor, cursor, listing.size, total), total


@permitted(Role.VIEWER)
def load_job(actor: Actor, job_id: int) -> Job:
    """A job with its arguments and result: one's own, a shared one, any for administrators."""
    job = db.session.get(Job, job_id)
    shared = [kind.name for kind in all_kinds().values() if kind.shared]
    if job is None or not (is_own(actor, job) or job.kind in shared):
        raise NotFound(NO_JOB)
    return job


@permitted(Role.VIEWER)
def load_own(actor: Actor, job_id: int, lock: bool = False) -> Job:
    """A job that the actor may cancel and retry: one's own, any for administrators."""
    job = db.session.get(Job, job_id, with_for_update=lock or None)
    if job is None or not is_own(actor, job):
        raise NotFound(NO_JOB)
    return job


def find_job(job_id: int | None, lock: bool = False) -> Job | None:
    """A job, for those who may read what it is about."""
    return db.session.get(Job, job_id, with_for_update=lock or None) if job_id else None


def is_own(actor: Actor, job: Job) -> bool:
    return actor.is_admin or (actor.id is not None and job.created_by == actor.id)


def find_shared(key: str, lock: bool = False) -> Job | None:
    """The job that computes, or has computed, the result of this key."""
    query = select(Job).where(Job.key == key).execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if lock else query)


@permitted(Role.VIEWER)
def read_lines(actor: Actor, job: Job) -> list[JobLine]:
    """The log of a job that was loaded for the actor."""
    query = select(JobLine).where(JobLine.job_id == job.id)
    return list(db.session.scalars(query.order_by(JobLine.number)))


def has_worker() -> bool:
    """True if a process does jobs."""
    alive = select(JobWorker.name).where(JobWorker.beat_at > DatabaseTime(-ALIVE_SECONDS)).limit(1)
    return db.session.scalar(alive) is not None
