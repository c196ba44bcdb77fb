"""Reading removed cities that can be restored: pages of their list, one by the id of the city."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import select

from app.actor import Actor, Role
from app.cities.listing.words import has_words
from app.cities.models import KIND, RemovedCity
from app.cities.queries import check_reader
from app.database.cursor import Cursor
from app.database.engine import db
from app.database.keyset import Page, count_rows
from app.database.service import permitted
from app.removed.listing import RemovedListing, RemovedRow, by_removal, select_page
from app.removed.period import is_restorable

COLUMNS = [column for column in RemovedCity.__table__.c if column.key != "search_key"]


@dataclass(frozen=True)
class RemovedCityListing(RemovedListing):
    """Removed cities."""

    SORTS: ClassVar = by_removal(RemovedCity.removed_at)


@permitted(Role.EDITOR)
def select_removed(
    actor: Actor, listing: RemovedCityListing, cursor: Cursor
) -> tuple[Page[RemovedRow], int | None]:
    """A page of the list, and how many it has."""
    words = has_words(listing.search, RemovedCity.search_key)
    conditions = [is_restorable(KIND, RemovedCity.removed_at), *words]
    return select_page(select(*COLUMNS), listing, conditions, cursor)


def find_removed(actor: Actor, city_id: int) -> RemovedRow | None:
    """The removed city of an id; None if there is none that can be restored."""
    check_reader(actor)
    query = select(*COLUMNS).where(RemovedCity.city_id == city_id)
    query = query.where(is_restorable(KIND, RemovedCity.removed_at))
    return db.session.execute(query.order_by(RemovedCity.id.desc()).limit(1)).first()


@permitted(Role.ADMIN, by_token=False)
def count_removed(actor: Actor) -> int:
    """How many cities can be restored, exactly."""
    return count_rows(RemovedCity, [is_restorable(KIND, RemovedCity.removed_at)])


def count_between(after: datetime, until: datetime) -> int:
    """How many cities were removed in a period."""
    period = [RemovedCity.removed_at > after, RemovedCity.removed_at <= until]
    return count_rows(RemovedCity, period)
