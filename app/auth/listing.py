"""The list of people: order and pages."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from app.actor import Actor, Role
from app.auth.models import Person
from app.database.keyset import (
    Cursor,
    Listing,
    Page,
    Sort,
    read_moment,
    read_text,
    select_sorted,
)
from app.database.service import permitted

COLUMNS: dict[str, Any] = {
    "name": Person.name_key,
    "role": Person.role,
    "signed-in": Person.signed_in_at,
    "added": Person.created_at,
}


@dataclass(frozen=True)
class PeopleListing(Listing):
    """The order."""

    SORTS = {  # noqa: RUF012 - never changed
        "name": Sort(read_text),
        "role": Sort(read_text),
        "signed-in": Sort(read_moment, descending_first=True, nullable=True),
        "added": Sort(read_moment, descending_first=True),
    }

    sort: str = "name"


@permitted(Role.ADMIN, by_token=False)
def select_people(actor: Actor, listing: PeopleListing, cursor: Cursor) -> tuple[Page[Person], int]:
    """The page at a cursor, and how many people there are."""
    page, total = select_sorted(select(Person), COLUMNS, listing, cursor)
    return replace(page, rows=[person for (person,) in page.rows]), total
