"""The Redis client of the application, with its time-outs, circuit breaker and scripts."""

from functools import partial
from typing import Any

from flask import Flask, current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.connection import AbstractConnection
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from app.concurrency import has_input
from app.redis.breaker import Breaker, log
from app.redis.failures import NOT_SENT, WRONG_TYPE, ErrorKind, classify

PREFIX = "gz:"  # of all keys that are ours alone
# Of the hash of what Redis knows about a person: epoch, preferences (app/auth/sessions/epochs.py)
# and last change (app/redis/changes.py). It expires so many seconds after it was last written.
PERSON_PREFIX, PERSON_SECONDS = f"{PREFIX}person:", 86_400
MOST_WRONG = 10  # more keys than any script has
DELETED = "deleted a value of another type"
WORDS = "{" + ", ".join(f'"{words}"' for words in WRONG_TYPE) + "}"

# Before each script: `ask` is redis.call, and `try` is redis.pcall, whose second result is the
# error. A value of ours that the command cannot use counts as absent: it is deleted, and the script
# is run again by SharedRedis.
PRELUDE = f"""
local function try(command, key, ...)
  local answer = redis.pcall(command, key, ...)
  local problem = type(answer) == "table" and answer.err
  if problem and string.sub(key, 1, 3) == "{PREFIX}" then
    for _, words in ipairs({WORDS}) do
      if string.find(problem, words, 1, true) then
        redis.call("DEL", key)
        error("{DELETED} under " .. string.match(key, "^{PREFIX}[a-z]*"))
      end
    end
  end
  return answer, problem
end
local function ask(command, key, ...)
  local answer, problem = try(command, key, ...)
  if problem then return redis.call(command, key, ...) end
  return answer
end
"""


class SharedRedis(Redis):
    """The client of a process. A value of ours that has another type than the command needs counts
    as absent: it is deleted with a warning, and the command is repeated."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.breaker = Breaker()

    def execute_command(self, *args: Any, **options: Any) -> Any:
        call = partial(self.breaker.call, partial(super().execute_command, *args, **options))
        for _key in range(MOST_WRONG):
            try:
                return call()
            except ResponseError as error:
                if not self.has_deleted(error, args):
                    raise
        return call()

    def has_deleted(self, error: ResponseError, args: tuple[Any, ...]) -> bool:
        """Delete the value whose type the error is about. False if it is about something else, or
        if the value is not ours to delete."""
        if DELETED in str(error):
            key = str(error).partition(f"{DELETED} under ")[2].partition(" ")[0]
        elif classify(error) is ErrorKind.WRONG_TYPE and str(args[1]).startswith(PREFIX):
            self.breaker.call(partial(super().execute_command, "DEL", args[1]))
            key = ":".join(str(args[1]).split(":")[:2])
        else:
            return False
        log.warning("Redis: %s under %s", DELETED, key)
        return True


class CheckedConnection(AbstractConnection):
    """A connection that is mostly idle when the pool asks, before each use, whether Redis has
    closed it. redis-py would ask with gevent's poll."""

    def connect(self) -> None:
        """Called by the pool before each use too. An error says that nothing was sent."""
        try:
            super().connect()  # type: ignore[no-untyped-call]
        except RedisError as error:
            error.add_note(NOT_SENT)
            raise

    def read_response(self, *args: Any, disconnect_on_error: bool = True, **options: Any) -> Any:
        """Read the answer, even after the time-out if it has arrived: then this process was busy,
        and Redis was in time."""
        try:
            while True:
                try:
                    return super().read_response(*args, disconnect_on_error=False, **options)
                except RedisTimeoutError:
                    connected: Any = self._sock
                    if not has_input(connected):
                        raise
        except ResponseError:
            raise
        except BaseException:
            if disconnect_on_error:
                self.disconnect()  # type: ignore[no-untyped-call]
            raise

    def can_read(self, timeout: float = 0) -> bool:
        connected: Any = self._sock
        if connected and not timeout and not has_input(connected):
            return False
        return bool(super().can_read(timeout))


def another_client(client: Redis) -> Redis:
    """A client of the same Redis with connections of its own, for another thread of the system."""
    pool = client.connection_pool
    options = {"connection_class": pool.connection_class, **pool.connection_kwargs}
    return Redis.from_pool(type(pool)(**options))


class RedisStore:
    """Access to the Redis of the current application; commands take and return text."""

    def init_app(self, app: Flask) -> None:
        """Create the application's client. Connections open at the first command."""
        settings = app.config["SETTINGS"]
        seconds = settings.redis_timeout_ms / 1000
        client = app.extensions["redis"] = SharedRedis.from_url(
            settings.redis_url,
            decode_responses=True,
            encoding_errors="replace",  # what another program wrote may not be UTF-8
            max_connections=1000,  # as many as a worker answers at once; the default is 100
            socket_connect_timeout=seconds,
            socket_timeout=seconds,
            # A refused connection only: a command whose answer was lost may have been carried out.
            retry=Retry(NoBackoff(), 1, (ConnectionRefusedError,)),
        )
        pool = client.connection_pool
        # That of the URL: over TCP, TLS or a unix socket.
        pool.connection_class = type("Checked", (CheckedConnection, pool.connection_class), {})
        app.extensions["redis-scripts"] = {}

    @property
    def client(self) -> SharedRedis:
        client: SharedRedis = current_app.extensions["redis"]
        return client

    def script(self, text: str) -> Script:
        """A Lua script, to be called with `keys` and `args`; it may use `ask` and `try`. It is
        registered once per application, and Redis gets its text only if it does not know it yet."""
        scripts: dict[str, Script] = current_app.extensions["redis-scripts"]
        if text not in scripts:
            scripts[text] = self.client.register_script(PRELUDE + text)
        return scripts[text]


redis_store = RedisStore()
