"""Claiming a new installation: the link, and the first administrator."""

import logging
from dataclasses import replace

from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.exc import IntegrityError

from app.actor import Actor, Role
from app.auth.changes import log_event, record_new_person
from app.auth.models import Person
from app.auth.queries import any_person_exists
from app.auth.services import NewPerson, prepare_person
from app.auth.sign_in.limits import count_wrong
from app.cities import services as cities
from app.cities.fields import Values
from app.current import settings
from app.database.engine import db, release_connection
from app.database.failures import violates
from app.database.service import ANYONE, permitted, service
from app.errors import Conflict, NotFound
from app.logs.events import event
from app.text import N_
from app.times import now

LINK_SECONDS = 24 * 3600


class LinkUsed(NotFound):
    """The link was valid, and somebody has used it."""

    text = N_("This link was already used. Ask the person who used it to add you.")


def signer() -> URLSafeTimedSerializer:
    """Signs with the installation's own key."""
    return URLSafeTimedSerializer(settings().secret_key, salt="set-up")


def create_link_path() -> str:
    """The path of a set-up link. It is valid for a day, until somebody has used it."""
    return f"/setup/{signer().dumps('first administrator')}"


def is_valid(token: str) -> bool:
    """True if this installation signed the link, within a day."""
    try:
        signer().loads(token, max_age=LINK_SECONDS)
    except BadSignature:  # or too old
        return False
    return True


def check_link_token(token: str, address: str) -> None:
    """NotFound for an invalid or expired link, LinkUsed for a valid one after the installation was
    claimed. Such attempts are counted and written to the security log."""
    refusal = NotFound()
    if is_valid(token):
        claimed = any_person_exists()
        release_connection()
        if not claimed:
            return
        refusal = LinkUsed()
    event("set-up-link-refused", logging.WARNING)
    count_wrong("set-up", address)
    raise refusal


@permitted(ANYONE)
def claim(
    actor: Actor, token: str, address: str, name: str, password: str, with_sample: bool
) -> int:
    """Add the first administrator and, if wanted, the sample cities: both or neither.
    The token of the link, which somebody sends from this address, is the only permission. Returns
    the person's id."""
    check_link_token(token, address)
    sample = cities.read_sample() if with_sample else []
    return add_administrator(actor, token, prepare_person(name, password, Role.ADMIN), sample)


@service(ANYONE)
def add_administrator(actor: Actor, token: str, person: NewPerson, sample: list[Values]) -> int:
    """Store the person that claim() prepared, who then acts, and the sample cities, which are only
    added to an empty register."""
    if not is_valid(token):
        raise NotFound()
    row = insert_administrator(person)
    claimer = replace(actor, id=row.id, name=row.name, role=Role.ADMIN)
    record_new_person(claimer, "person.create", row)
    log_event(claimer, "installation-claimed")
    if sample and cities.is_empty():
        cities.insert_sample_cities(claimer, sample)
    return row.id


def insert_administrator(person: NewPerson) -> Person:
    """Insert the first administrator, signed in. Two who try at once insert the same id, and one
    of them is refused."""
    taken = Conflict(N_("This installation already has an administrator."))
    if any_person_exists():
        raise taken
    row = person.row(id=1, signed_in_at=now())
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError as error:
        if violates(error, "pk_person"):
            raise taken from None
        raise
    return row
