"""What requests notice and /readyz warns of for ten minutes."""

import logging
import time
from contextlib import suppress

from flask import current_app
from redis.exceptions import RedisError

from app.health.rules import has_property
from app.redis.client import redis_store

log = logging.getLogger("gazetteer.proxy")

SECONDS = 600
REFUSAL_KEY = "gz:fault:database"
PROXY = "gazetteer-untrusted-proxy"


def note_refusal(number: int) -> None:
    """Store that the database refused a statement, for every process to report."""
    with suppress(RedisError):
        redis_store.client.set(REFUSAL_KEY, number, ex=SECONDS)


def last_refusal() -> int | None:
    """The database's number of the last refusal."""
    with suppress(RedisError, ValueError):
        return int(redis_store.client.get(REFUSAL_KEY) or 0) or None
    return None


def note_proxy(address: str) -> None:
    """Note a request that a proxy at this address passed on, while TRUSTED_PROXIES is 0, and log
    the first one of this process. Everybody then has the proxy's address, so the wrong passwords of
    one lock out all."""
    if not has_property(address, "is_private"):
        return
    if PROXY not in current_app.extensions:
        log.warning("a proxy sends X-Forwarded-For, but TRUSTED_PROXIES is 0: set it in .env")
    current_app.extensions[PROXY] = (time.monotonic(), address or "a unix socket")


def last_proxy() -> str | None:
    """The address of such a proxy."""
    when, address = current_app.extensions.get(PROXY, (-SECONDS, ""))
    return address if time.monotonic() - when < SECONDS else None
