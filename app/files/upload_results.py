"""What became of an upload, kept for the page after it: in Redis for some minutes, under a random
token that stands in the page's address. The session is no place for it: an upload takes minutes,
and a session written at its end would undo what other pages wrote to it meanwhile."""

import json
import secrets
from typing import Any

from app.redis.client import redis_store

KEPT_MINUTES = 10
# How much of an upload the page can show.
SHOWN = 100
NOTHING: dict[str, Any] = {"files": [], "more": 0}


def remember(owner_id: int, files: list[dict[str, Any]]) -> str:
    """Keep it for the page; returns the token."""
    token = secrets.token_urlsafe(16)
    kept = {
        "owner": owner_id,
        # What was refused comes first: it must not be among what is left out.
        "files": sorted(files, key=lambda file: file["kept"])[:SHOWN],
        "more": max(0, len(files) - SHOWN),
    }
    redis_store.client.set(_key(token), json.dumps(kept), ex=60 * KEPT_MINUTES)
    return token


def recall(owner_id: int, token: str) -> dict[str, Any]:
    """What this person's upload of that token came to; NOTHING for any other token."""
    found: Any = redis_store.client.get(_key(token)) if token else None
    kept = json.loads(found) if found else {}
    if kept.get("owner") != owner_id:
        return NOTHING
    return {"files": kept["files"], "more": kept["more"]}


def _key(token: str) -> str:
    return f"gz:uploaded:{token}"
