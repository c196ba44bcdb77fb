"""Tokens for scripts: made once, kept as a digest, ended at any time."""

import hashlib
import secrets
from contextlib import suppress
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import select, update

from app.actor import Actor, Role, Via
from app.auth.models import TOKEN_LABEL_LENGTH, ApiToken, Person
from app.database.engine import db
from app.database.service import transaction
from app.errors import Invalid, Locked, NotFound
from app.times import now

PREFIX = "gz_"  # so that people and secret scanners recognise one
USED_EVERY = timedelta(minutes=1)


def digest(text: str) -> str:
    """What is kept of a token: it has 256 random bits, so a plain SHA-256 is enough."""
    return hashlib.sha256(text.encode()).hexdigest()


@transaction
def create_token(person_id: int, label: str) -> str:
    """A new token for a person's scripts; its text is never to be had again."""
    label = label.strip()
    if not 1 <= len(label) <= TOKEN_LABEL_LENGTH:
        text = _("A label has 1 to %(n)d characters.", n=TOKEN_LABEL_LENGTH)
        raise Invalid(fields={"label": text})
    text = PREFIX + secrets.token_urlsafe(32)
    db.session.add(ApiToken(person_id=person_id, label=label, digest=digest(text)))
    return text


def list_tokens(person_id: int) -> list[ApiToken]:
    """A person's tokens that still work, the newest first."""
    query = (
        select(ApiToken)
        .where(ApiToken.person_id == person_id, ApiToken.ended_at.is_(None))
        .order_by(ApiToken.id.desc())
    )
    return list(db.session.scalars(query))


@transaction
def end_token(person_id: int, token_id: int) -> None:
    """End one of a person's own tokens."""
    query = select(ApiToken).where(ApiToken.id == token_id, ApiToken.person_id == person_id)
    token = db.session.scalar(query)
    if token is None:
        raise NotFound(_("There is no such token."))
    token.ended_at = token.ended_at or now()


def authenticate(text: str, request_id: str | None = None) -> Actor | None:
    """The active person behind a token, as an actor, or None. Last use is noted at most once a
    minute."""
    query = (
        select(ApiToken, Person)
        .join(Person, ApiToken.person_id == Person.id)
        .where(ApiToken.digest == digest(text), ApiToken.ended_at.is_(None))
        .where(Person.active, Person.must_change_password.is_(False))
    )
    row = db.session.execute(query).one_or_none()
    if row is None:
        return None
    token, person = row
    db.session.expunge_all()
    db.session.rollback()
    if token.used_at is None or now() - token.used_at > USED_EVERY:
        with suppress(Locked):
            note_use(token.id)
    return Actor(person.id, person.name, Role(person.role), Via.TOKEN, token.id, request_id)


@transaction
def note_use(token_id: int) -> None:
    """Write down that a token was used just now."""
    db.session.execute(update(ApiToken).where(ApiToken.id == token_id).values(used_at=now()))
