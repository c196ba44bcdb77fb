"""Changing one's own preferences. They are in no history: they change nothing for anybody else."""

from functools import partial
from typing import Any

from app.actor import Actor, Preferences, Role
from app.auth.preferences.rules import check_preferences
from app.auth.queries import load_person
from app.auth.sessions.epochs import publish_preferences
from app.database.service import after_commit, service


@service(Role.VIEWER, by_token=False)
def update_preferences(actor: Actor, /, **changed: Any) -> Preferences:
    """Change some of one's own preferences, fields of Preferences; returns all."""
    person = load_person(actor.person_id, lock=True)
    for name, value in check_preferences(changed).items():
        setattr(person, name, value)
    after_commit(partial(publish_preferences, person.id, person.preferences))
    return person.preferences
