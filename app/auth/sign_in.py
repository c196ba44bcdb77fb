"""Signing in and changing one's own password: the password, and the limits on guessing."""

import hashlib
import logging

from app.actor import Actor, Role
from app.auth import services
from app.auth.models import Person
from app.auth.passwords import check_password, hash_password, verify_password
from app.auth.queries import find_person, load_person
from app.auth.rules import fold_name
from app.database.engine import db
from app.database.failures import tolerated
from app.database.service import ANYONE, bookkeeping, permitted, service
from app.errors import DomainError, Invalid, TooMany
from app.logs import event
from app.redis import rate_limit
from app.redis.rate_limit import Limit
from app.text import N_
from app.times import now

# OWASP ASVS 6.3.1: wrong attempts a minute for one name from one address, and for one address over
# all names. No name is ever locked for other addresses, so nobody can lock out a colleague.
WRONG_PER_NAME = 5
WRONG_PER_ADDRESS = 20


def count(*limits: Limit) -> str:
    """Count an attempt under each key and return its name, or raise TooMany."""
    name, seconds = rate_limit.hit(*limits)
    if seconds:
        raise TooMany(N_("Too many wrong attempts. Wait a minute, then try again."), seconds)
    return name


def count_wrong(what: str, address: str) -> None:
    """Count a wrong token or set-up link."""
    count(Limit(WRONG_PER_ADDRESS, f"{what}:{address}"))


def check_credentials(name: str, password: str, address: str) -> Person:
    """The person, or Invalid (which never says which half was wrong), or TooMany. An attempt is
    counted before its password is checked, so that many at once do not exceed the limit, and taken
    back if it is correct."""
    # Hashed, because people sometimes type their password into the field for the name.
    digest = hashlib.sha256(fold_name(name).encode()).hexdigest()
    limits = (
        Limit(WRONG_PER_NAME, f"sign-in:{digest}:{address}"),
        Limit(WRONG_PER_ADDRESS, f"sign-in:{address}"),
    )
    counted = count(*limits)
    person = verify(name, password)
    if person is None:
        raise Invalid(N_("Name and password do not match."))
    rate_limit.give_back(counted, *limits)
    return person


def verify(name: str, password: str) -> Person | None:
    """The active person with this name and password, or None after the same time."""
    person = find_person(name)
    stored = person.password_hash if person else None
    if not verify_password(stored, password) or person is None:
        return None
    db.session.refresh(person)  # it may have changed while the password was hashed
    if not person.active or person.password_hash != stored:
        return None
    # Read again later, the row could have the epoch of a password that was set in the meantime, and
    # the session would outlive that change.
    db.session.expunge(person)
    db.session.rollback()  # no connection is held while Redis is asked
    return person


@permitted(ANYONE)
def sign_in(actor: Actor, name: str, password: str, address: str) -> Person:
    """The person who may now sign in. Only who knows a first password sees that it has expired."""
    try:
        person = check_credentials(name, password, address)
        if person.has_expired_password():
            text = N_("This first password has expired. Ask an administrator for a new one.")
            raise Invalid(text)
    except DomainError as error:
        known = find_person(name)  # another name may be a password typed into the wrong field
        what = "sign-in-slowed" if isinstance(error, TooMany) else "sign-in-refused"
        event(what, logging.WARNING, person=known.name if known else "-")
        raise
    with tolerated("the time of a sign-in was not stored"):
        note_sign_in(person.id)
    event("signed-in", person=person.name)
    return person


@bookkeeping
def note_sign_in(person_id: int) -> None:
    """Store when they last signed in."""
    load_person(person_id).signed_in_at = now()


@permitted(Role.VIEWER, by_token=False)
def change_password(actor: Actor, current: str, password: str, address: str) -> int:
    """Change one's own password and return the new epoch. A wrong current password is counted as a
    wrong sign-in."""
    try:
        check_change(actor, current, password, address)
    except DomainError:
        event("password-refused", logging.WARNING)
        raise
    return replace_own_password(actor, hash_password(password))


def check_change(actor: Actor, current: str, password: str, address: str) -> None:
    person = load_person(actor.person_id)
    name, has_first_password = person.name, person.must_change_password
    db.session.rollback()  # no connection is held while Redis is asked
    try:
        check_credentials(name, current, address)
    except Invalid:
        raise Invalid(fields={"current": N_("This is not your current password.")}) from None
    if has_first_password and current == password:  # an administrator has seen it
        raise Invalid(fields={"password": N_("Choose a password other than the current one.")})
    check_password(password, name)


@service(Role.VIEWER, by_token=False)
def replace_own_password(actor: Actor, password_hash: str) -> int:
    """Store the hash that change_password() computed; returns the new epoch."""
    person = load_person(actor.person_id, lock=True)
    return services.store_password(actor, person, password_hash)
