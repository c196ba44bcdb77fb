"""Who asks, and whether they may: set before every request, asked by decorators on views."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Response, current_app, flash, g, redirect, request, session, url_for
from flask_babel import gettext as _

from app.auth import services, tokens
from app.auth.models import Role
from app.errors import Forbidden, Unauthorized, Unavailable, wants_page
from app.extensions import redis_store
from app.web import settings, this_page

P = ParamSpec("P")
T = TypeVar("T")

RANK = {Role.VIEWER: 0, Role.EDITOR: 1, Role.ADMIN: 2}
TOUCH_SECONDS = 60
# Answered without Redis and without knowing who asks.
NEEDS_NOBODY = {"static", "health.healthz", "health.readyz"}
# Answered without Redis, for nobody in particular when it is away.
WITHOUT_REDIS = {"numbers.pi", "numbers.fib", "numbers.show_numbers"}


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


def load_person() -> Response | None:
    """Set `g.person` from the token header or the session, before every request."""
    g.person = None
    if request.endpoint in NEEDS_NOBODY:
        return None
    if request.headers.get("Authorization", "").lower().startswith("bearer "):
        return load_from_token()
    if session.unavailable:  # type: ignore[attr-defined]
        if request.endpoint in WITHOUT_REDIS:
            return None
        raise Unavailable()
    if "person" in session:
        load_from_session()
    return None


def load_from_token() -> Response | None:
    """A script names its token; a wrong one is told so, whatever it asks for."""
    row = tokens.authenticate(request.headers["Authorization"].split(" ", 1)[1].strip())
    if row is None:
        raise Unauthorized(_("This token is not valid."))
    g.person = Identity(row.id, row.name, row.role, by_token=True)
    return None


def load_from_session() -> None:
    """The session counts while it is young enough and made under the person's present epoch."""
    interface: Any = current_app.session_interface
    key = interface.store_id(session)
    person_id, epoch = session["person"], session["epoch"]
    with redis_store.client.pipeline(transaction=False) as pipe:
        pipe.get(services.epoch_key(person_id))
        pipe.incr(f"{key}:requests")
        pipe.set(f"{key}:seen", int(time.time()), nx=True, ex=TOUCH_SECONDS)
        present, _count, first_this_minute = pipe.execute()
    if present is None:
        present = services.publish_epoch(person_id)
    absolute = settings().session_absolute_days * 86400
    if int(present) != epoch or time.time() - session["since"] > absolute:
        session.clear()
        return
    if first_this_minute:
        with redis_store.client.pipeline(transaction=False) as pipe:
            pipe.expire(key, interface.idle_seconds)
            pipe.expire(f"{key}:requests", interface.idle_seconds)
            pipe.execute()
    g.person = Identity(
        person_id, session["name"], session["role"], session.get("must_change", False)
    )


def ask_sign_in() -> Response:
    """Browsers are led to the sign-in page and back; everybody else gets 401."""
    if wants_page() and request.method in ("GET", "HEAD"):
        return redirect(url_for("auth.login", next=this_page()), 303)  # type: ignore[return-value]
    if wants_page():
        flash(_("Please sign in again, then repeat what you did."), "caution")
        return redirect(url_for("auth.login"), 303)  # type: ignore[return-value]
    raise Unauthorized(_("Please sign in, or send a token."))


def needs(role: Role = Role.VIEWER) -> Callable[[Callable[P, T]], Callable[P, T | Response]]:
    """A view for people of at least this role."""

    def decorate(view: Callable[P, T]) -> Callable[P, T | Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T | Response:
            if g.person is None:
                return ask_sign_in()
            if g.person.must_change_password and request.endpoint != "auth.change_password":
                return redirect(url_for("auth.change_password"), 303)  # type: ignore[return-value]
            if RANK[Role(g.person.role)] < RANK[role]:
                raise Forbidden(_("Your role does not include this."))
            return view(*args, **kwargs)

        return guarded

    return decorate


def reads_cities(view: Callable[P, T]) -> Callable[P, T | Response]:
    """A view of cities: for members, and for everybody where PUBLIC_READ opens reading."""
    for_members = needs(Role.VIEWER)(view)

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T | Response:
        if g.person is None and settings().public_read:
            return view(*args, **kwargs)
        return for_members(*args, **kwargs)

    return guarded
