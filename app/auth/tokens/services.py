"""Creating, revoking and checking tokens of scripts."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import Select, select, update

from app.actor import Actor, Role, Via
from app.auth.changes import log_event
from app.auth.models import ApiToken, Person
from app.auth.queries import load_person
from app.auth.rules import check_label
from app.database.engine import db, release_connection
from app.database.failures import tolerated
from app.database.service import bookkeeping, permitted, service
from app.errors import Forbidden, NotFound
from app.history.models import ADMINISTRATORS
from app.history.services import Change, new_batch_id, record
from app.text import N_
from app.times import now

PREFIX = "gz_"  # recognised by people and by secret scanners


def digest(text: str) -> str:
    """What is stored of a token. It has 256 random bits, so a plain SHA-256 is enough."""
    return hashlib.sha256(text.encode()).hexdigest()


@service(Role.VIEWER, by_token=False)
def create_token(actor: Actor, label: str) -> str:
    """Create a token for one's own scripts; returns its text, which is not stored. The person's row
    is locked: disabling them at the same time either revokes the token or prevents it."""
    label = check_label(label)
    if not load_person(actor.person_id, lock=True).active:
        raise Forbidden(N_("This account is disabled."))
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(person_id=actor.person_id, label=label, digest=digest(text))
    db.session.add(token)
    db.session.flush()
    change = Change(token.id, after={"label": label})
    record(actor, "token.create", change, visible_to=ADMINISTRATORS)
    log_event(actor, "token-created", token=token.id)
    return text


@permitted(Role.VIEWER, by_token=False)
def list_tokens(actor: Actor) -> list[ApiToken]:
    """One's own tokens that are not revoked, the newest first."""
    query = valid_tokens(actor.person_id).order_by(ApiToken.id.desc())
    return list(db.session.scalars(query))


def valid_tokens(person_id: int) -> Select[ApiToken]:
    return select(ApiToken).where(ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None))


@service(Role.VIEWER, by_token=False)
def revoke_token(actor: Actor, token_id: int) -> None:
    """Revoke one of one's own tokens."""
    token = db.session.get(ApiToken, token_id, with_for_update=True)
    if token is None or token.person_id != actor.person_id:
        raise NotFound(N_("There is no such token."))
    if token.revoked_at is not None:
        return
    revoke(actor, token)
    log_event(actor, "token-revoked", token=token.id)


def revoke_all(actor: Actor, person: Person) -> str | None:
    """Revoke all tokens of a locked person within a running service; returns the batch of their
    entries in the history, or None if there were none."""
    tokens = db.session.scalars(valid_tokens(person.id).with_for_update()).all()
    batch_id = new_batch_id() if tokens else None
    revoke(actor, *tokens, batch_id=batch_id)
    return batch_id


def revoke(actor: Actor, *tokens: ApiToken, batch_id: str | None = None) -> None:
    """Revoke locked tokens within a running service."""
    for token in tokens:
        token.revoked_at = now()
    changes = [Change(token.id, before={"label": token.label}) for token in tokens]
    record(actor, "token.revoke", *changes, batch_id=batch_id, visible_to=ADMINISTRATORS)


def authenticate(text: str, request_id: str | None = None) -> Actor | None:
    """The active person behind a token, as an actor, or None. Its last use is stored at most once a
    minute."""
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
    if token.used_at is None or now() - token.used_at > timedelta(minutes=1):
        with tolerated("the last use of a token was not stored"):
            note_use(token.id)
    return Actor(person.id, person.name, Role(person.role), Via.TOKEN, token.id, request_id)


@bookkeeping
def note_use(token_id: int) -> None:
    """Store the time of a token's last use."""
    db.session.execute(update(ApiToken).where(ApiToken.id == token_id).values(used_at=now()))
