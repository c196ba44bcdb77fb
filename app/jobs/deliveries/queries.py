"""Reads of deliveries."""

from sqlalchemy import ColumnElement, and_, exists, func, select

from app.actor import Actor, Role
from app.database.dialects import DatabaseTime
from app.database.engine import db
from app.database.service import permitted
from app.errors import NotFound
from app.jobs.deliveries.models import Delivery, DeliveryState
from app.jobs.models import Job, JobState
from app.text import N_

RECENT_SECONDS = 86_400  # for which deliveries that were given up are reported


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The condition for deliveries that somebody sees: those in their name, all for
    administrators. An address may say more than others should know."""
    return Delivery.id > 0 if actor.is_admin else Delivery.created_by == actor.id


@permitted(Role.VIEWER)
def list_deliveries(actor: Actor, job_id: int) -> list[Delivery]:
    """The deliveries of a job, the oldest first."""
    query = select(Delivery).where(Delivery.job_id == job_id, visible_to(actor))
    return list(db.session.scalars(query.order_by(Delivery.id)))


@permitted(Role.VIEWER)
def load_delivery(actor: Actor, job_id: int, delivery_id: int, lock: bool = False) -> Delivery:
    """One of them."""
    own = (Delivery.id == delivery_id, Delivery.job_id == job_id, visible_to(actor))
    query = select(Delivery).where(*own)
    found: Delivery | None = db.session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound(N_("There is no such delivery."))
    return found


def find_delivery(job_id: int, url: str, lock: bool = False) -> Delivery | None:
    """The delivery of the result of a job to an address."""
    query = select(Delivery).where(Delivery.job_id == job_id, Delivery.target == url)
    query = query.execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if lock else query)


def is_due() -> ColumnElement[bool]:
    """The condition for deliveries, joined with their jobs, that are to be sent now."""
    waits = and_(Delivery.state == DeliveryState.WAITING, Delivery.next_at <= DatabaseTime())
    return and_(waits, Job.state == JobState.DONE)


def is_being_delivered() -> ColumnElement[bool]:
    """The condition for jobs with a result that is still to be sent."""
    waits = (Delivery.job_id == Job.id, Delivery.state == DeliveryState.WAITING)
    return and_(Job.state == JobState.DONE, exists().where(*waits))


def count_given_up() -> int:
    """How many deliveries were given up within a day."""
    recent = Delivery.done_at > DatabaseTime(-RECENT_SECONDS)
    given_up = (Delivery.state == DeliveryState.GIVEN_UP, recent)
    return db.session.scalar(select(func.count()).select_from(Delivery).where(*given_up)) or 0
