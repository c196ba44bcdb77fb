"""Checking a name and a password, or one's own password again."""

import logging

from app.actor import Actor
from app.auth.models import Person
from app.auth.passwords import verify_password
from app.auth.queries import find_person, load_person
from app.auth.sign_in import limits
from app.database.engine import db, release_connection
from app.errors import DomainError, Invalid
from app.logs.events import event
from app.redis import rate_limit
from app.redis.rate_limit import Limit
from app.text import N_


def check_credentials(
    name: str, password: str, counts: tuple[Limit, ...], stranger: bool = False
) -> Person:
    """The person, or Invalid (which never says which half was wrong), or TooMany. An attempt is
    counted before its password is checked, so that many at once do not exceed the limit, and taken
    back if it is correct or could not be checked."""
    attempt = limits.begin_attempt(*counts)
    wrong = False
    try:
        person = verify(name, password, stranger)
        wrong = person is None
    finally:
        rate_limit.resolve(attempt, counts=wrong)
    if person is None:
        raise Invalid(N_("Name and password do not match."))
    return person


def verify(name: str, password: str, stranger: bool = False) -> Person | None:
    """The active person with this name and password, or None after the same time."""
    person = find_person(name)
    stored = person.password_hash if person else None
    while verify_password(stored, password, stranger) and person is not None:
        db.session.refresh(person)  # it may have changed while the password was hashed
        if person.password_hash == stored:
            break
        stored = person.password_hash
    else:
        return None
    if not person.active:
        return None
    # Read again later, the row could have the epoch of a password that was set in the meantime, and
    # the session would outlive that change.
    db.session.expunge(person)
    release_connection()
    return person


def check_own_password(actor: Actor, password: str, devices: str, field: str) -> Person:
    """The person who acts, if this is their password; otherwise Invalid, with the form's field.
    Wrong ones are counted for the browser, by its cookie of devices."""
    name = load_person(actor.person_id).name
    release_connection()
    try:
        return check_credentials(name, password, limits.own_limits(actor.person_id, devices))
    except DomainError as error:
        event("password-refused", logging.WARNING)
        if isinstance(error, Invalid):
            raise Invalid(fields={field: N_("This is not your current password.")}) from None
        raise
