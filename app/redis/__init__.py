"""Redis: client with circuit breaker, shared cache, lock, rate limits."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.redis import unsent
    from app.redis.client import redis_store

    redis_store.init_app(app)
    unsent.init_app(app)
