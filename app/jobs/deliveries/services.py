"""Requesting deliveries, and having them sent again."""

from functools import partial
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from app.actor import Actor, Role
from app.current import settings
from app.database.dialects import DatabaseTime
from app.database.engine import db, release_connection
from app.database.failures import violates
from app.database.service import permitted, service
from app.errors import Conflict
from app.history.models import ADMINISTRATORS
from app.history.services import Change, record
from app.jobs import services as jobs
from app.jobs.deliveries import queries
from app.jobs.deliveries.models import Delivery, DeliveryState
from app.jobs.deliveries.targets import check_url
from app.jobs.kinds import Args
from app.jobs.models import Job
from app.numbers.services import count_computation, person_limits
from app.redis.ids import next_id
from app.text import N_
from app.times import now

DELETED = N_("This was just deleted. Try again.")


@permitted(Role.VIEWER)
def start_job(
    actor: Actor, kind_name: str, args: Args, url: str | None
) -> tuple[int, Delivery | None]:
    """Start a job whose result is sent to an address, if there is one; returns its id and the
    delivery. A result that is being sent there, or was received, is not sent twice; one that was
    given up is sent again. A delivery counts as a computation."""
    url = (url or "").strip()
    if not url:
        return jobs.start_job(actor, kind_name, args), None
    check_url(settings().delivery_targets, url)
    job_id = jobs.start_job(actor, kind_name, args)
    found = queries.find_delivery(job_id, url)
    if found is None or found.state == DeliveryState.GIVEN_UP:
        release_connection()
        count_computation(partial(person_limits, actor.person_id) if actor.is_signed_in else None)
        store_delivery(actor, next_id(), job_id, url)
        found = queries.find_delivery(job_id, url)
    if found is None:
        raise Conflict(DELETED)
    return job_id, found


@service(Role.VIEWER)
def store_delivery(actor: Actor, delivery_id: int, job_id: int, url: str) -> None:
    """Store a delivery, or have the one of this job and address sent again if it was given up."""
    target, _path = check_url(settings().delivery_targets, url)
    job = db.session.get(Job, job_id)
    if job is None:
        raise Conflict(DELETED)
    row = {"id": delivery_id, "job_id": job_id, "target": url, "origin": target.origin}
    try:
        db.session.execute(insert(Delivery).values({**row, "created_at": now(), **fresh(actor)}))
    except IntegrityError as error:
        if not violates(error, "uq_delivery_job_id_target"):
            raise
        found = queries.find_delivery(job_id, url, lock=True)
        if found and found.state == DeliveryState.GIVEN_UP:
            restart(actor, found)
    else:
        record_delivery(actor, job, target.origin)


@service(Role.VIEWER)
def send_again(actor: Actor, job_id: int, delivery_id: int) -> None:
    """Have a delivery sent again now, in the name of the actor, with as many attempts."""
    found = queries.load_delivery(actor, job_id, delivery_id, lock=True)
    if found.state == DeliveryState.RECEIVED:
        raise Conflict(N_("This was received already."))
    check_url(settings().delivery_targets, found.target)
    restart(actor, found)


def fresh(actor: Actor) -> dict[str, Any]:
    """The columns of a delivery that was not attempted yet, in the name of the actor."""
    return {
        "state": DeliveryState.WAITING,
        "attempts": 0,
        "next_at": DatabaseTime(),
        "last_status": None,
        "last_error": None,
        "created_by": actor.id,
        "token_id": actor.token_id,
        "done_at": None,
    }


def restart(actor: Actor, found: Delivery) -> None:
    """Have a delivery sent again, within a running service that has locked its row."""
    db.session.execute(update(Delivery).where(Delivery.id == found.id).values(fresh(actor)))
    record_delivery(actor, db.session.get_one(Job, found.job_id), found.origin)


def record_delivery(actor: Actor, job: Job, origin: str) -> None:
    """Write an entry for administrators: something leaves this installation."""
    change = Change(job.id, None, {"kind": job.kind, "target": origin})
    record(actor, "job.deliver", change, visible_to=ADMINISTRATORS)
