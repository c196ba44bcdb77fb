"""The application, which shows the previous value however long a busy machine takes to compute, and
a view whose value takes until a test lets it go."""

import os
import time

from app.redis import cache, lock
from app.redis.client import redis_store

cache.PREVIOUS_SECONDS, cache.WAIT_SECONDS = 600, 60
# A busy machine may not renew a lock in time.
lock.LEASE_SECONDS = float(os.environ.get("LEASE_SECONDS", lock.LEASE_SECONDS))

from app.wsgi import app  # noqa: E402

__all__ = ["app"]


@app.get("/value")
def value() -> str:
    """The cached value. Redis has how often each process was asked, which one computes, and how
    often one did."""
    redis_store.client.hincrby("asked", str(os.getpid()))
    return cache.SharedCache("gz:test").get_or_compute("key", str, compute)


def compute() -> str:
    redis_store.client.set("computing", os.getpid())
    redis_store.client.incr("computed")
    while not redis_store.client.exists("go"):
        time.sleep(0.02)
    return "the value"
