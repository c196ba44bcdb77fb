"""The guard of views: requires a signed-in person and a role."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Response, g, redirect, request
from flask_babel import gettext as _

from app.actor import Role, check_permission
from app.current import actor
from app.errors import Unauthorized
from app.web.client import wants_page
from app.web.declarations import declare, declared
from app.web.error_pages import answer
from app.web.navigation import own_password_url, sign_in_url
from app.web.urls import this_page

P = ParamSpec("P")
T = TypeVar("T")


def ask_sign_in() -> Response:
    """Redirect browsers to the sign-in page, which leads back; other clients get 401."""
    if not wants_page():
        raise Unauthorized()
    why = None if request.method in ("GET", "HEAD") else "ended"
    return redirect(sign_in_url(next=this_page(), why=why), 303)  # type: ignore[return-value]


def ask_password() -> Response:
    """Ask a person with a first password to choose their own."""
    if wants_page():
        return redirect(own_password_url(next=this_page()), 303)  # type: ignore[return-value]
    return answer(403, _("Set your own password first, on your account page."))


def role_required(
    role: Role = Role.VIEWER, by_token: bool = True
) -> Callable[[Callable[P, T]], Callable[P, T | Response]]:
    """Restrict a view to people of at least this role. With `by_token=False` API tokens are
    refused, so that a stolen one can neither change passwords nor add people. People with a first
    password have to choose their own first, unless the view is @allow_first_password."""

    def guard() -> Response | None:
        if not actor().has_role(Role.VIEWER):
            return ask_sign_in()
        if g.must_change_password and not declared().first_password_allowed:
            return ask_password()
        check_permission(actor(), role, by_token)
        return None

    def decorate(view: Callable[P, T]) -> Callable[P, T | Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T | Response:
            refusal = guard()
            return view(*args, **kwargs) if refusal is None else refusal

        return declare(guarded, guard=guard)

    return decorate
