"""Signing in and changing one's own password."""

import logging
from contextlib import suppress
from functools import partial

from sqlalchemy import update

from app.actor import Actor, Role
from app.auth import services
from app.auth.models import Person
from app.auth.passwords import check_password, hash_password, is_outdated
from app.auth.queries import find_person, load_person
from app.auth.sign_in import failures, limits
from app.auth.sign_in.credentials import check_credentials, check_own_password
from app.auth.sign_in.devices import find_device
from app.database.engine import db, release_connection
from app.database.failures import tolerated
from app.database.service import ANYONE, after_commit, permitted, service, unrecorded
from app.errors import DomainError, Invalid, Locked, Text, TooMany, Unavailable
from app.logs.events import event
from app.text import N_
from app.times import now


@permitted(ANYONE)
def sign_in(actor: Actor, name: str, password: str, address: str, devices: str = "") -> Person:
    """The person who may now sign in, from an address and a browser with a cookie of devices. Only
    who knows a first password sees that it has expired."""
    known = find_person(name)  # another name may be a password typed into the wrong field
    known_id, known_name = (known.id, known.name) if known else (None, "-")
    release_connection()
    try:
        if known_id is not None and find_device(devices, known_id):
            person = check_credentials(name, password, limits.own_limits(known_id, devices))
        else:
            counts = limits.stranger_limits(known_id, name, address)
            person = check_credentials(name, password, counts, stranger=True)
        if person.has_expired_password():
            text = N_("This first password has expired. Ask an administrator for a new one.")
            raise Invalid(text)
    except DomainError as error:
        what = "sign-in-slowed" if isinstance(error, TooMany) else "sign-in-refused"
        if isinstance(error, Invalid):
            failures.count_failure(known_id)
        event(what, logging.WARNING, person=known_name)
        raise
    with tolerated("the time of a sign-in was not stored"):
        note_sign_in(person.id, failures.read_failures(person.id))
    if is_outdated(person.password_hash):
        rehash(person, password)
    event("signed-in", person=person.name)
    return person


@unrecorded
def note_sign_in(person_id: int, failed: int) -> None:
    """Store the time of a sign-in, and how many have failed since the one before, which are then
    counted from 0."""
    person = load_person(person_id)
    person.previous_signed_in_at, person.signed_in_at = person.signed_in_at, now()
    person.failed_sign_ins = failed
    after_commit(partial(failures.forget_failures, person_id))


def rehash(person: Person, password: str) -> None:
    """Hash a password with the present parameters, now that it is known. Nothing changes for the
    person, so it may fail."""
    with suppress(Unavailable, Locked):
        replace_hash(person.id, person.password_hash, hash_password(password))


@unrecorded
def replace_hash(person_id: int, old: str, new: str) -> None:
    """Replace a hash, unless it is that of another password by now."""
    same = (Person.id == person_id, Person.password_hash == old)
    db.session.execute(update(Person).where(*same).values(password_hash=new))


@permitted(Role.VIEWER, by_token=False)
def count_failed(actor: Actor) -> int:
    """How many sign-ins under one's own name have failed since the last one."""
    return failures.read_failures(actor.person_id)


@permitted(Role.ADMIN, by_token=False)
def unlock(actor: Actor, person_id: int) -> None:
    """Forget the wrong attempts under a person's name, so that they can sign in at once."""
    person = load_person(person_id)
    name = person.name
    release_connection()
    limits.forget_attempts(person_id)
    event("unlocked", person=actor.name, via=str(actor.via), about=name)


@permitted(Role.VIEWER, by_token=False)
def change_password(
    actor: Actor, current: str, password: str, devices: str = "", revoke_tokens: bool = True
) -> int:
    """Change one's own password and return the new epoch; one's tokens are revoked, or not."""
    check_change(actor, current, password, devices)
    return replace_own_password(actor, hash_password(password), revoke_tokens)


@permitted(Role.VIEWER, by_token=False)
def check_change(actor: Actor, current: str, password: str, devices: str = "") -> None:
    """Check one's current password and a new one; Invalid with what is wrong with both."""
    wrong: dict[str, Text] = {}
    try:
        check_password(password, actor.name)
    except Invalid as error:
        wrong.update(error.fields)
    try:
        person = check_own_password(actor, current, devices, "current")
        if person.must_change_password and current == password:  # an administrator has seen it
            wrong["password"] = N_("Choose a password other than the current one.")
    except Invalid as error:
        wrong.update(error.fields)
    if wrong:
        raise Invalid(fields=wrong)


@service(Role.VIEWER, by_token=False)
def replace_own_password(actor: Actor, password_hash: str, revoke_tokens: bool) -> int:
    """Store the hash that change_password() computed; returns the new epoch."""
    person = load_person(actor.person_id, lock=True)
    return services.store_password(actor, person, password_hash, revoke_tokens=revoke_tokens)
