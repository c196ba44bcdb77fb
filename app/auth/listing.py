"""The list of people: order and pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from sqlalchemy import func, select

from app.actor import Actor, Role
from app.auth.models import Person
from app.database import keyset
from app.database.engine import db
from app.database.keyset import (
    PAGE_SIZE,
    Cursor,
    Listing,
    Page,
    Query,
    Sort,
    nulls_last,
    read_moment,
    read_segments,
    read_text,
)
from app.database.service import permitted


@dataclass(frozen=True)
class PeopleListing(Listing):
    """The order. People are few enough to be sorted at each page."""

    SORTS = {  # noqa: RUF012 - never changed
        "name": Sort(read_text, column=Person.name_key),
        "role": Sort(read_text, column=Person.role),
        "signed-in": Sort(read_moment, True, nullable=True, column=Person.signed_in_at),
        "added": Sort(read_moment, True, column=Person.created_at),
    }

    sort: str = "name"


@permitted(Role.ADMIN, by_token=False)
def select_people(actor: Actor, listing: PeopleListing, cursor: Cursor) -> tuple[Page[Person], int]:
    """The page at a cursor, and how many people there are."""
    total = db.session.scalar(select(func.count()).select_from(Person)) or 0
    page: Page[Person] = keyset.select_page(
        partial(read_rows, listing), partial(keyset.cursor_at, listing), cursor, PAGE_SIZE, total
    )
    return page, total


def read_rows(listing: PeopleListing, cursor: Cursor, limit: int) -> list[Person]:
    """Up to `limit` people from a cursor on, in reading direction."""
    return [person for (person,) in read_segments(segments(listing, cursor), limit)]


def segments(listing: PeopleListing, cursor: Cursor) -> Iterator[Query]:
    """The queries whose rows, one after another, are the list from the cursor on."""
    query: Query = select(Person)
    return nulls_last(query, listing.column, Person.id, listing, cursor)
