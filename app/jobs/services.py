"""Starting, cancelling and retrying jobs."""

import json
from functools import partial
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from app.actor import Actor, Role, Via, check_permission
from app.database.dialects import DatabaseTime
from app.database.engine import db, release_connection
from app.database.failures import violates
from app.database.service import permitted, service
from app.errors import Conflict
from app.history.models import ADMINISTRATORS
from app.history.services import Change, record
from app.jobs import queries
from app.jobs.counts import count_after_commit
from app.jobs.kinds import Args, JobKind, load_kind
from app.jobs.models import Job, JobState
from app.numbers.services import count_computation, person_limits
from app.redis.ids import next_id
from app.text import N_
from app.times import now

About = tuple[str, int]  # kind and id of a subject of the history

# What a shared job is when it is computed again.
FRESH: dict[str, Any] = {
    "state": JobState.QUEUED, "progress_done": 0, "progress_most": 0, "progress_total": None,
    "message": None, "result": None, "due_at": None, "sent_at": None, "started_at": None,
    "beat_at": None, "ended_at": None, "tries": 0, "claimed_by": None, "running_key": None,
    "cancel_asked": False,
}  # fmt: skip


@permitted(Role.VIEWER)
def start_job(actor: Actor, kind_name: str, args: Args, about: About | None = None) -> int:
    """Start a job of a kind, if the actor may; returns its id. Invalid if the arguments are. Of a
    shared result the job that computes it, or has computed it; a new one counts as a computation,
    as in app/numbers/services.py."""
    kind = load_kind(kind_name)
    check_permission(actor, kind.role, kind.by_token)
    checked = kind.check(args)
    if kind.key_of:
        return start_shared(actor, kind, checked, kind.key_of(checked))
    try:
        return store_job(actor, next_id(), kind.name, checked, about)
    except IntegrityError as error:
        if not violates(error, "pk_job"):
            raise
        return store_job(actor, next_id(), kind.name, checked, about)


@service(Role.VIEWER)
def store_job(actor: Actor, job_id: int, kind_name: str, args: Args, about: About | None) -> int:
    """Store the job that start_job() has checked."""
    return insert_job(actor, job_id, kind_name, args, about)


def insert_job(
    actor: Actor,
    job_id: int,
    kind_name: str,
    args: Args,
    about: About | None = None,
    key: str | None = None,
) -> int:
    """Insert a job within a running service, which has taken the id before its transaction
    (app/redis/ids.py). The clock sends it after the commit."""
    kind = load_kind(kind_name)
    check_permission(actor, kind.role, kind.by_token)
    about_kind, about_id = about or (None, None)
    row: dict[str, Any] = {
        "id": job_id,
        "kind": kind.name,
        "key": key,
        "args": json.dumps(dict(args), ensure_ascii=False),
        "state": JobState.QUEUED,
        "about_kind": about_kind,
        "about_id": about_id,
        "created_by": None if kind.shared else actor.id,
        "via": actor.via,
        "token_id": None if kind.shared else actor.token_id,
        "created_at": now(),
    }
    db.session.execute(insert(Job).values(row))
    count_after_commit(row["created_by"])
    if not kind.shared and actor.via is not Via.SCHEDULE:  # which has a record of its own
        record_job(actor, "job.start", job_id, kind.name)
    return job_id


def record_job(actor: Actor, action: str, job_id: int, kind: str) -> None:
    """Write an entry for administrators; others see their jobs on the page of jobs."""
    started = {"kind": kind}
    change = Change(job_id, None, started) if action == "job.start" else Change(job_id, started, {})
    record(actor, action, change, visible_to=ADMINISTRATORS)


def start_shared(actor: Actor, kind: JobKind, args: Args, key: str) -> int:
    """The job of a shared result, which is started unless it is there and did not fail."""
    found = queries.find_shared(key)
    if found and (found.is_active or found.state == JobState.DONE):
        return found.id
    release_connection()
    count_computation(partial(person_limits, actor.person_id) if actor.is_signed_in else None)
    return store_shared(actor, next_id(), kind.name, args, key)


@service(Role.VIEWER)
def store_shared(actor: Actor, job_id: int, kind_name: str, args: Args, key: str) -> int:
    """Store a job whose result is shared, or have it computed again if it failed; returns the id of
    the one with this key."""
    try:
        return insert_job(actor, job_id, kind_name, args, key=key)
    except IntegrityError as error:
        if not violates(error, "uq_job_key"):
            raise
    job = queries.find_shared(key, lock=True)
    if job is None:  # deleted in this moment
        raise Conflict(N_("This was just deleted. Try again."))
    if not job.is_active and job.state != JobState.DONE:
        restart(job)
    return job.id


def restart(job: Job) -> None:
    """Have a shared job computed again, within a running service that has locked its row."""
    db.session.execute(update(Job).where(Job.id == job.id).values(FRESH))


@service(Role.VIEWER)
def cancel_job(actor: Actor, job_id: int) -> bool:
    """Cancel a job: at once if it waits, otherwise when it next asks. False if it has ended."""
    job = queries.load_own(actor, job_id, lock=True)
    if not job.is_active:
        return False
    end_or_ask(job)
    record_job(actor, "job.cancel", job.id, job.kind)
    return True


def end_job(job_id: int | None) -> None:
    """Cancel a job, if it is active, within a running service that ends what it is about."""
    job = queries.find_job(job_id, lock=True)
    if job is not None and job.is_active:
        end_or_ask(job)


def end_or_ask(job: Job) -> None:
    """Cancel an active job whose row is locked."""
    values: dict[str, Any] = {"cancel_asked": True}
    if job.state == JobState.QUEUED:
        values |= {"state": JobState.CANCELLED, "ended_at": DatabaseTime()}
    db.session.execute(update(Job).where(Job.id == job.id).values(values))
    count_after_commit(job.created_by)


@permitted(Role.VIEWER)
def retry_job(actor: Actor, job_id: int) -> int:
    """Start a job again with the same arguments, in the name of the actor; returns its id, which is
    the same for a shared one."""
    job = queries.load_own(actor, job_id)
    if job.is_active:
        raise Conflict(N_("This job has not ended yet."))
    args, kind = json.loads(job.args), load_kind(job.kind)
    about = (job.about_kind, job.about_id) if job.about_kind and job.about_id else None
    if not kind.shared:
        return start_job(actor, kind.name, args, about)
    restart_shared(actor, job_id)
    return job_id


@service(Role.VIEWER)
def restart_shared(actor: Actor, job_id: int) -> None:
    """Have a shared result computed again, unless that is going on."""
    job = queries.load_own(actor, job_id, lock=True)
    if not job.is_active:
        restart(job)
        record_job(actor, "job.retry", job.id, job.kind)
