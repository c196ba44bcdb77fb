"""The Redis client of the application, with its time-outs and circuit breaker."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from flask import Flask, current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry


class BreakerRetry(Retry):
    """Retries a refused connection once and a time-out never. After a failure the circuit breaker
    is open for a second: every call of this process fails at once, so that a page answers 503
    quickly however often it would ask Redis."""

    OPEN_SECONDS = 1.0

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 1, (RedisConnectionError,))
        self.open_until = 0.0

    def __deepcopy__(self, _memo: object) -> "BreakerRetry":
        return self  # redis-py copies it for each connection; they all have to share its state

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
    """Access to the Redis of the current application; commands take and return text."""

    def init_app(self, app: Flask) -> None:
        """Create the application's client. Connections open at the first command."""
        settings = app.config["SETTINGS"]
        seconds = settings.redis_timeout_ms / 1000
        app.extensions["redis"] = Redis.from_url(
            settings.redis_url,
            decode_responses=True,
            encoding_errors="replace",  # what another program wrote may not be UTF-8
            max_connections=1000,  # as many as a worker answers at once; the default is 100
            socket_connect_timeout=seconds,
            socket_timeout=seconds,
            retry=BreakerRetry(),
        )
        app.extensions["redis-scripts"] = {}

    @property
    def client(self) -> Redis:
        """The client of the current application."""
        client: Redis = current_app.extensions["redis"]
        return client

    def script(self, text: str) -> Script:
        """A Lua script, to be called with `keys` and `args`. It is registered once per
        application, and Redis gets its text only if it does not know it yet."""
        scripts: dict[str, Script] = current_app.extensions["redis-scripts"]
        if text not in scripts:
            scripts[text] = self.client.register_script(text)
        return scripts[text]


redis_store = RedisStore()
