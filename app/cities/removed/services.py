"""Emptying the list of removed cities, and deleting them permanently."""

from datetime import datetime

from sqlalchemy import delete, select

from app.actor import Actor, Role
from app.cities.models import KIND, RemovedCity
from app.cities.removed.queries import count_between
from app.database.engine import db
from app.database.service import service, unrecorded
from app.history.services import Change, record
from app.removed.emptying import empty_until, repeat_for
from app.removed.period import restorable_since

# The subject of an entry that is about no city in particular.
ALL_CITIES = 0
DELETED_AT_ONCE = 1000
RUN_SECONDS = 5.0  # of one run of the clock


@service(Role.ADMIN, by_token=False)
def empty_removed(actor: Actor, until: datetime) -> int:
    """Make everything that was removed up to a moment unrestorable; returns how many cities that
    are. The clock deletes them."""
    until, count = empty_until(KIND, until, count_between)
    fields = {"removed_cities": count, "removed_until": until.isoformat()}
    record(actor, "city.empty", Change(ALL_CITIES, after=fields))
    return count


def delete_old_removed() -> int:
    """Delete removed cities that can no longer be restored, for some seconds; returns how many."""
    return repeat_for(RUN_SECONDS, delete_batch, DELETED_AT_ONCE)


@unrecorded
def delete_batch() -> int:
    old = select(RemovedCity.id).where(RemovedCity.removed_at <= restorable_since(KIND))
    ids = db.session.scalars(old.order_by(RemovedCity.removed_at).limit(DELETED_AT_ONCE)).all()
    if ids:
        db.session.execute(delete(RemovedCity).where(RemovedCity.id.in_(ids)))
    return len(ids)
