"""A form that was refused because its session had ended is stored for ten minutes, without its
passwords, and shown again after signing in: on the page where it was, to the person for whom its
action was signed."""

from functools import cache
from typing import Any
from urllib.parse import unquote

import msgspec
from flask import g, redirect, request
from redis.exceptions import RedisError
from wtforms import PasswordField

from app.current import actor
from app.redis.client import redis_store
from app.text import N_
from app.web.client import wants_page
from app.web.forms import BaseForm
from app.web.navigation import sign_in_url
from app.web.posts import bodies
from app.web.posts.csrf import FIELD, may_be_from_this_site, signer
from app.web.urls import DRAFT, accepts_get, add_argument, split_url, this_page

SECONDS = 600


class Draft(msgspec.Struct):
    """The path of the page, what was typed, and the names of the files to choose again."""

    path: str
    pairs: list[tuple[str, str]]
    files: list[str]


def draft_key(person: int) -> str:
    """Where the last draft of a person is."""
    return f"gz:form:{person}"


def store_for_sign_in() -> Any:
    """Store the form of a member whose session has ended, and redirect to the sign-in page; None
    if nothing was stored."""
    person = signer()
    page = store(person) if person else ""
    return redirect(sign_in_url(next=page, why="stored"), 303) if page else None


def store_refused() -> Any:
    """Store a form whose token was refused, and redirect to its page, which shows it again, or says
    that somebody else is signed in now; None if nothing was stored."""
    person = signer()
    page = store(person) if person else ""
    return redirect(page, 303) if page else None


def store(person: int) -> str:
    """Store this form as the draft of its person; returns the URL of the page that shows it, or ''
    if it cannot be stored."""
    page = this_page()
    path = unquote(split_url(page).path)
    has_page = path == request.path or (path != "/" and not accepts_get(request.path))
    if not (has_page and wants_page() and may_be_from_this_site() and is_short_form()):
        return ""
    draft = Draft(
        path,
        [pair for pair in request.form.items(multi=True) if pair[0] not in fields_left_out()],
        [file.filename for file in request.files.values() if file.filename],
    )
    if not draft.pairs:
        return ""
    try:
        redis_store.client.set(draft_key(person), msgspec.json.encode(draft), ex=SECONDS)
    except RedisError:
        return ""
    return add_argument(page, DRAFT, str(person))


def is_short_form() -> bool:
    """True if the body is a form of a length that is known and not more than that of members."""
    length = request.content_length or 0
    if not (0 < length <= bodies.MEMBER_BYTES and bodies.is_form_or_empty()):
        return False
    bodies.set_limits(bodies.MEMBER_BYTES, bodies.MEMBER_PARTS)
    bodies.check_parts()
    return True


@cache
def fields_left_out() -> frozenset[str]:
    """The names of the fields that are never stored: the token, and all fields for passwords."""
    names, classes = {FIELD}, [BaseForm]
    while classes:
        form = classes.pop()
        classes += form.__subclasses__()
        names |= {
            name
            for name, field in vars(form).items()
            if issubclass(getattr(field, "field_class", object), PasswordField)
        }
    return frozenset(names)


def load_draft() -> None:
    """On the page of a draft, fill its form in, or say why there is none. Only the person whose id
    is in the URL can see it, and it is looked for under the id of the actor."""
    if DRAFT not in request.args or (person := actor().id) is None:
        return
    if request.args[DRAFT] != str(person):
        g.no_draft = N_(
            "You are signed in as %(name)s, and somebody else sent this form. Nothing was changed. "
            "Whoever sent it sees it here after signing in within ten minutes.",
            name=actor().name,
        )
        return
    g.no_draft = N_("The form you had sent is no longer stored.")
    try:
        text = redis_store.client.get(draft_key(person)) or ""
        draft = msgspec.json.decode(text, type=Draft)
    except (RedisError, msgspec.DecodeError):
        return
    if draft.path == request.path:
        g.draft, g.no_draft = draft, None
