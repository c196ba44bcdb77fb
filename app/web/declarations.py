"""What views declare about themselves, with decorators whose values the request hooks read.

    @bp.post("/upload")
    @csrf_after_guard
    def upload_file(): ...

So the hooks need not know endpoints or URLs of packages. For a request that matches no view (404,
405) the declarations of the nearest URL apply.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

V = TypeVar("V", bound=Callable[..., Any])

EXTENSION = "gazetteer-addresses"


@dataclass(frozen=True)
class Declarations:
    """The declarations of one view; the defaults are those of an ordinary page."""

    # The most bytes of a member's form, instead of those of web/posts/bodies.py.
    max_body: int | None = None
    # Makes what each file of its form is written to, of the bytes that are coming. It has write(),
    # seek() and close(), which is called when the request ends.
    make_file: Callable[[int], Any] | None = None
    # It checks the CSRF token itself, after its guard, because that reads the whole body, which
    # may be large.
    csrf_after_guard: bool = False
    # Only members send its form with a CSRF token: visitors have nothing to protect.
    csrf_for_members: bool = False
    # Its form is for visitors, and also has their token if a member sends it. A view that passes it
    # to submit() shows it again if the token is refused.
    visitor_form: bool = False
    # It has neither session nor actor, answers everybody alike, and does not wait for Redis.
    without_session: bool = False
    # If Redis does not answer, everybody is a visitor, instead of 503.
    without_redis: bool = False
    # It answers browsers with JSON too, also errors.
    always_json: bool = False
    # People may use it before they have replaced their first password.
    first_password_allowed: bool = False
    # Its path contains a secret, which must not be logged.
    secret_path: bool = False
    # Scripts without an Accept header get its errors as plain text, not as JSON, and the first line
    # of some is this one.
    plain_refusals: str | None = None
    # The connection ends with the response, so that the next request may reach another worker.
    closes_connection: bool = False
    # It sends a file. Whoever requested it before signing in is led to the page whose URL this
    # returns for the same variables, because a download would leave the sign-in form on the screen.
    attachment_page: Callable[..., str] | None = None
    # Set by role_required(): returns None if the actor may use the view, otherwise the response.
    guard: Callable[[], Any] | None = None


ORDINARY = Declarations()


def declarations_of(view: Callable[..., Any] | None) -> Declarations:
    return getattr(view, "declarations", ORDINARY)


def declare(view: V, **changes: Any) -> V:
    """Add declarations to a view. functools.wraps() copies them to a wrapped view."""
    view.declarations = replace(declarations_of(view), **changes)  # type: ignore[attr-defined]
    return view


def declaring(**changes: Any) -> Callable[[V], V]:
    """A decorator that adds declarations to a view."""
    return lambda view: declare(view, **changes)


def max_body(size: int) -> Callable[[V], V]:
    return declaring(max_body=size)


def receives_files(make_file: Callable[[int], Any]) -> Callable[[V], V]:
    return declaring(make_file=make_file)


def plain_refusals(first_line: str) -> Callable[[V], V]:
    return declaring(plain_refusals=first_line)


def attachment(page: Callable[..., str]) -> Callable[[V], V]:
    return declaring(attachment_page=page)


csrf_after_guard = declaring(csrf_after_guard=True)
csrf_for_members = declaring(csrf_for_members=True)
visitor_form = declaring(visitor_form=True)
without_session = declaring(without_session=True)
without_redis = declaring(without_redis=True)
always_json = declaring(always_json=True)
allow_first_password = declaring(first_password_allowed=True)
secret_path = declaring(secret_path=True)
closes_connection = declaring(closes_connection=True)


def declared() -> Declarations:
    """The declarations of the requested view, or of the view with the nearest URL."""
    rule = request.url_rule
    endpoint = rule.endpoint if rule else nearest_endpoint(request.path)
    return declarations_of(current_app.view_functions.get(endpoint))


def nearest_endpoint(path: str) -> str:
    """The endpoint of the rule with the longest fixed prefix of the path."""
    endpoints = addresses().endpoints
    while path and path not in endpoints:
        path = path.rpartition("/")[0]
    return endpoints.get(path, "")


def path_for_log() -> str:
    """The path of this request without secrets, even if its method or a misspelling matches no
    view."""
    found: str | None = g.get("path_for_log")
    if found is None:
        found = request.path
        for pattern, replacement in addresses().secrets:
            found = pattern.sub(replacement, found)
        g.path_for_log = found
    return found


@dataclass(frozen=True)
class Addresses:
    """The rules of an application: endpoints by fixed prefix, and patterns that hide secrets."""

    endpoints: dict[str, str]
    secrets: list[tuple[re.Pattern[str], str]]


def addresses() -> Addresses:
    """The rules of the running application, read at the first request."""
    found: Addresses | None = current_app.extensions.get(EXTENSION)
    if found is None:
        found = current_app.extensions[EXTENSION] = read_rules(current_app)
    return found


def read_rules(app: Flask) -> Addresses:
    endpoints: dict[str, str] = {}
    secrets = []
    for rule in app.url_map.iter_rules():
        prefix = fixed_prefix(rule.rule)
        endpoints.setdefault(prefix, rule.endpoint)
        if declarations_of(app.view_functions.get(rule.endpoint)).secret_path:
            # All that follows the prefix, also in a misspelled address.
            pattern = "/+".join(map(re.escape, prefix.split("/"))) + ".+"
            secrets.append((re.compile(pattern, re.IGNORECASE | re.DOTALL), f"{prefix}/-"))
    return Addresses(endpoints, secrets)


def fixed_prefix(rule: str) -> str:
    """The segments of a rule before its first variable: /pi of /pi/<n>."""
    fixed, variable, _rest = rule.partition("<")
    return fixed.rpartition("/")[0] if variable else fixed.rstrip("/")
