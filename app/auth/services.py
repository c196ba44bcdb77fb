"""What changes people: adding them, their passwords, roles and states.

A password is hashed before the transaction: a permitted function hashes it and calls the service
that stores the hash.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.actor import Actor, Role
from app.auth.changes import log_event, record_new_person, record_person
from app.auth.models import Person
from app.auth.passwords import check_password, hash_password, random_password
from app.auth.queries import load_person
from app.auth.rules import check_name, check_role, fold_name
from app.auth.sessions.epochs import raise_epoch
from app.auth.sessions.installation import note_change_of_people
from app.auth.sign_in.limits import forget_after_commit
from app.auth.tokens.services import revoke_all
from app.database.engine import db
from app.database.failures import violates
from app.database.service import permitted, service
from app.errors import Conflict, Forbidden, Invalid
from app.text import N_


@dataclass(frozen=True)
class NewPerson:
    """A person to add, checked, with the hash of their password."""

    name: str
    role: Role
    password_hash: str
    first: bool = False  # a first password

    def row(self, **columns: Any) -> Person:
        """The row to insert, with more columns."""
        key = fold_name(self.name)
        row = Person(name=self.name, name_key=key, role=self.role, **columns)
        row.set_password(self.password_hash, self.first)
        return row


def prepare_person(name: str, password: str, role: str, first: bool = False) -> NewPerson:
    """Check a new person and hash their password."""
    name = check_name(name)
    check_password(password, name)
    return NewPerson(name, check_role(role), hash_password(password), first)


@permitted(Role.ADMIN, by_token=False)
def create_person(actor: Actor, name: str, password: str, role: str) -> int:
    """Add a person with a password of their choice; returns the id."""
    return add_person(actor, prepare_person(name, password, role))


@permitted(Role.ADMIN, by_token=False)
def invite_person(actor: Actor, name: str, role: str) -> tuple[int, str]:
    """Add a person; returns the id and a random first password, with which they sign in within a
    week to set their own."""
    password = random_password()
    return add_person(actor, prepare_person(name, password, role, first=True)), password


@service(Role.ADMIN, by_token=False)
def add_person(actor: Actor, person: NewPerson) -> int:
    """Store the person that create_person() or invite_person() prepared."""
    row = insert_person(person)
    record_new_person(actor, "person.invite" if person.first else "person.create", row)
    log_event(actor, "person-created", about=row.name, role=str(row.role))
    return row.id


def insert_person(person: NewPerson) -> Person:
    """Insert a row within a running transaction; Invalid if the name is taken."""
    row = person.row()
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError as error:
        if violates(error, "uq_person_name_key"):
            raise Invalid(fields={"name": N_("This name is taken.")}) from None
        raise
    note_change_of_people()
    return row


@permitted(Role.ADMIN, by_token=False)
def set_password(actor: Actor, person_id: int, password: str) -> None:
    """Set a person's password, which ends their sessions and revokes their tokens."""
    check_password(password, load_person(person_id).name)
    replace_password(actor, person_id, hash_password(password))


@permitted(Role.ADMIN, by_token=False)
def give_first_password(actor: Actor, person_id: int) -> str:
    """Give another person a new first password and return it. It ends their sessions and revokes
    their tokens."""
    refuse_own_account(actor, person_id)
    password = random_password()
    replace_password(actor, person_id, hash_password(password), first=True)
    return password


@service(Role.ADMIN, by_token=False)
def replace_password(actor: Actor, person_id: int, password_hash: str, first: bool = False) -> None:
    """Store the hash that set_password() or give_first_password() computed. Wrong attempts until
    then no longer count."""
    person = load_person(person_id, lock=True)
    store_password(actor, person, password_hash, first, revoke_tokens=True)
    forget_after_commit(person_id)


def store_password(
    actor: Actor,
    person: Person,
    password_hash: str,
    first: bool = False,
    *,
    revoke_tokens: bool,
) -> int:
    """Change the password of a locked person within a running service; returns the new epoch."""
    batch_id = revoke_all(actor, person) if revoke_tokens else None
    before = {"must_change_password": person.must_change_password}
    person.set_password(password_hash, first)
    epoch = raise_epoch(person)
    action = "person.first_password" if first else "person.password"
    record_person(actor, action, person, before, {"must_change_password": first}, batch_id)
    log_event(actor, "first-password-given" if first else "password-changed", about=person.name)
    return epoch


@service(Role.ADMIN, by_token=False)
def set_role(actor: Actor, person_id: int, role: str) -> bool:
    """Change another person's role; returns whether that was a change."""
    checked_role = check_role(role)
    refuse_own_account(actor, person_id)
    person = load_person(person_id, lock=True)
    if person.role == checked_role:
        return False
    refuse_last_administrator(person)
    before, after = {"role": person.role}, {"role": checked_role.value}
    person.role = checked_role
    raise_epoch(person)
    record_person(actor, "person.role", person, before, after)
    log_event(actor, "role-changed", about=person.name, **after)
    return True


@service(Role.ADMIN, by_token=False)
def set_active(actor: Actor, person_id: int, active: bool) -> bool:
    """Enable or disable another person, which ends their sessions and revokes their tokens; returns
    whether that was a change."""
    refuse_own_account(actor, person_id)
    person = load_person(person_id, lock=True)
    if person.active == active:
        return False
    if active:
        action, what, batch_id = "person.enable", "person-enabled", None
    else:
        refuse_last_administrator(person)
        action, what, batch_id = "person.disable", "person-disabled", revoke_all(actor, person)
    person.active = active
    raise_epoch(person)
    record_person(actor, action, person, {"active": not active}, {"active": active}, batch_id)
    log_event(actor, what, about=person.name)
    return True


def refuse_own_account(actor: Actor, person_id: int) -> None:
    """Administrators do not lock themselves out by mistake: another one can do it on purpose."""
    if actor.id == person_id:
        raise Forbidden(N_("You cannot do this to your own account. Ask another administrator."))


def refuse_last_administrator(person: Person) -> None:
    """At least one active administrator remains. Locks all of them, so that two who demote each
    other cannot both succeed."""
    if person.role != Role.ADMIN or not person.active:
        return
    rows = select(Person.id).where(Person.role == Role.ADMIN, Person.active).with_for_update()
    if db.session.scalars(rows).all() == [person.id]:
        raise Conflict(N_("This is the last administrator; appoint another one first."))
