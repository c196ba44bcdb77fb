"""Where a form comes from, its CSRF token, and the signature of its action.

The browser says which site sent a form; the token decides whether it is one of ours. A member's
token belongs to the session. Visitors have no session: theirs belongs to a cookie of its own.

The action of each form of a member is signed for this person, path and day, so that it is known
before anything is read whose form it is, also when the session has ended.
"""

import hmac
import logging
import secrets
from typing import Any
from urllib.parse import unquote

from flask import Response, after_this_request, g, request, session
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from app.actor import Role
from app.current import actor, mac, settings
from app.errors import DomainError
from app.logs.events import event
from app.text import N_, Message, parse_integer
from app.times import day_number
from app.web.client import cookie_name, seen_secure, wants_page
from app.web.declarations import declared
from app.web.urls import SIGNATURE, add_argument, host, split_url

FIELD, HEADER = "csrf_token", "X-CSRFToken"
SECRET = "csrf_token"  # noqa: S105 - where a session has the secret of its tokens
VISITOR_COOKIE = "gz_form"
VERSION = "v1."  # how a token begins
DEFAULT_PORTS = (":80", ":443")
OVER_HTTP = N_(
    "This page was opened over http, and this site sets its cookies over https only (SECURE=1). "
    "Open it with https."
)


class FormRefused(DomainError):
    """The form has no valid token, or another site sent it."""

    status = 400
    event = "form-refused"
    text = N_("This form was out of date. Nothing was changed.")


def add_token(session: Any) -> None:
    """Add the secret of its tokens to a new session."""
    session[SECRET] = secrets.token_hex(20)


def session_token() -> str:
    """The token of the session's forms; empty without a session."""
    if "person" in session and not session.get(SECRET):
        add_token(session)
    secret = session.get(SECRET)
    return VERSION + mac("session-form", str(secret)) if secret else ""


def visitor_token() -> str:
    """The token of a form for visitors, who get its cookie with the page."""
    cookie = request.cookies.get(cookie_name(VISITOR_COOKIE)) or g.get("new_visitor_cookie")
    if not cookie:
        cookie = g.new_visitor_cookie = secrets.token_urlsafe(16)
        after_this_request(set_visitor_cookie)
    return VERSION + mac("visitor-form", cookie)


def set_visitor_cookie(response: Response) -> Response:
    """Set the cookie of a visitor's first form; it ends with the browser."""
    response.set_cookie(
        cookie_name(VISITOR_COOKIE), g.pop("new_visitor_cookie"),
        secure=seen_secure(), httponly=True, samesite="Lax",
    )  # fmt: skip
    return response


def check_csrf() -> None:
    """FormRefused unless a page of this site sent the form, with its token. Scripts authenticate
    with a header that no browser sends by itself. A refused form of a visitor is shown again with
    the reason."""
    if actor().by_token:
        return
    if not may_be_from_this_site():
        raise FormRefused(foreign())
    view = declared()
    if view.csrf_for_members and not actor().has_role(Role.VIEWER):
        return
    token = request.form.get(FIELD) or request.headers.get(HEADER, "")
    if view.visitor_form:
        check_visitor(token)
    elif not is_of_session(token):
        raise FormRefused()


def may_be_from_this_site() -> bool:
    """False if the page of another site sent the form, by `Sec-Fetch-Site`, otherwise by `Origin`
    or `Referer`, whose scheme a proxy may have changed. With the forms of other sites a browser
    sends at least one of them."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    if origin := request.headers.get("Origin"):
        return is_own_host(split_url(origin).netloc)
    name = split_url(request.referrer).netloc
    return not name or is_own_host(name)


def is_own_host(name: str) -> bool:
    return bool(name) and without_port(name) == without_port(host())


def without_port(name: str) -> str:
    """A host in lower case, without a default port."""
    name = name.lower()
    return next((name.removesuffix(p) for p in DEFAULT_PORTS if name.endswith(p)), name)


def foreign() -> Message:
    """Why a form of another site is refused; a proxy that changes the host makes us one."""
    sender = split_url(request.headers.get("Origin") or request.referrer).netloc
    return N_(
        "This form was sent by a page of %(sender)s, and this site is %(host)s. Nothing was "
        "changed. If both are this site, its proxy has to pass on the header Host with the port.",
        sender=sender[:200] or "-",
        host=host()[:200] or "-",
    )


def is_of_session(token: str) -> bool:
    """True for a token of this session."""
    expected = session_token()
    return bool(expected) and (is_same(token, expected) or is_of_previous_release(token))


def is_of_previous_release(token: str) -> bool:
    """True for a token of this session on a page that the release before has rendered, which used
    those of Flask-WTF."""
    try:
        validate_csrf(token, token_key=SECRET)
    except ValidationError:
        return False
    return True


def check_visitor(token: str) -> None:
    """Compare the token with its cookie."""
    cookie = request.cookies.get(cookie_name(VISITOR_COOKIE), "")
    if cookie and is_same(token, visitor_token()):
        return
    if not token or not wants_page():
        raise FormRefused()
    event("form-refused", logging.WARNING)
    if cookie or not token.startswith(VERSION):
        g.form_problem = N_("This page was open too long. Please try again.")
    elif settings().secure and not request.is_secure:
        g.form_problem = OVER_HTTP
    else:
        g.form_problem = N_(
            "Your browser sent no cookie. Allow cookies for this site, then try again."
        )


def warning_of_http() -> Message | str:
    """What a page with a password says before that is typed, if it was opened over http in spite of
    SECURE=1. Over https, and on this machine, browsers send `Sec-Fetch-Site`, also through a proxy
    that does not say that it was https."""
    shown = request.method == "GET" and "Sec-Fetch-Site" not in request.headers
    return OVER_HTTP if shown and settings().secure and not request.is_secure else ""


def is_same(sent: str, expected: str) -> bool:
    """Compare in constant time; `sent` may be any text."""
    return hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), expected.encode())


def signature(person: int, path: str, day: int) -> str:
    return f"{person}.{day}.{mac('form-action', f'{person}|{path}|{day}')[:22]}"


def signed(url: str) -> str:
    """The URL as the action of a form; unchanged for visitors."""
    person = actor().id
    if person is None:
        return url
    text = signature(person, unquote(split_url(url).path), day_number())
    return add_argument(url, SIGNATURE, text)


def signer() -> int | None:
    """The id of the person for whom the action of this form was signed, today or yesterday."""
    sent = request.args.get(SIGNATURE, "")
    person = parse_integer(sent.partition(".")[0], 1, 2**63 - 1)
    if person is None:
        return None
    days = (day_number(), day_number() - 1)
    is_ours = any(is_same(sent, signature(person, request.path, day)) for day in days)
    return person if is_ours else None
