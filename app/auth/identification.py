"""Who makes a request: from the token in its header, or from its session."""

import logging
import time
from typing import Any, ParamSpec, TypeVar

from flask import Flask, Response, current_app, g, request, session
from flask_babel import gettext as _
from redis.exceptions import RedisError

from app.actor import ANONYMOUS, Actor, Role
from app.auth import services, sign_in, tokens
from app.auth.sessions import (
    FOR_EVERYBODY,
    carries_token,
    requests_key,
    seen_key,
    values_key,
)
from app.current import settings
from app.errors import Unauthorized, Unavailable
from app.logs import event
from app.redis.client import redis_store

P = ParamSpec("P")
T = TypeVar("T")

TOUCH_SECONDS = 60
# Pages that are answered without Redis too, then for nobody in particular.
WITHOUT_REDIS = {"numbers.show_numbers"}


def load_person(even_here: bool = False) -> Response | None:
    """Set `actor()` from the token header or the session, before every request; `even_here` for
    an address that is answered without knowing who asks."""
    g.actor, g.must_change_password = ANONYMOUS, False
    if FOR_EVERYBODY.match(request.path) or (request.endpoint == "health.readyz" and not even_here):
        return None
    if carries_token(request):
        return load_from_token()
    try:
        if session.unavailable:  # type: ignore[attr-defined]
            raise Unavailable()
        if "person" in session:
            load_from_session()
    except (Unavailable, RedisError):
        if request.endpoint not in WITHOUT_REDIS:
            raise
        session.unavailable = True  # type: ignore[attr-defined]
    return None


def load_from_token() -> Response | None:
    """A script names its token; a wrong one is told so, whatever it asks for."""
    row = tokens.authenticate(request.headers["Authorization"].split(" ", 1)[1].strip())
    if row is None:
        event("token-refused", logging.WARNING)
        sign_in.count_wrong("token", request.remote_addr or "")
        raise Unauthorized(_("This token is not valid."))
    g.actor = row
    return None


def load_from_session() -> None:
    """The session counts while it is young enough and made under the person's present epoch."""
    interface: Any = current_app.session_interface
    key = interface.store_id(session)
    who = actor_of_session()
    if who is None:
        session.clear()
        return
    person_id = session["person"]
    with redis_store.client.pipeline(transaction=False) as pipe:
        pipe.get(services.epoch_key(person_id))
        pipe.incr(requests_key(key))
        pipe.set(seen_key(key), int(time.time()), nx=True, ex=TOUCH_SECONDS)
        present, _count, first_this_minute = pipe.execute()
    if present is None:
        present = services.publish_epoch(person_id)
    absolute = settings().session_absolute_days * 86400
    if int(present) != session["epoch"] or time.time() - session["since"] > absolute:
        session.clear()
        return
    if first_this_minute:
        with redis_store.client.pipeline(transaction=False) as pipe:
            for extended in (key, requests_key(key), values_key(key)):
                pipe.expire(extended, interface.idle_seconds)
            pipe.execute()
    g.actor, g.must_change_password = who, bool(session.get("must_change"))


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


def init_app(app: Flask) -> None:
    """Have the hooks ask here."""
    app.extensions["gazetteer-identify"] = load_person
