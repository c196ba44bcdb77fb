"""Reads of people. Those that need a role take the actor."""

from dataclasses import dataclass, replace
from typing import ClassVar

from sqlalchemy import ColumnElement, select

from app.actor import NOT_INCLUDED, Actor, Role
from app.auth.models import ApiToken, Person
from app.auth.rules import fold_name
from app.database.cursor import Cursor, Sort, read_moment, read_text
from app.database.engine import db, release_connection
from app.database.failures import tolerated
from app.database.keyset import Listing, Page, count_rows, select_sorted
from app.database.service import permitted
from app.errors import Forbidden, NotFound, Unauthorized
from app.text import N_

ACCESS_ENDED = N_("Your access ended during this request.")


def any_person_exists() -> bool:
    """True if the installation has been claimed."""
    return db.session.scalar(select(Person.id).limit(1)) is not None


def is_unclaimed() -> bool:
    """True if nobody can sign in yet; False too while the database does not answer."""
    claimed = True
    with tolerated("whether the installation is claimed is unknown"):
        claimed = any_person_exists()
        release_connection()
    return not claimed


def find_person(name: str) -> Person | None:
    """The person of this name, in any case and width."""
    return db.session.scalar(select(Person).where(Person.name_key == fold_name(name)))


def load_person_by_name(name: str) -> Person:
    """The person whom an operator names in a command."""
    person = find_person(name)
    if person is None:
        raise NotFound(N_("There is nobody named %(name)s.", name=name))
    return person


def first_administrator() -> Person | None:
    """The active administrator who was added first."""
    query = select(Person).where(Person.role == Role.ADMIN, Person.active).order_by(Person.id)
    return db.session.scalars(query.limit(1)).first()


def load_person(person_id: int, lock: bool = False) -> Person:
    """By id. A service that changes the row locks it, which also reads it again: otherwise two
    changes at once would raise the epoch to the same value, and a session that began after the
    first would survive the second."""
    person = db.session.get(Person, person_id, with_for_update=lock or None)
    if person is None:
        raise NotFound(N_("There is no such person."))
    return person


def remembered_codec(actor: Actor) -> str:
    """The codec of the encoding in which the actor had a file read the last time; empty if there is
    none."""
    codec = load_person(actor.id).file_codec if actor.id is not None else None
    release_connection()
    return codec or ""


def check_still_permitted(actor: Actor, role: Role) -> None:
    """Within a service that ends a long request: Unauthorized if the person has been disabled since
    it began, the session has ended, or the token; Forbidden if the role is lower now. Reads without
    a lock, so that a person's requests do not wait for each other."""
    if actor.id is None:  # a command
        return
    person = db.session.get(Person, actor.id, populate_existing=True)
    if person is None or not person.active or is_over(actor, person):
        raise Unauthorized(ACCESS_ENDED)
    if not replace(actor, role=Role(person.role)).has_role(role):
        raise Forbidden(NOT_INCLUDED)


def is_over(actor: Actor, person: Person) -> bool:
    """True if a password, role or state changed since the session began, or if the token ended."""
    if not actor.by_token:
        return actor.epoch is not None and actor.epoch != person.session_epoch
    token = db.session.get(ApiToken, actor.token_id, populate_existing=True)
    ended = token is None or token.revoked_at is not None or token.has_expired()
    return ended or person.must_change_password


def check_reader(actor: Actor, person_id: int) -> None:
    """People read about themselves, administrators about anybody."""
    if person_id != actor.id and not actor.is_admin:
        raise Forbidden(NOT_INCLUDED)


@permitted(Role.VIEWER, by_token=False)
def get_person(actor: Actor, person_id: int) -> Person:
    """Oneself or, for administrators, anybody."""
    check_reader(actor, person_id)
    return load_person(person_id)


@permitted(Role.ADMIN, by_token=False)
def list_people(actor: Actor) -> list[Person]:
    """Everybody, by name."""
    return list(db.session.scalars(select(Person).order_by(Person.name_key)))


@permitted(Role.ADMIN, by_token=False)
def count_people(actor: Actor) -> int:
    return count_rows(Person)


def name_has(words: str) -> ColumnElement[bool]:
    """The condition for people in whose names the words occur, in any case."""
    return Person.name_key.contains(fold_name(words), autoescape=True)


@permitted(Role.ADMIN, by_token=False)
def search_people(actor: Actor, words: str, most: int) -> list[Person]:
    """The people in whose names the words occur, in any case, by name."""
    found = select(Person).where(name_has(words))
    return list(db.session.scalars(found.order_by(Person.name_key).limit(most)))


@dataclass(frozen=True)
class PeopleListing(Listing):
    """The list of people: search in their names, and order."""

    SORTS: ClassVar = {
        "name": Sort(read_text, column=Person.name_key),
        "role": Sort(read_text, column=Person.role),
        "signed-in": Sort(read_moment, True, column=Person.signed_in_at),
        "added": Sort(read_moment, True, column=Person.created_at),
    }

    sort: str = "name"
    search: str = ""


@permitted(Role.ADMIN, by_token=False)
def select_people(actor: Actor, listing: PeopleListing, cursor: Cursor) -> tuple[Page[Person], int]:
    """The page at a cursor, and how many people there are."""
    found = select(Person)
    if listing.search:
        found = found.where(name_has(listing.search))
    page, total = select_sorted(found, listing, cursor)
    return replace(page, rows=[person for (person,) in page.rows]), total
