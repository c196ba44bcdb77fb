"""Signing in: the password, the limits on guessing, and the new session."""

import time
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from limits import parse

from app.auth import services
from app.auth.models import Person
from app.errors import Invalid, TooMany
from app.extensions import limiter

# OWASP ASVS 6.3.1: per name and address, and per address over all names. No name is ever locked
# for other addresses, so nobody can shut a colleague out.
WRONG_PER_NAME = parse("5 per minute")
WRONG_PER_ADDRESS = parse("20 per minute")


def sign_in(name: str, password: str, address: str) -> Person:
    """The person, or `Invalid` (never saying which half was wrong), or `TooMany`.

    A try is counted before the password is looked at, so that many at once are not more tries;
    a right one is taken back.
    """
    counted = [
        (WRONG_PER_NAME, ("sign-in", services.fold_name(name), address)),
        (WRONG_PER_ADDRESS, ("sign-in", address)),
    ]
    for limit, key in counted:
        if not limiter.limiter.hit(limit, *key):
            reset = limiter.limiter.get_window_stats(limit, *key).reset_time
            text = _("Too many wrong tries. Wait a minute, then try again.")
            raise TooMany(text, int(reset - time.time()) + 1)
    person = services.verify(name, password)
    if person is None:
        raise Invalid(_("Name and password do not match."))
    for limit, key in counted:
        limiter.limiter.hit(limit, *key, cost=-1)
    services.note_sign_in(person.id)
    return person


def start_session(session: Any, person: Person, since: float) -> None:
    """Begin a session under a new id, so that one planted before the sign-in is worth nothing.
    `since` (Unix time in seconds) begins its absolute life."""
    session.clear()
    session["person"] = person.id
    session["name"] = person.name
    session["role"] = str(person.role)
    session["epoch"] = person.epoch
    session["must_change"] = person.must_change_password
    session["since"] = since
    current_app.session_interface.regenerate(session)  # type: ignore[attr-defined]


def change_password(person_id: int, current: str, password: str, address: str) -> None:
    """Change one's own password; a wrong present one counts as a wrong sign-in."""
    name = services.get_person(person_id).name
    try:
        sign_in(name, current, address)
    except Invalid:
        raise Invalid(fields={"current": _("This is not your present password.")}) from None
    services.set_password(person_id, password, must_change=False)
