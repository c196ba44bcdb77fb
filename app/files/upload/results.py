"""The results of an upload, stored in Redis for some minutes for the page after it, under a random
token in that page's address. They are not in the session: an upload takes minutes, and writing the
session at its end would undo what other pages wrote to it in the meantime."""

import json
import secrets
from typing import Any

from app.redis.client import redis_store

RESULT_MINUTES = 10
# How many files of an upload the page shows.
SHOWN = 100
NOTHING: dict[str, Any] = {"files": [], "more": 0}


def save(owner_id: int, files: list[dict[str, Any]]) -> str:
    """Store the results; returns the token."""
    token = secrets.token_urlsafe(16)
    results = {
        "owner": owner_id,
        # Refused files come first: they must not be among those that are left out.
        "files": sorted(files, key=lambda file: file["kept"])[:SHOWN],
        "more": max(0, len(files) - SHOWN),
    }
    redis_store.client.set(key_of(token), json.dumps(results), ex=60 * RESULT_MINUTES)
    return token


def load(owner_id: int, token: str) -> dict[str, Any]:
    """The results of this person's upload with that token; NOTHING for any other token."""
    found: Any = redis_store.client.get(key_of(token)) if token else None
    results = json.loads(found) if found else {}
    return results if results.pop("owner", None) == owner_id else NOTHING


def key_of(token: str) -> str:
    return f"gz:uploaded:{token}"
