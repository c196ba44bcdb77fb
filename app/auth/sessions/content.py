"""What a session contains: JSON of the shape that its readers expect."""

from typing import Annotated, Any

import msgspec

from app.actor import NO_PREFERENCES, Preferences, Role

# A client that sends forms and never opens a page reads none of the notices for its next page.
FLASHES = "_flashes"  # where flask.flash() puts them
FLASHES_MAX = 5


class Shape(msgspec.Struct):
    """What pages find in every session, if it is there at all."""

    csrf_token: str = ""
    writer: str = ""
    flashes: list[tuple[str, str | dict[str, str]]] = msgspec.field(
        name=FLASHES, default_factory=list
    )


class SignedIn(msgspec.Struct):
    """What a session contains about its person, and where they signed in."""

    person: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    name: str
    role: Role
    epoch: int
    since: Annotated[float, msgspec.Meta(ge=0, lt=1e11)]
    must_change: bool = False
    browser: str = ""
    system: str = ""
    network: str = ""


def decode(text: str | None) -> dict[str, Any] | None:
    """The data of a session's text, or None if the text is not a session."""
    if text is None:
        return None
    try:
        data = msgspec.json.decode(text, type=dict[str, Any])
        msgspec.convert(data, Shape)
    except msgspec.DecodeError:
        return None
    return data


def read_person(data: dict[str, Any]) -> SignedIn | None:
    """What data of a session says about its person, or None if another release or something else
    wrote it."""
    try:
        return msgspec.convert(data, SignedIn)
    except msgspec.ValidationError:
        return None


def write_preferences(preferences: Preferences) -> str:
    """Preferences as Redis has them."""
    return msgspec.json.encode(preferences).decode()


def read_preferences(text: str) -> Preferences:
    """Those that Redis has; none if another release or something else wrote them."""
    try:
        return msgspec.json.decode(text, type=Preferences)
    except msgspec.DecodeError:
        return NO_PREFERENCES
