"""That a clock runs: a row of the database, which each one writes, by the database's time."""

from datetime import timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from app.clock.models import HOLDER_LENGTH, Lease
from app.current import worker_name
from app.database.dialects import DatabaseTime, database_time
from app.database.engine import db
from app.database.failures import violates
from app.database.service import unrecorded

NAME = "clock"
# The clock of an earlier release does nothing until then.
LEASE_SECONDS = 60
LATE = timedelta(minutes=5)


@unrecorded
def beat() -> None:
    """Write that this clock runs."""
    row = {"holder": worker_name()[:HOLDER_LENGTH], "until_at": DatabaseTime(LEASE_SECONDS)}
    changed = db.session.execute(update(Lease).where(Lease.name == NAME).values(row))
    if changed.rowcount:  # type: ignore[attr-defined]
        return
    try:
        db.session.execute(insert(Lease).values(name=NAME, **row))
    except IntegrityError as error:  # another clock was first
        if not violates(error, "pk_lease"):
            raise


def is_late() -> bool:
    """True if no clock has run for a while."""
    until = db.session.scalar(select(Lease.until_at).where(Lease.name == NAME))
    return until is None or until < database_time() - LATE
