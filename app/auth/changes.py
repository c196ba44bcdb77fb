"""Reports of changes to people, within a running service: in the history, for administrators, and
in the security log."""

import logging
from collections.abc import Mapping
from typing import Any

from app.actor import Actor
from app.auth.models import Person
from app.database.service import after_commit
from app.history.models import ADMINISTRATORS
from app.history.services import Change, changed_fields, record
from app.logs.events import event


def record_new_person(actor: Actor, action: str, person: Person) -> None:
    """Record that a person was added."""
    names = ("name", "role", "active", "must_change_password")
    change = Change(person.id, after={name: getattr(person, name) for name in names})
    record(actor, action, change, visible_to=ADMINISTRATORS)


def record_person(
    actor: Actor,
    action: str,
    person: Person,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    batch_id: str | None = None,
) -> None:
    """Record a change to a person: of these fields, those that differ."""
    change = Change(person.id, *changed_fields(before, after))
    record(actor, action, change, batch_id=batch_id, visible_to=ADMINISTRATORS)


def log_event(actor: Actor, what: str, **about: object) -> None:
    """Write a line to the security log after the commit."""
    after_commit(lambda: event(what, logging.INFO, person=actor.name, via=str(actor.via), **about))
