"""What the history shows about people and tokens."""

from collections.abc import Iterable, Mapping

from flask import Flask, url_for
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app.actor import Actor, Role
from app.auth.forms import ROLE_NAMES
from app.auth.models import ApiToken, Person
from app.database.engine import db
from app.history.subjects import Subject, register


def person_names(ids: Iterable[int]) -> Mapping[int, str]:
    """The names of people."""
    query = select(Person.id, Person.name).where(Person.id.in_(list(ids)))
    return {row.id: row.name for row in db.session.execute(query)}


def token_labels(ids: Iterable[int]) -> Mapping[int, str]:
    """The labels of tokens, each with the name of the person whose it is."""
    query = (
        select(ApiToken.id, ApiToken.label, Person.name)
        .join(Person, ApiToken.person_id == Person.id)
        .where(ApiToken.id.in_(list(ids)))
    )
    return {row.id: f"{row.label} ({row.name})" for row in db.session.execute(query)}


def person_url(person_id: int) -> str:
    """The page of a person."""
    return url_for("people.show_person", person_id=person_id)


def token_url(_token_id: int) -> str:
    """Empty: a token has no page of its own."""
    return ""


def role_name(role: str) -> str:
    """The name of a recorded role."""
    return str(ROLE_NAMES[Role(role)])


def may_read_person(actor: Actor, person_id: int) -> bool:
    """True for administrators, and for the person."""
    return actor.is_admin or actor.id == person_id


def may_read_token(actor: Actor, token_id: int) -> bool:
    """True for administrators, and for the person whose token it is."""
    owner = select(ApiToken.person_id).where(ApiToken.id == token_id)
    return actor.is_admin or (actor.is_signed_in and db.session.scalar(owner) == actor.id)


def init_app(app: Flask) -> None:
    """Register both kinds."""
    register(
        app,
        Subject(
            kind="person",
            name=_l("Person"),
            labels=person_names,
            url=person_url,
            may_read=may_read_person,
            actions={
                "person.create": _l("Account created"),
                "person.invite": _l("Invited"),
                "person.role": _l("Role changed"),
                "person.disable": _l("Disabled"),
                "person.enable": _l("Enabled"),
                "person.password": _l("Password changed"),
            },
            fields={
                "name": _l("Name"),
                "role": _l("Role"),
                "active": _l("Active"),
                "must_change_password": _l("Must set a password"),
            },
            formats={"role": role_name},
        ),
    )
    register(
        app,
        Subject(
            kind="token",
            name=_l("Token"),
            labels=token_labels,
            url=token_url,
            may_read=may_read_token,
            actions={"token.create": _l("Issued"), "token.revoke": _l("Revoked")},
            fields={"label": _l("Label")},
        ),
    )
