"""Who makes a request: from the token in its header, or from its session."""

import logging
from typing import Any

from flask import Request, current_app, g, request, session
from flask_babel import gettext as _
from redis.exceptions import RedisError

from app.actor import Actor, Role
from app.auth import sign_in
from app.auth.sessions.epochs import publish_epoch
from app.auth.sessions.lookup import earliest_start, look_up
from app.auth.tokens import services as tokens
from app.errors import Unauthorized, Unavailable
from app.logs import event
from app.web.declarations import declared


def carries_token(request: Request) -> bool:
    """True for a script: it sends its token with every request."""
    return request.headers.get("Authorization", "").lower().startswith("bearer ")


def set_actor() -> None:
    """Set `actor()` from the token header or the session."""
    if carries_token(request):
        load_from_token()
        return
    try:
        load_from_session()
    except RedisError as error:
        session.unavailable = True  # type: ignore[attr-defined]
        if not declared().without_redis:
            raise Unavailable() from error


def load_from_token() -> None:
    """A script sends its token; for a wrong one it gets 401, whatever it asks for."""
    text = request.headers["Authorization"].split(" ", 1)[1].strip()
    who = tokens.authenticate(text, g.request_id)
    if who is None:
        event("token-refused", logging.WARNING)
        sign_in.count_wrong("token", request.remote_addr or "")
        raise Unauthorized(_("This token is not valid."))
    g.actor = who


def load_from_session() -> None:
    """The session counts while it is young enough and of its person's present epoch."""
    interface: Any = current_app.session_interface
    epoch = interface.load(session)
    if "person" not in session:
        return
    who = actor_of_session()
    if who is not None and epoch is None:
        epoch = ask_database(who.person_id)
    if who is None or epoch != session["epoch"] or session["since"] < earliest_start():
        session.clear()
        return
    g.actor, g.must_change_password = who, bool(session.get("must_change"))


def ask_database(person_id: int) -> int:
    """The epoch of a person whom Redis does not know, which it is told. Then the session is read
    once more: the request counts, and an epoch that was raised in the meantime is seen."""
    published = publish_epoch(person_id)
    _text, epoch = look_up(session.sid)  # type: ignore[attr-defined]
    return published if epoch is None else epoch


def actor_of_session() -> Actor | None:
    """The person of the session, or None if another release or something else wrote it: that ends
    the session, and the person signs in again."""
    person_id, name, role = session.get("person"), session.get("name"), session.get("role")
    dated = isinstance(session.get("since"), int | float)
    if not isinstance(session.get("epoch"), int) or not dated or role not in tuple(Role):
        return None
    if not isinstance(person_id, int) or not isinstance(name, str):
        return None
    return Actor(person_id, name, Role(role), request_id=g.request_id)
