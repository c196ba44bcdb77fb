"""The rules about people: names, passwords, roles, sign-in."""

import unicodedata
from functools import partial

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.security import check_password_hash, generate_password_hash

from app.auth.models import (
    NAME_LENGTH,
    PASSWORD_LONGEST,
    PASSWORD_SHORTEST,
    Person,
    Role,
)
from app.columns import now
from app.errors import Conflict, Invalid, NotFound
from app.extensions import db, redis_store
from app.transactions import after_commit, transaction
from app.web import off_hub

EPOCH_SECONDS = 60
# A hash of nothing anybody knows: signing in costs the same whether the name exists or not.
NOBODY = generate_password_hash("nobody", "scrypt")


def fold_name(name: str) -> str:
    """The form under which two names count as the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def check_name(name: str) -> str:
    """The name as it is kept: NFC, trimmed, 1 to 64 characters, none of them a control."""
    name = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(name) <= NAME_LENGTH:
        raise Invalid(fields={"name": _("A name has 1 to %(n)d characters.", n=NAME_LENGTH)})
    if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in name):
        raise Invalid(fields={"name": _("A name has no control characters.")})
    return name


def check_password(password: str, name: str, field: str = "password") -> None:
    """8 to 256 characters, any, not the name itself."""
    if not PASSWORD_SHORTEST <= len(password) <= PASSWORD_LONGEST:
        text = _("A password has %(low)d to %(high)d characters.",
                 low=PASSWORD_SHORTEST, high=PASSWORD_LONGEST)  # fmt: skip
        raise Invalid(fields={field: text})
    if fold_name(password) == fold_name(name):
        raise Invalid(fields={field: _("The password must not be the name.")})


def check_role(role: str) -> Role:
    """One of the three roles."""
    try:
        return Role(role)
    except ValueError:
        raise Invalid(fields={"role": _("Choose one of the roles.")}) from None


def hash_password(password: str) -> str:
    """scrypt (RFC 7914) with N=32768, r=8, p=1 and a random salt; off the hub, about 60 ms."""
    return str(off_hub(generate_password_hash, password, "scrypt"))


def create_person(name: str, password: str, role: str, must_change_password: bool = False) -> int:
    """Add somebody and return their id. Hashing comes first, outside of the transaction."""
    name = check_name(name)
    check_password(password, name)
    kept_role = check_role(role)
    person = partial(
        Person,
        name=name,
        name_key=fold_name(name),
        password_hash=hash_password(password),
        role=kept_role,
        must_change_password=must_change_password,
    )
    return _insert(person)


def create_first_administrator(name: str, password: str) -> int:
    """The one who claims a new installation. Two who try at once insert the same id: one wins."""
    name = check_name(name)
    check_password(password, name)
    person = partial(
        Person,
        id=1,
        name=name,
        name_key=fold_name(name),
        password_hash=hash_password(password),
        role=Role.ADMIN,
    )
    return _insert(person, only_first=True)


@transaction
def _insert(person: "partial[Person]", only_first: bool = False) -> int:
    if only_first and somebody_exists():
        raise Conflict(_("This installation already has an administrator."))
    row = person()
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError:
        raise Invalid(fields={"name": _("This name is taken.")}) from None
    return row.id


def somebody_exists() -> bool:
    """Whether the installation was claimed."""
    return db.session.scalar(select(Person.id).limit(1)) is not None


def find_person(name: str) -> Person | None:
    """By name, in any case and width."""
    return db.session.scalar(select(Person).where(Person.name_key == fold_name(name)))


def get_person(person_id: int) -> Person:
    """By id; 404 when there is none."""
    person = db.session.get(Person, person_id)
    if person is None:
        raise NotFound(_("There is no such person."))
    return person


def list_people() -> list[Person]:
    """Everybody, by name."""
    return list(db.session.scalars(select(Person).order_by(Person.name_key)))


def verify(name: str, password: str) -> Person | None:
    """The active person with this name and password. Takes as long when there is none."""
    person = find_person(name)
    kept = person.password_hash if person else NOBODY
    db.session.rollback()  # no connection is held while the password is hashed
    if len(password) > PASSWORD_LONGEST:
        password = ""
    right = off_hub(check_password_hash, kept, password)
    if not right or person is None:
        return None
    person = db.session.get(Person, person.id, populate_existing=True)
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


def raise_epoch(person: Person) -> None:
    """End all sessions of a person once the running service has committed. The disabled have
    epoch 0 in Redis, as in `publish_epoch()`: no session has it."""
    person.epoch += 1
    after_commit(partial(set_epoch, person.id, person.epoch if person.active else 0))


def set_password(person_id: int, password: str, must_change: bool, field: str = "password") -> int:
    """Give a new password, end the person's sessions, and return the new epoch."""
    check_password(password, get_person(person_id).name, field)
    return _set_hash(person_id, hash_password(password), must_change)


@transaction
def _set_hash(person_id: int, password_hash: str, must_change: bool) -> int:
    person = get_person(person_id)
    person.password_hash = password_hash
    person.must_change_password = must_change
    raise_epoch(person)
    return person.epoch


@transaction
def set_role(person_id: int, role: str) -> None:
    """Change what somebody may do; at least one active administrator remains."""
    person = get_person(person_id)
    kept_role = check_role(role)
    if person.role == kept_role:
        return
    _keep_an_administrator(person)
    person.role = kept_role
    raise_epoch(person)


@transaction
def set_active(person_id: int, active: bool) -> None:
    """Disable somebody, which ends their sessions and tokens at once, or let them in again."""
    person = get_person(person_id)
    if person.active == active:
        return
    if not active:
        _keep_an_administrator(person)
    person.active = active
    raise_epoch(person)


def _keep_an_administrator(person: Person) -> None:
    """Locks the administrators, so that two who demote each other cannot both succeed."""
    if person.role != Role.ADMIN or not person.active:
        return
    rows = select(Person.id).where(Person.role == Role.ADMIN, Person.active).with_for_update()
    if db.session.scalars(rows).all() == [person.id]:
        raise Conflict(_("This is the last administrator; appoint another one first."))


def epoch_key(person_id: int) -> str:
    """Where Redis keeps a person's epoch."""
    return f"gz:epoch:{person_id}"


def set_epoch(person_id: int, epoch: int) -> None:
    """Tell all workers. The key lives for a minute: should Redis miss this write, the database is
    asked again at the latest then."""
    redis_store.client.set(epoch_key(person_id), epoch, ex=EPOCH_SECONDS)


def publish_epoch(person_id: int) -> int:
    """Read the epoch from the database into Redis; 0, which no session has, for the disabled.
    A newer value that was written meanwhile stays."""
    row = db.session.execute(
        select(Person.epoch, Person.active).where(Person.id == person_id)
    ).one_or_none()
    db.session.rollback()
    epoch = row.epoch if row and row.active else 0
    redis_store.client.set(epoch_key(person_id), epoch, ex=EPOCH_SECONDS, nx=True)
    return epoch
