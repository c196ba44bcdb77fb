"""The browsers that have signed in as somebody before, by a signed cookie of theirs.

The wrong attempts of such a browser are counted for it alone, so nobody else's can lock its person
out ("device cookies", OWASP). The cookie permits nothing else.
"""

import hmac
import re
import secrets
from dataclasses import dataclass

from app.current import mac
from app.times import day_number

DAYS = 365  # from the last sign-in
PEOPLE_PER_BROWSER = 5
SEPARATOR = "~"
ENTRY = re.compile(r"([0-9]{1,18})\.([0-9]{1,6})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22})")
COOKIE_LENGTH = 500  # five entries are shorter


@dataclass(frozen=True)
class Device:
    """A browser, under a random name, that signed in as a person on a day."""

    person_id: int
    day: int
    name: str

    def __str__(self) -> str:
        """The entry of the cookie."""
        signed = f"{self.person_id}.{self.day}.{self.name}"
        return f"{signed}.{mac('device', signed)[:22]}"


def read_devices(cookie: str) -> list[Device]:
    """The valid entries of a cookie, the latest sign-in first."""
    if len(cookie) > COOKIE_LENGTH:
        return []
    found = [read_device(entry) for entry in cookie.split(SEPARATOR)]
    return [device for device in found if device]


def read_device(entry: str) -> Device | None:
    """An entry, or None if we did not sign it or it is too old."""
    parts = ENTRY.fullmatch(entry)
    if parts is None:
        return None
    device = Device(int(parts[1]), int(parts[2]), parts[3])
    if not hmac.compare_digest(str(device), entry) or day_number() - device.day > DAYS:
        return None
    return device


def find_device(cookie: str, person_id: int) -> Device | None:
    """The browser that sends this cookie, if it has signed in as this person."""
    return next((each for each in read_devices(cookie) if each.person_id == person_id), None)


def add_device(cookie: str, person_id: int) -> str:
    """The cookie after a sign-in as this person. A known browser has its name, and so its count of
    wrong attempts, for ever."""
    known = find_device(cookie, person_id)
    name = known.name if known else secrets.token_urlsafe(12)
    others = [each for each in read_devices(cookie) if each.person_id != person_id]
    latest = [Device(person_id, day_number(), name), *others[: PEOPLE_PER_BROWSER - 1]]
    return SEPARATOR.join(map(str, latest))
