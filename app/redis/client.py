"""The Redis client of the application, with its time-outs and circuit breaker."""

import re
from collections.abc import Callable
from time import monotonic
from typing import Any

from flask import Flask, current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry


class BreakerRetry(Retry):
    """One retry for a refused connection, none for a time-out; after a failure every call fails at
    once for a second, so that a page answers 503 quickly however often it would ask Redis.

    The open-until time is a fact about this process's own connections, not shared state.
    """

    OPEN_SECONDS = 1.0

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 1, (RedisConnectionError,))
        self.open_until = 0.0

    def __deepcopy__(self, _memo: object) -> "BreakerRetry":
        return self  # redis-py copies it for each connection; all must see the same state

    def call_with_retry(
        self, do: Callable[[], Any], fail: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        if monotonic() < self.open_until:
            raise RedisConnectionError("Redis did not answer a moment ago")
        try:
            return super().call_with_retry(do, fail, *args, **kwargs)
        except (RedisConnectionError, RedisTimeoutError):
            self.open_until = monotonic() + self.OPEN_SECONDS
            raise


class RedisStore:
    """The application's Redis client: `redis_store.client`, text in and out."""

    def init_app(self, app: Flask) -> None:
        url = app.config["SETTINGS"].redis_url
        seconds = app.config["SETTINGS"].redis_timeout_ms / 1000
        client = Redis.from_url(
            url,
            decode_responses=True,
            encoding_errors="replace",  # what another program wrote may not be UTF-8
            max_connections=1000,  # as many as a worker answers at once; the default is 100
            socket_connect_timeout=seconds,
            socket_timeout=seconds,
            retry=BreakerRetry(),
        )
        app.extensions["redis"] = client
        # Flask-Limiter counts over the same connections, with the same time-outs.
        app.config["RATELIMIT_STORAGE_URI"] = re.sub(r"^unix:", "redis+unix:", url)
        app.config["RATELIMIT_STORAGE_OPTIONS"] = {"connection_pool": client.connection_pool}

    @property
    def client(self) -> "Redis":
        """The client of the current application; connections open at the first command."""
        client: Redis = current_app.extensions["redis"]
        return client


redis_store = RedisStore()
