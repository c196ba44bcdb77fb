"""Creating, revoking and checking tokens of scripts."""

import hashlib
import logging
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select, update

from app.actor import Actor, Role, Via
from app.auth.changes import log_event
from app.auth.models import ADDRESS_LENGTH, TOKEN_DAYS, TOKENS_MOST, ApiToken, Person
from app.auth.queries import check_reader, load_person
from app.auth.rules import check_days, check_label
from app.auth.sign_in.credentials import check_own_password
from app.database.engine import db, release_connection
from app.database.failures import tolerated
from app.database.service import permitted, service, unrecorded
from app.errors import Conflict, Forbidden, NotFound, Unauthorized
from app.history.models import ADMINISTRATORS
from app.history.services import Change, new_batch_id, record
from app.logs.events import event
from app.redis.networks import read_address
from app.text import N_
from app.times import now

PREFIX = "gz_"  # recognised by people and by secret scanners
LISTED = timedelta(days=30)  # how long an expired token is still listed


def digest(text: str) -> str:
    """What is stored of a token. It has 256 random bits, so a plain SHA-256 is enough."""
    return hashlib.sha256(text.encode()).hexdigest()


@permitted(Role.VIEWER, by_token=False)
def create_token(actor: Actor, label: str, password: str, days: str = "", devices: str = "") -> str:
    """Create a token for one's own scripts, given one's password; returns its text, which is not
    stored."""
    valid_days = check_days(days)
    check_own_password(actor, password, devices, "password")
    return store_token(actor, label, valid_days)


@service(Role.VIEWER, by_token=False)
def store_token(actor: Actor, label: str, days: int = TOKEN_DAYS) -> str:
    """Store the token that create_token() permitted. The person's row is locked: disabling them at
    the same time either revokes the token or prevents it, and of two tokens at once one is the
    last."""
    label = check_label(label)
    if not load_person(actor.person_id, lock=True).active:
        raise Forbidden(N_("This account is disabled."))
    if count_working(actor.person_id) >= TOKENS_MOST:
        raise Conflict(
            N_("You have %(most)d tokens. Revoke one that you no longer need.", most=TOKENS_MOST)
        )
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        person_id=actor.person_id,
        label=label,
        digest=digest(text),
        expires_at=now() + timedelta(days=days),
    )
    db.session.add(token)
    db.session.flush()
    change = Change(token.id, after={"label": label, "days": days})
    record(actor, "token.create", change, visible_to=ADMINISTRATORS)
    log_event(actor, "token-created", token=token.id, days=days)
    return text


@permitted(Role.VIEWER, by_token=False)
def list_tokens(actor: Actor, person_id: int | None = None) -> list[ApiToken]:
    """One's own tokens or, for administrators, anybody's, the newest first: those that work, and
    those that expired lately."""
    owner_id = actor.person_id if person_id is None else person_id
    check_reader(actor, owner_id)
    query = unrevoked(owner_id, now() - LISTED).order_by(ApiToken.id.desc())
    return list(db.session.scalars(query))


@permitted(Role.VIEWER, by_token=False)
def count_own(actor: Actor) -> int:
    """How many of one's tokens work."""
    return count_working(actor.person_id)


def count_working(person_id: int) -> int:
    working = unrevoked(person_id, now()).subquery()
    return db.session.scalar(select(func.count()).select_from(working)) or 0


def unrevoked(person_id: int, moment: datetime) -> Select[ApiToken]:
    """A person's tokens that nobody revoked and that expire after a moment."""
    since = moment - timedelta(days=TOKEN_DAYS)
    return select(ApiToken).where(
        ApiToken.person_id == person_id,
        ApiToken.revoked_at.is_(None),
        or_(
            ApiToken.expires_at > moment,
            # As ApiToken.ends_at says.
            ApiToken.expires_at.is_(None) & (ApiToken.created_at > since),
        ),
    )


@service(Role.VIEWER, by_token=False)
def revoke_token(actor: Actor, token_id: int, person_id: int | None = None) -> None:
    """Revoke one of one's own tokens or, for administrators, of somebody else's."""
    owner_id = actor.person_id if person_id is None else person_id
    check_reader(actor, owner_id)
    token = db.session.get(ApiToken, token_id, with_for_update=True)
    if token is None or token.person_id != owner_id:
        raise NotFound(N_("There is no such token."))
    if token.revoked_at is not None:
        return
    revoke(actor, token)
    log_event(actor, "token-revoked", token=token.id, about=load_person(owner_id).name)


def revoke_all(actor: Actor, person: Person) -> str | None:
    """Revoke all tokens of a locked person within a running service; returns the batch of their
    entries in the history, or None if there were none."""
    tokens = db.session.scalars(unrevoked(person.id, now()).with_for_update()).all()
    if not tokens:
        return None
    batch_id = new_batch_id()
    revoke(actor, *tokens, batch_id=batch_id)
    log_event(actor, "tokens-revoked", about=person.name, count=len(tokens))
    return batch_id


def revoke(actor: Actor, *tokens: ApiToken, batch_id: str | None = None) -> None:
    """Revoke locked tokens within a running service."""
    for token in tokens:
        token.revoked_at = now()
    changes = [Change(token.id, before={"label": token.label}) for token in tokens]
    record(actor, "token.revoke", *changes, batch_id=batch_id, visible_to=ADMINISTRATORS)


def authenticate(text: str, address: str = "", request_id: str | None = None) -> Actor | None:
    """The active person behind a token, as an actor, or None; Unauthorized if it has expired. Its
    last use is stored at most once a minute."""
    query = (
        select(ApiToken, Person)
        .join(Person, ApiToken.person_id == Person.id)
        .where(ApiToken.digest == digest(text), ApiToken.revoked_at.is_(None))
        .where(Person.active, Person.must_change_password.is_(False))
    )
    row = db.session.execute(query).one_or_none()
    db.session.expunge_all()
    release_connection()
    if row is None:
        return None
    token, person = row
    if token.has_expired():
        event("token-expired", logging.WARNING, person=person.name, token=token.id)
        raise Unauthorized(N_("This token has expired. Create a new one."))
    if token.used_at is None or now() - token.used_at > timedelta(minutes=1):
        with tolerated("the last use of a token was not stored"):
            note_use(token.id, address)
    return Actor(person.id, person.name, Role(person.role), Via.TOKEN, token.id, request_id)


@unrecorded
def note_use(token_id: int, address: str) -> None:
    """Store the time of a token's last use, and where from."""
    used_from = str(read_address(address) or address)[:ADDRESS_LENGTH]
    values = {"used_at": now(), "used_from": used_from}
    db.session.execute(update(ApiToken).where(ApiToken.id == token_id).values(values))
