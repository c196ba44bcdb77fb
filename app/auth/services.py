"""The rules about people: names, passwords, roles, states."""

from functools import partial

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.actor import Role
from app.auth.epochs import epoch_key, publish_epoch, raise_epoch, set_epoch  # noqa: F401
from app.auth.models import (
    FIRST_PASSWORD_LIFE,
    NAME_KEY_LENGTH,
    NAME_LENGTH,
    ApiToken,
    Person,
)
from app.auth.passwords import check_password, hash_password, matches, random_password
from app.database.engine import db
from app.database.service import transaction
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.text import INVISIBLE, compose, fold, has_category
from app.times import now


def fold_name(name: str) -> str:
    """The form under which two names count as the same, in any case and width. Text longer than a
    key can be is nobody's name, and is not folded: of half a million characters that takes
    seconds."""
    return "" if len(name) > NAME_KEY_LENGTH else fold(name).strip()


def check_name(name: str) -> str:
    """The name as it is kept: NFC, trimmed, 1 to 64 characters, none of them a control."""
    name = compose(name, NAME_LENGTH)
    # Some characters become up to 18 when folded, and the key must fit its column.
    if not 1 <= len(name) <= NAME_LENGTH or len(fold_name(name)) > NAME_KEY_LENGTH:
        raise Invalid(fields={"name": _("A name has 1 to %(n)d characters.", n=NAME_LENGTH)})
    if has_category(name, INVISIBLE):
        raise Invalid(fields={"name": _("A name has no control characters.")})
    return name


def check_role(role: str) -> Role:
    """One of the three roles."""
    try:
        return Role(role)
    except ValueError:
        raise Invalid(fields={"role": _("Choose one of the roles.")}) from None


def new_person(name: str, password: str, role: str) -> "partial[Person]":
    """What makes the row of a new person, checked and hashed: that takes its time and so happens
    outside of any transaction."""
    name = check_name(name)
    check_password(password, name)
    kept_role = check_role(role)
    return partial(
        Person,
        name=name,
        name_key=fold_name(name),
        password_hash=hash_alone(password),
        role=kept_role,
    )


def create_person(name: str, password: str, role: str) -> int:
    """Add somebody with a password of their own choice, and return their id."""
    return insert_person(new_person(name, password, role))


def invite_person(name: str, role: str) -> tuple[int, str]:
    """Add somebody and return their id and first password: random, for one sign-in within a week,
    and never to be had again."""
    password = random_password()
    person = partial(
        new_person(name, password, role),
        must_change_password=True,
        password_ends_at=now() + FIRST_PASSWORD_LIFE,
    )
    return insert_person(person), password


@transaction
def insert_person(person: "partial[Person]") -> int:
    """Add the row that `new_person` prepared."""
    row = person()
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError:
        raise Invalid(fields={"name": _("This name is taken.")}) from None
    return row.id


@transaction
def insert_first_administrator(person: "partial[Person]") -> int:
    """The one who claims a new installation. Two who try at once insert the same id: one wins."""
    taken = Conflict(_("This installation already has an administrator."))
    if somebody_exists():
        raise taken
    db.session.add(person(id=1))
    try:
        db.session.flush()
    except IntegrityError:
        raise taken from None
    return 1


def somebody_exists() -> bool:
    """Whether the installation was claimed."""
    return db.session.scalar(select(Person.id).limit(1)) is not None


def find_person(name: str) -> Person | None:
    """By name, in any case and width."""
    return db.session.scalar(select(Person).where(Person.name_key == fold_name(name)))


def first_administrator() -> Person | None:
    """The one of the active administrators who was added first."""
    query = select(Person).where(Person.role == Role.ADMIN, Person.active).order_by(Person.id)
    return db.session.scalars(query.limit(1)).first()


