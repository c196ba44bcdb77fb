"""The results of an upload, stored in Redis for some minutes for the page after it, under a random
token in that page's address. They are not in the session: an upload takes minutes, and writing the
session at its end would undo what other pages wrote to it in the meantime."""

import secrets
from typing import Annotated, Any

import msgspec

from app.redis import unsent
from app.redis.client import redis_store
from app.redis.scripts import Call

RESULT_MINUTES = 10
# How many files of an upload the page shows.
SHOWN = 100
SAVE = 'ask("SET", KEYS[1], ARGV[1], "EX", ARGV[2])'

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class ShownFile(msgspec.Struct):
    """What the page shows of a file."""

    path: str
    kept: bool
    problem: str = ""
    id: Count = 0
    sha256: str = ""
    size: Count = 0
    notes: list[str] = msgspec.field(default_factory=list)


class Results(msgspec.Struct):
    """The files of one upload, of which `more` are not shown."""

    owner: int
    files: list[ShownFile]
    more: Count


def save(owner_id: int, files: list[dict[str, Any]]) -> str:
    """Store the results, in the trip that sends what the upload has changed; returns the token."""
    token = secrets.token_urlsafe(16)
    # Refused files come first: they must not be among those that are left out.
    shown = sorted(msgspec.convert(files, list[ShownFile]), key=lambda file: file.kept)[:SHOWN]
    results = Results(owner_id, shown, max(0, len(files) - SHOWN))
    unsent.send(Call(SAVE, [key_of(token)], [msgspec.json.encode(results), 60 * RESULT_MINUTES]))
    return token


def load(owner_id: int, token: str) -> Results:
    """The results of this person's upload with that token; none for any other token, or if another
    release stored them in a form that this one does not know."""
    nothing = Results(owner_id, [], 0)
    found: Any = redis_store.client.get(key_of(token)) if token else None
    try:
        results = msgspec.json.decode(found or "", type=Results)
    except msgspec.DecodeError:
        return nothing
    return results if results.owner == owner_id else nothing


def key_of(token: str) -> str:
    return f"gz:uploaded:{token}"
