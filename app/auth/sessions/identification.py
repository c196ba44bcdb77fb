"""Who makes a request: from the token in its header, or from its session."""

import logging
from typing import Any

from flask import current_app, g, request, session
from redis.exceptions import RedisError

from app.actor import Actor
from app.auth.sessions.content import read_person, read_preferences
from app.auth.sessions.epochs import publish_person
from app.auth.sessions.installation import compare_once
from app.auth.sessions.lookup import earliest_start, look_up
from app.auth.sign_in.limits import count_wrong
from app.auth.tokens import services as tokens
from app.errors import Unauthorized, Unavailable
from app.logs.events import event
from app.text import N_
from app.web.declarations import declared


def set_actor() -> None:
    """Set `actor()` from the token header or the session."""
    sent = request.authorization
    if sent and sent.type == "bearer":
        load_from_token(sent.token or "")
        return
    try:
        load_from_session()
    except RedisError as error:
        session.unavailable = True  # type: ignore[attr-defined]
        if not declared().without_redis:
            raise Unavailable() from error


def load_from_token(token: str) -> None:
    """An invalid token is refused (401) whatever the script asks for."""
    who = tokens.authenticate(token, request.remote_addr or "", g.request_id)
    if who is None:
        event("token-refused", logging.WARNING)
        count_wrong("token", request.remote_addr or "")
        raise Unauthorized(N_("This token is not valid."))
    g.actor = who


def load_from_session() -> None:
    """The session counts while it is young enough and of its person's present epoch. One that
    another release or something else wrote ends, and the person signs in again."""
    interface: Any = current_app.session_interface
    # To copy the proxy would ask it for each key.
    opened: Any = session._get_current_object()  # type: ignore[attr-defined]
    epoch, preferences, last_write, jobs = interface.load(opened)
    if "person" not in opened:
        return
    found = None if compare_once() else read_person(dict(opened))
    if found is None:
        opened.clear()
        return
    if epoch is None or preferences is None:
        epoch, preferences, last_write = ask_database(found.person)
    if epoch != found.epoch or found.since < earliest_start():
        opened.clear()
        return
    own = {"request_id": g.request_id, "epoch": found.epoch, "last_write": last_write}
    g.actor = Actor(found.person, found.name, found.role, **own)
    g.must_change_password = found.must_change
    g.active_jobs = jobs
    g.preferences = read_preferences(preferences)


def ask_database(person_id: int) -> tuple[int, str, int]:
    """Write the epoch and the preferences that Redis does not know to it. Then look the session up
    again: so the request counts, and an epoch that was raised in the meantime is seen."""
    published, preferences = publish_person(person_id)
    _text, epoch, _preferences, last_write, _jobs = look_up(session.sid)  # type: ignore[attr-defined]
    return published if epoch is None else epoch, preferences, last_write
