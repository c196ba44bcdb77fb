"""Beginning a session at sign-in."""

import time
from typing import Any

from flask import current_app, g, request

from app.auth.models import Person
from app.auth.sessions.user_agent import read_user_agent
from app.current import visitor
from app.database.engine import release_connection
from app.errors import Unauthorized
from app.redis.networks import networks
from app.text import N_


def start_session(session: Any, person: Person, epoch: int | None = None) -> None:
    """Begin a session under a new id, so that one planted before the sign-in is worth nothing.

    `epoch` is that of the password that the person has just set: their session continues. If they
    were disabled in between, it has already ended; if they signed out in between, it stays ended
    (Unauthorized).
    """
    browser, system = read_user_agent(request.user_agent.string)
    session.clear()
    session.update(
        person=person.id,
        name=person.name,
        role=str(person.role),
        epoch=epoch or person.session_epoch,
        must_change=person.must_change_password,
        since=time.time(),
        browser=browser,
        system=system,
        network=networks(request.remote_addr or "")[0],
    )
    release_connection()
    interface: Any = current_app.session_interface
    if not interface.regenerate(session, same_person=epoch is not None):
        g.actor = visitor()
        text = N_("Your password was changed. This session has ended: please sign in.")
        raise Unauthorized(text)
