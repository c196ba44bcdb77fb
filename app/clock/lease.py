"""The lease of the clock: a row of the database, by the database's time."""

from datetime import timedelta

from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.clock.models import HOLDER_LENGTH, Lease
from app.database.dialects import database_time
from app.database.engine import db
from app.database.failures import violates
from app.database.service import unrecorded

NAME = "clock"
LEASE = timedelta(seconds=60)
LATE = timedelta(minutes=5)


@unrecorded
def take(holder: str) -> bool:
    """Take the lease, or extend it; False while somebody else holds it."""
    moment, name = database_time(), holder[:HOLDER_LENGTH]
    changed = db.session.execute(
        update(Lease)
        .where(Lease.name == NAME, or_(Lease.holder == name, Lease.until_at < moment))
        .values(holder=name, until_at=moment + LEASE)
    )
    if changed.rowcount:  # type: ignore[attr-defined]
        return True
    try:
        values = {"name": NAME, "holder": name, "until_at": moment + LEASE}
        db.session.execute(insert(Lease).values(values))
    except IntegrityError as error:
        if not violates(error, "pk_lease"):
            raise
        return False
    return True


@unrecorded
def give_up(holder: str) -> None:
    """End the lease, if it is still ours, so that another clock need not wait."""
    db.session.execute(
        update(Lease)
        .where(Lease.name == NAME, Lease.holder == holder[:HOLDER_LENGTH])
        .values(until_at=database_time() - timedelta(seconds=1))
    )


def is_late() -> bool:
    """True if no clock has run for a while."""
    until = db.session.scalar(select(Lease.until_at).where(Lease.name == NAME))
    return until is None or until < database_time() - LATE
