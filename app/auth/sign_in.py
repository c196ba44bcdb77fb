"""Signing in: the password, the limits on guessing, and the new session."""

import hashlib
import time
from typing import Any

from flask import current_app, g
from flask_babel import gettext as _

from app.actor import ANONYMOUS
from app.auth import services
from app.auth.models import Person
from app.errors import Invalid, TooMany, Unauthorized
from app.redis import rate_limit
from app.redis.rate_limit import Limit

# OWASP ASVS 6.3.1: wrong tries a minute for one name from one address, and for one address over
# all names. No name is ever locked for other addresses, so nobody can shut a colleague out.
WRONG_PER_NAME = 5
WRONG_PER_ADDRESS = 20


def count(*limits: Limit) -> str:
    """Count a try under each key and return its name, or raise `TooMany` with the seconds to
    wait."""
    name, seconds = rate_limit.hit(*limits)
    if seconds:
        raise TooMany(_("Too many wrong tries. Wait a minute, then try again."), seconds)
    return name


def count_wrong(what: str, address: str) -> None:
    """Count a wrong token or set-up link. Nobody guesses one, but nobody may ask for ever."""
    count(Limit(WRONG_PER_ADDRESS, f"{what}:{address}"))


def check_credentials(name: str, password: str, address: str) -> Person:
    """The person, or `Invalid` (never saying which half was wrong), or `TooMany`.

    A try is counted before the password is looked at, so that many at once are not more tries;
    a right one is taken back.
    """
    # Hashed, because people type their password into the field for the name now and then.
    digest = hashlib.sha256(services.fold_name(name).encode()).hexdigest()
    limits = (
        Limit(WRONG_PER_NAME, f"sign-in:{digest}:{address}"),
        Limit(WRONG_PER_ADDRESS, f"sign-in:{address}"),
    )
    counted = count(*limits)
    person = services.verify(name, password)
    if person is None:
        raise Invalid(_("Name and password do not match."))
    rate_limit.give_back(counted, *limits)
    return person


def sign_in(name: str, password: str, address: str) -> Person:
    """The person who may come in now; errors as `check_credentials`, and `Invalid` for a first
    password that was not used in time (only somebody who knows it is told so)."""
    person = check_credentials(name, password, address)
    if person.password_ended():
        raise Invalid(_("This first password has expired. Ask an administrator for a new one."))
    services.note_sign_in(person.id)
    return person


def start_session(session: Any, person: Person, epoch: int | None = None) -> None:
    """Begin a session under a new id, so that one planted before the sign-in is worth nothing.

    `epoch` is that of the password which was just chosen: the person's session goes on. Should
    they have been disabled between that and now, it is already over; had they signed out
    meanwhile, it stays over (`Unauthorized`).
    """
    session.clear()
    session["person"] = person.id
    session["name"] = person.name
    session["role"] = str(person.role)
    session["epoch"] = epoch or person.epoch
    session["must_change"] = person.must_change_password
    session["since"] = time.time()  # where its absolute life begins
    interface: Any = current_app.session_interface
    if not interface.regenerate(session, goes_on=epoch is not None):
        g.actor = ANONYMOUS
        text = _("Your password is changed. This session was ended meanwhile: please sign in.")
        raise Unauthorized(text)


def change_password(person_id: int, current: str, password: str, address: str) -> int:
    """Change one's own password and return the new epoch; a wrong present one counts as a wrong
    sign-in."""
    person = services.get_person(person_id)
    handed_out = person.must_change_password
    try:
        check_credentials(person.name, current, address)
    except Invalid:
        raise Invalid(fields={"current": _("This is not your current password.")}) from None
    if handed_out and current == password:  # an administrator has seen it
        raise Invalid(fields={"password": _("Choose a password other than the current one.")})
    return services.set_password(person_id, password)
