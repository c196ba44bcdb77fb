"""Signing in and changing one's own password: the password, and the limits on guessing."""

import hashlib
import logging

from app.actor import Actor, Role
from app.auth import services
from app.auth.models import Person
from app.auth.passwords import check_password, verify_password
from app.auth.queries import find_person, load_person
from app.auth.rules import fold_name
from app.database.engine import db
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
    """Count an attempt under each key and return its name, or raise TooMany with the seconds to
    wait."""
    name, seconds = rate_limit.hit(*limits)
    if seconds:
        raise TooMany(N_("Too many wrong attempts. Wait a minute, then try again."), seconds)
    return name


def count_wrong(what: str, address: str) -> None:
    """Count a wrong token or set-up link. Nobody guesses one, but nobody may try for ever."""
    count(Limit(WRONG_PER_ADDRESS, f"{what}:{address}"))


def check_credentials(name: str, password: str, address: str) -> Person:
    """The person, or Invalid (which never says which half was wrong), or TooMany.

    An attempt is counted before the password is checked, so that many at the same time are no more
    attempts; a correct one is taken back.
    """
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
    """The active person with this name and password. Takes as long if there is none."""
    person = find_person(name)
    person_id, stored = (person.id, person.password_hash) if person else (0, None)
    db.session.rollback()  # no connection is held while the password is hashed
    if not verify_password(stored, password):
        return None
    person = db.session.get(Person, person_id, populate_existing=True)
    # The row as it is now: read again later, it could carry the epoch of a password that was set
    # in the meantime, and the session would outlive that change.
    if person is not None:
        db.session.expunge(person)
    db.session.rollback()  # no connection is held while Redis is asked
    # Disabled, or given another password, while it was hashed.
    if person is None or not person.active or person.password_hash != stored:
        return None
    return person


@permitted(ANYONE)
def sign_in(actor: Actor, name: str, password: str, address: str) -> Person:
    """The person who may now sign in. Errors as check_credentials(), and Invalid for a first
    password that has expired (only somebody who knows it sees that)."""
    try:
        person = check_credentials(name, password, address)
        if person.has_expired_password():
            raise Invalid(
                N_("This first password has expired. Ask an administrator for a new one.")
            )
    except DomainError as error:
        log_refusal(name, error)
        raise
    note_sign_in(person.id)
    event("signed-in", person=person.name)
    return person


def log_refusal(name: str, error: DomainError) -> None:
    """Write a refused sign-in to the security log; the name only if somebody has it. Anything else
    may be a password typed into the wrong field."""
    person = find_person(name)
    what = "sign-in-slowed" if error.status == 429 else "sign-in-refused"
    event(what, logging.WARNING, person=person.name if person else "-")


@bookkeeping
def note_sign_in(person_id: int) -> None:
    """Note when they last signed in."""
    load_person(person_id).signed_in_at = now()


@permitted(Role.VIEWER, by_token=False)
def change_password(actor: Actor, current: str, password: str, address: str) -> int:
    """Change one's own password and return the new epoch. A wrong current password counts as a
    wrong sign-in."""
    try:
        check_change(actor, current, password, address)
    except DomainError:
        event("password-refused", logging.WARNING)
        raise
    return replace_own_password(actor, services.hash_without_connection(password))


def check_change(actor: Actor, current: str, password: str, address: str) -> None:
    """Check the current password and the new one."""
    person = load_person(actor.person_id)
    name, handed_out = person.name, person.must_change_password
    db.session.rollback()  # no connection is held while Redis is asked
    try:
        check_credentials(name, current, address)
    except Invalid:
        raise Invalid(fields={"current": N_("This is not your current password.")}) from None
    if handed_out and current == password:  # an administrator has seen it
        raise Invalid(fields={"password": N_("Choose a password other than the current one.")})
    check_password(password, name)


@service(Role.VIEWER, by_token=False)
def replace_own_password(actor: Actor, password_hash: str) -> int:
    """Store the hash that change_password() computed; returns the new epoch."""
    person = load_person(actor.person_id, lock=True)
    return services.store_password(actor, person, password_hash)
