"""The application, which shows the previous value however long a busy machine takes to compute, and
views whose values take until a test lets them go."""

import os
import time

from flask import request

from app.redis import cache, flight, lock
from app.redis.client import redis_store

cache.PREVIOUS_SECONDS, cache.WAIT_SECONDS, flight.search_turns.seconds = 600, 60, 60
# A busy machine may not renew a lock in time.
lock.LEASE_SECONDS = float(os.environ.get("LEASE_SECONDS", lock.LEASE_SECONDS))

from app.wsgi import app  # noqa: E402

__all__ = ["app"]

values = cache.SharedCache("gz:test")


@app.get("/value/<key>")
def value(key: str) -> str:
    """The cached value; `search` is true if it takes turns as searches do. Redis has how often each
    process was asked, which one computes, and how often one did."""
    redis_store.client.hincrby("asked", str(os.getpid()))
    return values.get_or_compute(key, str, compute, is_search="search" in request.args)


def compute() -> str:
    redis_store.client.set("computing", os.getpid())
    redis_store.client.incr("computed")
    while not redis_store.client.exists("go"):
        time.sleep(0.02)
    return "the value"
