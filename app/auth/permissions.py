"""Who asks, and whether they may: set before every request, asked by decorators on views."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Response, current_app, flash, g, redirect, request, session, url_for
from flask_babel import gettext as _
from redis.exceptions import RedisError

from app.auth import services, sign_in, tokens
from app.auth.models import Role
from app.auth.sessions import (
    FOR_EVERYBODY,
    carries_token,
    requests_key,
    seen_key,
    values_key,
)
from app.current import settings
from app.errors import Forbidden, Unauthorized, Unavailable
from app.logs import event
from app.redis.client import redis_store
from app.web.error_pages import answer
from app.web.negotiation import wants_page
from app.web.urls import this_page

P = ParamSpec("P")
T = TypeVar("T")

RANK = {Role.VIEWER: 0, Role.EDITOR: 1, Role.ADMIN: 2}
TOUCH_SECONDS = 60
# Pages that are answered without Redis too, then for nobody in particular.
WITHOUT_REDIS = {"numbers.show_numbers"}


@dataclass(frozen=True)
class Identity:
    """The person behind a request, as the session or token carries it; no row was read."""

    id: int
    name: str
    role: str
    must_change_password: bool = False
    by_token: bool = False

    @property
    def may_write(self) -> bool:
        """Editors and administrators."""
        return RANK[Role(self.role)] >= RANK[Role.EDITOR]

    @property
    def is_admin(self) -> bool:
        """Administrators."""
        return self.role == Role.ADMIN


def load_person(even_here: bool = False) -> Response | None:
    """Set `g.person` from the token header or the session, before every request; `even_here` for
    an address that is answered without knowing who asks."""
    g.person = None
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
    g.person = Identity(row.id, row.name, row.role, by_token=True)
    return None


def load_from_session() -> None:
    """The session counts while it is young enough and made under the person's present epoch."""
    interface: Any = current_app.session_interface
    key = interface.store_id(session)
    identity = identity_of_session()
    if identity is None:
        session.clear()
        return
    person_id = identity.id
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
    g.person = identity


def identity_of_session() -> Identity | None:
    """Who the session says one is, or None when it was written by a release that kept it in
    another shape, or by something else: that ends it, and one signs in again."""
    person_id, name, role = session.get("person"), session.get("name"), session.get("role")
    dated = isinstance(session.get("since"), int | float)
    if not isinstance(session.get("epoch"), int) or not dated or role not in tuple(RANK):
        return None
    if not isinstance(person_id, int) or not isinstance(name, str):
        return None
    return Identity(person_id, name, str(role), bool(session.get("must_change")))


def ask_sign_in() -> Response:
    """Browsers are led to the sign-in page and back; everybody else gets 401."""
    if wants_page() and request.method in ("GET", "HEAD"):
        return redirect(url_for("auth.login", next=this_page()), 303)  # type: ignore[return-value]
    if wants_page():
        flash(_("Please sign in again, then repeat what you did."), "caution")
        return redirect(url_for("auth.login"), 303)  # type: ignore[return-value]
    raise Unauthorized(_("Please sign in, or send a token."))


def ask_password() -> Response:
    """Whoever has a first password chooses their own before anything else."""
    if wants_page():
        return redirect(url_for("auth.change_password"), 303)  # type: ignore[return-value]
    return answer(403, _("Choose a password of your own first, on the page of your account."))


def role_required(
    role: Role = Role.VIEWER, by_token: bool = True
) -> Callable[[Callable[P, T]], Callable[P, T | Response]]:
    """A view for people of at least this role. With `by_token=False` it is for somebody signed in
    on a page: a script's token that got lost then neither changes a password nor makes people."""

    def decorate(view: Callable[P, T]) -> Callable[P, T | Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T | Response:
            if g.person is None:
                return ask_sign_in()
            if g.person.must_change_password and request.endpoint != "auth.change_password":
                return ask_password()
            if g.person.by_token and not by_token:
                raise Forbidden(_("A token is not enough for this address: sign in."))
            if RANK[Role(g.person.role)] < RANK[role]:
                raise Forbidden(_("Your role does not include this."))
            return view(*args, **kwargs)

        guarded.asks_sign_in = True  # type: ignore[attr-defined]
        return guarded

    return decorate


def asks_sign_in(endpoint: str | None) -> bool:
    """Whether the view behind an endpoint refuses everybody who is not signed in."""
    view = current_app.view_functions.get(endpoint or "")
    return getattr(view, "asks_sign_in", False)
