"""The list of people: order and pages."""

from dataclasses import dataclass, replace

from sqlalchemy import select

from app.actor import Actor, Role
from app.auth.models import Person
from app.database.cursor import Cursor, Sort, read_moment, read_text
from app.database.keyset import Listing, Page, select_sorted
from app.database.service import permitted


@dataclass(frozen=True)
class PeopleListing(Listing):
    """The order."""

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
    page, total = select_sorted(select(Person), listing, cursor)
    return replace(page, rows=[person for (person,) in page.rows]), total
