"""What changes people: adding them, passwords, roles, states; and the epoch that ends sessions.

Hashing a password takes a while, so it comes before the transaction: a permitted function hashes,
and the service that it calls stores the hash.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.actor import Actor, Role
from app.auth.changes import log_event, record_new_person, record_person
from app.auth.models import FIRST_PASSWORD_LIFE, Person
from app.auth.passwords import check_password, hash_password, random_password
from app.auth.queries import load_person
from app.auth.rules import check_name, check_role, fold_name
from app.auth.sessions.epochs import raise_epoch
from app.auth.tokens.services import revoke_all
from app.database.constraints import violates
from app.database.engine import db
from app.database.service import permitted, service
from app.errors import Conflict, Forbidden, Invalid
from app.text import N_
from app.times import now


@dataclass(frozen=True)
class NewPerson:
    """A person to add: name and role are checked, the password is hashed."""

    name: str
    role: Role
    password_hash: str
    must_change_password: bool = False
    password_ends_at: datetime | None = None

    def row(self, **columns: Any) -> Person:
        """The row to insert, with more columns."""
        return Person(**asdict(self), name_key=fold_name(self.name), **columns)


def prepare_person(name: str, password: str, role: str) -> NewPerson:
    """Check a new person and hash their password, before the transaction that adds them."""
    name = check_name(name)
    check_password(password, name)
    checked_role = check_role(role)
    return NewPerson(name, checked_role, hash_without_connection(password))


def hash_without_connection(password: str) -> str:
    """Hash a password while no connection to the database is held: what was read is released."""
    db.session.rollback()
    return hash_password(password)


@permitted(Role.ADMIN, by_token=False)
def create_person(actor: Actor, name: str, password: str, role: str) -> int:
    """Add somebody with a password of their choice; returns their id."""
    return add_person(actor, "person.create", prepare_person(name, password, role))


@permitted(Role.ADMIN, by_token=False)
def invite_person(actor: Actor, name: str, role: str) -> tuple[int, str]:
    """Add somebody; returns their id and a random first password, which lets them sign in once
    within a week and is not stored."""
    password = random_password()
    person = replace(
        prepare_person(name, password, role),
        must_change_password=True,
        password_ends_at=now() + FIRST_PASSWORD_LIFE,
    )
    return add_person(actor, "person.invite", person), password


@service(Role.ADMIN, by_token=False)
def add_person(actor: Actor, action: str, person: NewPerson) -> int:
    """Store the person that create_person() or invite_person() prepared."""
    row = insert_person(person)
    record_new_person(actor, action, row)
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
    return row


@permitted(Role.ADMIN, by_token=False)
def set_password(actor: Actor, person_id: int, password: str) -> None:
    """Give somebody a password that they chose; ends their sessions."""
    check_password(password, load_person(person_id).name)
    replace_password(actor, person_id, hash_without_connection(password))


@permitted(Role.ADMIN, by_token=False)
def give_first_password(actor: Actor, person_id: int) -> str:
    """Give somebody else a new first password and return it. It ends their sessions, and suspends
    their tokens until they set a password of their own."""
    refuse_own_account(actor, person_id)
    load_person(person_id)
    password = random_password()
    replace_password(actor, person_id, hash_without_connection(password), first=True)
    return password


@service(Role.ADMIN, by_token=False)
def replace_password(actor: Actor, person_id: int, password_hash: str, first: bool = False) -> None:
    """Store the hash that set_password() or give_first_password() computed."""
    store_password(actor, load_person(person_id, lock=True), password_hash, first)


def store_password(actor: Actor, person: Person, password_hash: str, first: bool = False) -> int:
    """Store a new password of a locked person within a running service; returns the new epoch."""
    before = {"must_change_password": person.must_change_password}
    person.password_hash = password_hash
    person.must_change_password = first
    person.password_ends_at = now() + FIRST_PASSWORD_LIFE if first else None
    epoch = raise_epoch(person)
    action = "person.first_password" if first else "person.password"
    record_person(actor, action, person, before, {"must_change_password": first})
    log_event(actor, "first-password-given" if first else "password-changed", about=person.name)
    return epoch


@service(Role.ADMIN, by_token=False)
def set_role(actor: Actor, person_id: int, role: str) -> bool:
    """Change somebody else's role; at least one active administrator remains. Returns whether that
    was a change."""
    checked_role = check_role(role)
    refuse_own_account(actor, person_id)
    person = load_person(person_id, lock=True)
    before = {"role": person.role}
    if person.role == checked_role:
        return False
    refuse_last_administrator(person)
    person.role = checked_role
    raise_epoch(person)
    record_person(actor, "person.role", person, before, {"role": checked_role.value})
    log_event(actor, "role-changed", about=person.name, role=checked_role.value)
    return True


@service(Role.ADMIN, by_token=False)
def set_active(actor: Actor, person_id: int, active: bool) -> bool:
    """Enable somebody else, or disable them, which ends their sessions and revokes their tokens.
    Returns whether that was a change."""
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
    """Forbid administrators to disable or demote themselves, or to give themselves a first
    password: a slip would lock them out, and another administrator can do it on purpose."""
    if actor.id == person_id:
        raise Forbidden(N_("You cannot do this to your own account. Ask another administrator."))


def refuse_last_administrator(person: Person) -> None:
    """Refuse to change the last active administrator. Locks all of them, so that two who demote
    each other cannot both succeed."""
    if person.role != Role.ADMIN or not person.active:
        return
    rows = select(Person.id).where(Person.role == Role.ADMIN, Person.active).with_for_update()
    if db.session.scalars(rows).all() == [person.id]:
        raise Conflict(N_("This is the last administrator; appoint another one first."))
