"""What the history shows about people and tokens."""

from collections.abc import Collection, Iterable, Mapping

from flask import Flask, url_for
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from sqlalchemy import select

from app.actor import Actor, Role
from app.auth.forms import ROLE_NAMES
from app.auth.models import ApiToken, Person
from app.database.engine import db
from app.history.subjects import Subject, labels_from, register


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


def readable_people(actor: Actor, ids: Collection[int]) -> Collection[int]:
    """All for administrators; for others themselves."""
    return ids if actor.is_admin else [each for each in ids if each == actor.id]


def readable_tokens(actor: Actor, ids: Collection[int]) -> Collection[int]:
    """All for administrators; for others their own."""
    if actor.is_admin:
        return ids
    if not actor.has_role(Role.VIEWER):
        return ()
    own = select(ApiToken.id).where(ApiToken.id.in_(ids), ApiToken.person_id == actor.id)
    return db.session.scalars(own).all()


PERSON = Subject(
    kind="person",
    name=_l("Person"),
    labels=labels_from(Person.name),
    url=person_url,
    may_read=readable_people,
    actions={
        "person.create": _l("Account created"),
        "person.invite": _l("Person invited"),
        "person.role": _l("Role changed"),
        "person.disable": _l("Account disabled"),
        "person.enable": _l("Account enabled"),
        "person.password": _l("Password changed"),
        "person.first_password": _l("First password given"),
    },
    fields={
        "name": _l("Name"),
        "role": _l("Role"),
        "active": lazy_pgettext("history", "Active"),
        "must_change_password": _l("Must set a password"),
    },
    formats={"role": role_name},
)
TOKEN = Subject(
    kind="token",
    name=_l("Token"),
    labels=token_labels,
    url=token_url,
    may_read=readable_tokens,
    fixed_name=True,
    actions={"token.create": _l("Token created"), "token.revoke": _l("Token revoked")},
    fields={"label": _l("Label")},
)


def init_app(app: Flask) -> None:
    """Register both kinds."""
    register(app, PERSON)
    register(app, TOKEN)
