"""Who may read the register."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Response

from app.actor import Actor, Role
from app.current import settings
from app.web.permissions import role_required

P = ParamSpec("P")
T = TypeVar("T")


def may_read_cities(actor: Actor) -> bool:
    """True for members, and for everybody where PUBLIC_READ opens reading."""
    return settings().public_read or actor.is_signed_in


def reads_cities(view: Callable[P, T]) -> Callable[P, T | Response]:
    """A view of cities: for members, and for everybody where PUBLIC_READ opens reading."""
    for_members = role_required(Role.VIEWER)(view)

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T | Response:
        if settings().public_read:
            return view(*args, **kwargs)
        return for_members(*args, **kwargs)

    return guarded
