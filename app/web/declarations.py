"""What a view says about itself, by decorators that the hooks around a request read.

    @bp.post("/upload")
    @csrf_after_guard
    def upload_file(): ...

So no hook has to know a package's endpoints or addresses. A request that matches no view (404, 405)
is treated as the views at the nearest address are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from flask import Flask, current_app, request

V = TypeVar("V", bound=Callable[..., Any])

EXTENSION = "gazetteer-addresses"


@dataclass(frozen=True)
class Declarations:
    """The exceptions of one view; the defaults are those of an ordinary page."""

    max_body: int | None = None
    csrf_after_guard: bool = False
    anonymous_form: bool = False
    reopened_form: bool = False
    without_session: bool = False
    without_redis: bool = False
    always_json: bool = False
    first_password_allowed: bool = False
    secret_path: bool = False
    plain_refusals: bool = False
    drains_body: bool = False
    # Set by role_required(): None lets somebody in, anything else is the answer.
    guard: Callable[[], Any] | None = None


NOTHING = Declarations()


def declare(view: V, **changes: Any) -> V:
    """Add to what a view declares. functools.wraps() takes it along to a wrapped view."""
    view.declarations = replace(declarations_of(view), **changes)  # type: ignore[attr-defined]
    return view


def declarations_of(view: Callable[..., Any] | None) -> Declarations:
    """What a view declares."""
    return getattr(view, "declarations", NOTHING)


def max_body(size: int) -> Callable[[V], V]:
    """Its form may have this many bytes, instead of MAX_CONTENT_LENGTH."""
    return lambda view: declare(view, max_body=size)


def csrf_after_guard(view: V) -> V:
    """It checks the CSRF token itself, after its guard: reading the token means reading the whole
    body, which may be large."""
    return declare(view, csrf_after_guard=True)


def anonymous_form(view: V) -> V:
    """Visitors send its form without a CSRF token, from a page of this site: a token would cost a
    session in Redis, and for them there is nothing to protect."""
    return declare(view, anonymous_form=True)


def reopened_form(view: V) -> V:
    """Its form may have been open until the session behind it ended. It is then shown again, with
    a new token."""
    return declare(view, reopened_form=True)


def without_session(view: V) -> V:
    """It answers everybody alike: it has no session and no actor, and does not wait for Redis."""
    return declare(view, without_session=True)


def without_redis(view: V) -> V:
    """While Redis is away it answers nobody in particular, instead of 503."""
    return declare(view, without_redis=True)


def always_json(view: V) -> V:
    """It answers JSON to browsers too, also when it refuses."""
    return declare(view, always_json=True)


def allow_first_password(view: V) -> V:
    """It is open to people who have not yet replaced their first password."""
    return declare(view, first_password_allowed=True)


def secret_path(view: V) -> V:
    """Its address holds a secret, which stays out of the log."""
    return declare(view, secret_path=True)


def plain_refusals(view: V) -> V:
    """Scripts that ask for no type of answer read its refusals as plain text, not as JSON."""
    return declare(view, plain_refusals=True)


def drains_body(view: V) -> V:
    """The rest of a refused body is read, within bounds, so that the client sees the refusal and
    not a broken connection."""
    return declare(view, drains_body=True)


def declared() -> Declarations:
    """What the view of this request declares, or the view nearest to its address."""
    rule = request.url_rule
    endpoint = rule.endpoint if rule else nearest_endpoint(request.path)
    return declarations_of(current_app.view_functions.get(endpoint))


def nearest_endpoint(path: str) -> str:
    """The endpoint of the rule whose fixed beginning is the longest that the path begins with."""
    endpoints = addresses().endpoints
    while path and path not in endpoints:
        path = path.rpartition("/")[0]
    return endpoints.get(path, "")


def path_for_log() -> str:
    """The path of this request without the secrets that secret paths hold, also where it matches
    no view because of its method or its end."""
    path = request.path
    for pattern, replacement in addresses().secrets:
        path = pattern.sub(replacement, path)
    return path


@dataclass(frozen=True)
class Addresses:
    """The rules of an application: endpoints by fixed beginning, and what hides secrets."""

    endpoints: dict[str, str]
    secrets: list[tuple[re.Pattern[str], str]]


def addresses() -> Addresses:
    """The rules of the running application, read at its first request."""
    found: Addresses | None = current_app.extensions.get(EXTENSION)
    if found is None:
        found = current_app.extensions[EXTENSION] = read_rules(current_app)
    return found


def read_rules(app: Flask) -> Addresses:
    """Read the rules of an application."""
    endpoints: dict[str, str] = {}
    secrets = []
    for rule in app.url_map.iter_rules():
        prefix = fixed_prefix(rule.rule)
        endpoints.setdefault(prefix, rule.endpoint)
        if declarations_of(app.view_functions.get(rule.endpoint)).secret_path:
            segments = [re.escape(segment) for segment in prefix.split("/")]
            pattern = "/+".join([*segments, "[^/]+"])
            secrets.append((re.compile(pattern, re.IGNORECASE), f"{prefix}/-"))
    return Addresses(endpoints, secrets)


def fixed_prefix(rule: str) -> str:
    """The beginning of a rule in whole segments, up to its first variable: /pi of /pi/<n>."""
    fixed, variable, _rest = rule.partition("<")
    return fixed.rpartition("/")[0] if variable else fixed.rstrip("/")
