"""What the history shows about people."""

from collections.abc import Collection

from flask import url_for
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from app.actor import Actor
from app.auth.forms import ROLE_NAMES
from app.auth.models import Person
from app.history.subjects import Subject, labels_from


def readable_people(actor: Actor, ids: Collection[int]) -> Collection[int]:
    """All for administrators; others read about themselves."""
    return ids if actor.is_admin else [each for each in ids if each == actor.id]


PERSON = Subject(
    kind="person",
    name=_l("Person"),
    labels=labels_from(Person.name),
    url=lambda person_id: url_for("people.show_person", person_id=person_id),
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
    sentences={
        "person.create": _l("%(who)s created the account of %(what)s"),
        "person.invite": _l("%(who)s invited %(what)s"),
        "person.role": _l("%(who)s changed the role of %(what)s"),
        "person.disable": _l("%(who)s disabled %(what)s"),
        "person.enable": _l("%(who)s enabled %(what)s"),
        "person.password": _l("%(who)s changed the password of %(what)s"),
        "person.first_password": _l("%(who)s gave %(what)s a first password"),
    },
    this=_l("this person"),
    formats={"role": lambda role: str(ROLE_NAMES[role])},
)
