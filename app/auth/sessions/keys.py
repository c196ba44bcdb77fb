"""The keys of a session in Redis. A store id is the key of the session itself."""

import hashlib

from app.redis.client import PERSON_PREFIX

EPOCH_PREFIX = "gz:epoch:"


def sessions_key(person_id: int) -> str:
    """The store ids of a person's sessions, by when they were last used, to the minute. Those that
    ended are among them until they would have expired."""
    return f"{PERSON_PREFIX}{person_id}:sessions"


def session_key(sid: str) -> str:
    """The Redis key of a session id."""
    return f"gz:session:{hashlib.sha256(sid.encode()).hexdigest()}"


def requests_key(store_id: str) -> str:
    """Where the requests of a session are counted."""
    return f"{store_id}:requests"


def values_key(store_id: str) -> str:
    """The hash of the values that the person stored in the session."""
    return f"{store_id}:values"


def all_keys(store_id: str) -> list[str]:
    """The session, its counter of requests, the time when it was last extended (for a minute), and
    its values."""
    return [store_id, requests_key(store_id), f"{store_id}:seen", values_key(store_id)]
