"""Which views of the register need a sign-in."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Response

from app.actor import Role
from app.current import settings
from app.web.permissions import role_required

P = ParamSpec("P")
T = TypeVar("T")


def reads_cities(view: Callable[P, T]) -> Callable[P, T | Response]:
    """A view of cities: for members, and for everybody where PUBLIC_READ opens reading."""
    for_members = role_required(Role.VIEWER)(view)

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T | Response:
        if settings().public_read:
            return view(*args, **kwargs)
        return for_members(*args, **kwargs)

    return guarded