def get_person(person_id: int, lock: bool = False) -> Person:
    """By id; 404 when there is none. Who is to be changed is locked and read anew: two changes at
    once would otherwise raise the epoch to the same value, and a session made under the first
    would survive the second."""
    person = db.session.get(Person, person_id, with_for_update=lock or None)
    if person is None:
        raise NotFound(_("There is no such person."))
    return person


def list_people() -> list[Person]:
    """Everybody, by name."""
    return list(db.session.scalars(select(Person).order_by(Person.name_key)))


def verify(name: str, password: str) -> Person | None:
    """The active person with this name and password. Takes as long when there is none."""
    person = find_person(name)
    person_id, kept = (person.id, person.password_hash) if person else (0, None)
    db.session.rollback()  # no connection is held while the password is hashed
    if not matches(kept, password):
        return None
    person = db.session.get(Person, person_id, populate_existing=True)
    # Disabled, or the password changed, while it was hashed.
    if person is None or not person.active or person.password_hash != kept:
        return None
    # What was verified stays as it was: read again later, it could carry the epoch of a password
    # given meanwhile, and the session would outlive the change.
    db.session.expunge(person)
    return person


@transaction
def note_sign_in(person_id: int) -> None:
    """Remember when they last signed in."""
    get_person(person_id).signed_in_at = now()


def set_password(person_id: int, password: str) -> int:
    """Give a password that somebody chose, end the person's sessions, return the new epoch."""
    check_password(password, get_person(person_id).name)
    return _set_hash(person_id, hash_alone(password), first=False)


def give_first_password(actor_id: int, person_id: int) -> str:
    """Give somebody else a new first password and return it; it ends their sessions, and their
    tokens rest until they chose a password of their own."""
    _keep_off_oneself(actor_id, person_id)
    get_person(person_id)
    password = random_password()
    _set_hash(person_id, hash_alone(password), first=True)
    return password


def hash_alone(password: str) -> str:
    """Hash while no connection to the database is held: what was read until now is let go of."""
    db.session.rollback()
    return hash_password(password)


@transaction
def _set_hash(person_id: int, password_hash: str, first: bool) -> int:
    person = get_person(person_id, lock=True)
    person.password_hash = password_hash
    person.must_change_password = first
    person.password_ends_at = now() + FIRST_PASSWORD_LIFE if first else None
    return raise_epoch(person)


@transaction
def set_role(actor_id: int, person_id: int, role: str) -> bool:
    """Change what somebody else may do; at least one active administrator remains. Returns whether
    that was a change."""
    kept_role = check_role(role)
    _keep_off_oneself(actor_id, person_id)
    person = get_person(person_id, lock=True)
    if person.role == kept_role:
        return False
    _keep_an_administrator(person)
    person.role = kept_role
    raise_epoch(person)
    return True


@transaction
def set_active(actor_id: int, person_id: int, active: bool) -> bool:
    """Disable somebody else, which ends their sessions at once and their tokens for good, or let
    them in again. Returns whether that was a change."""
    _keep_off_oneself(actor_id, person_id)
    person = get_person(person_id, lock=True)
    if person.active == active:
        return False
    if not active:
        _keep_an_administrator(person)
        query = update(ApiToken).where(ApiToken.person_id == person_id, ApiToken.ended_at.is_(None))
        db.session.execute(query.values(ended_at=now()))
    person.active = active
    raise_epoch(person)
    return True


def _keep_off_oneself(actor_id: int, person_id: int) -> None:
    """An administrator neither disables nor demotes themselves, and takes no first password: a
    slip would shut them out, and any other administrator can do it for them on purpose."""
    if actor_id == person_id:
        raise Forbidden(_("You cannot do this to your own account. Ask another administrator."))


def _keep_an_administrator(person: Person) -> None:
    """Locks the administrators, so that two who demote each other cannot both succeed."""
    if person.role != Role.ADMIN or not person.active:
        return
    rows = select(Person.id).where(Person.role == Role.ADMIN, Person.active).with_for_update()
    if db.session.scalars(rows).all() == [person.id]:
        raise Conflict(_("This is the last administrator; appoint another one first."))
