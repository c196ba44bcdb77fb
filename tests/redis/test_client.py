"""What each kind of error of Redis leads to, with the time-outs of production."""

import threading
import time

import pytest
from redis import Redis
from redis.connection import AbstractConnection
from redis.exceptions import (
    AuthenticationError,
    DataError,
    MaxConnectionsError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.redis import breaker, rate_limit
from app.redis.cache import SharedCache
from app.redis.client import redis_store
from app.redis.failures import ErrorKind, classify
from app.redis.lock import Lock
from tests import servers
from tests.conftest import need
from tests.factories import (
    HTML,
    PASSWORD,
    Browser,
    add_person,
    at_once,
    note_calls,
    run_command,
)
from tests.redis.test_lock import acquire

# Answers nothing for that many milliseconds, as a long script of another program does.
BUSY = """
local function now() local t = redis.call("TIME") return t[1] * 1000 + t[2] / 1000 end
local till = now() + ARGV[1]
while now() < till do end
"""


@pytest.fixture
def own_redis():
    need(servers.REDIS, "redis-server or valkey-server")
    with servers.short_folder("slow") as folder, servers.redis_server(folder) as url:
        yield url


@pytest.fixture
def operator(own_redis):
    """Somebody else's connection to the same Redis."""
    with Redis.from_url(own_redis, decode_responses=True) as client:
        yield client


@pytest.fixture
def own_app(make_app, own_redis):
    app = make_app(REDIS_URL=own_redis)
    with app.app_context():
        add_person("viewer")
    return app


@pytest.fixture
def client(own_app):
    return own_app.extensions["redis"]


def lines(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "gazetteer.redis"]


def test_one_slow_answer_of_redis_does_not_stop_the_next_call(client, operator, caplog):
    operator.client_pause(10_000, all=False)  # writes wait
    with pytest.raises(RedisTimeoutError):
        client.set("key", "1")
    operator.client_unpause()
    assert client.set("key", "2")
    first, second = lines(caplog)
    assert first.startswith("Redis does not answer: TimeoutError")
    assert second.startswith("Redis answers again after")


def test_many_slow_answers_at_once_are_one_failure(own_app, client, operator, caplog):
    operator.client_pause(10_000, all=False)

    def write():
        with pytest.raises(RedisTimeoutError):
            client.set("key", "1")

    at_once(own_app, *[write] * 10)
    operator.client_unpause()
    assert client.set("key", "2")
    assert len(lines(caplog)) == 2


def test_after_the_second_failure_one_call_in_a_while_asks_redis(
    client, operator, caplog, monkeypatch
):
    monkeypatch.setattr(breaker, "PROBE_SECONDS", 60)

    def error():
        with pytest.raises(RedisError) as raised:
            client.set("key", "1")
        return type(raised.value)

    operator.client_pause(60_000, all=False)
    assert [error() for _ in range(4)] == [RedisTimeoutError] * 3 + [RedisConnectionError]
    client.breaker.next_probe = 0.0  # as after a while
    assert [error() for _ in range(2)] == [RedisTimeoutError, RedisConnectionError]
    operator.client_unpause()
    assert error() is RedisConnectionError
    client.breaker.next_probe = 0.0
    assert [client.set("key", "2") for _ in range(2)] == [True, True]
    assert len(lines(caplog)) == 2


@pytest.mark.parametrize("milliseconds", [1000, 1500])
def test_a_hiccup_costs_at_most_its_own_length(own_app, own_redis, caplog, milliseconds):
    """One script blocks Redis; pages are asked for all the while."""
    browser = Browser(own_app)
    browser.sign_in("viewer")
    with Redis.from_url(own_redis) as other:
        script = threading.Thread(target=lambda: other.eval(BUSY, 0, milliseconds))
        script.start()
        statuses = []
        while script.is_alive():
            statuses.append(browser.get("/account").status_code)
            time.sleep(0.01)
        script.join()
    assert 503 in statuses
    assert browser.get("/account").status_code == 200
    assert len(lines(caplog)) == 2


def test_a_refused_connection_is_absence(make_app, caplog):
    with make_app(REDIS_URL="unix:///nowhere/redis.sock").app_context():
        for _ in range(5):
            with pytest.raises(RedisConnectionError):
                redis_store.client.get("key")
    (line,) = lines(caplog)
    assert line.startswith("Redis does not answer: ConnectionError: Error 2 connecting")


def is_full(operator):
    operator.config_set("maxmemory", "1mb")


def is_replica(operator):
    operator.replicaof("127.0.0.1", "1")


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (is_full, "command not allowed when used memory > 'maxmemory'."),
        (is_replica, "You can't write against a read only replica."),
    ],
)
def test_a_refusal_is_logged_once_in_the_words_of_redis(own_app, operator, caplog, happens, words):
    """Who is signed in goes on reading; what needs a write is 503; /readyz warns."""
    reader, other = Browser(own_app), Browser(own_app)
    reader.sign_in("viewer")
    other.get("/numbers")
    happens(operator)
    for _ in range(3):
        assert reader.get("/cities").status_code == 200
        assert other.get("/numbers?pi=20000").status_code == 200
        answer = reader.submit("/session/set", {"key": "a", "value": "b"}, page="/session")
        assert answer.status_code == 503
    (line,) = lines(caplog)
    assert line.startswith("Redis refuses: ")
    assert line.endswith(words)
    ready = other.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json["checks"]["redis"].startswith("warning: Redis refused within ten minutes: ")
    assert words in ready.json["checks"]["redis"]


@pytest.mark.parametrize("happens", [is_full, is_replica])
def test_a_redis_that_refuses_changes_shows_nothing_that_it_has_cached(own_app, operator, happens):
    """Another process has made a change that it could not send."""
    cache, values = SharedCache("gz:test"), iter(["before", "after"])

    def ask():
        with own_app.app_context():
            return cache.get_or_compute("key", str, lambda: next(values))

    assert [ask(), ask()] == ["before", "before"]
    happens(operator)
    assert ask() == "after"


def test_a_command_reports_a_refusal_in_the_words_of_redis(make_app, own_redis, operator):
    operator.config_set("requirepass", "secret word")
    app = make_app(commands=True, REDIS_URL=own_redis)
    with app.app_context():
        add_person("viewer")
    done = run_command(app, "unlock", "viewer")
    assert done.exit_code == 1
    assert done.output.startswith("Error: Redis refuses: AuthenticationError: ")


def test_a_refused_password_is_not_absence(make_app, own_redis, operator, caplog):
    operator.config_set("requirepass", "secret word")
    app = make_app(REDIS_URL=own_redis)
    with app.app_context():
        add_person("viewer")
    for _ in range(3):
        answer = Browser(app).submit("/login", {"name": "viewer", "password": PASSWORD})
        assert answer.status_code == 503
    (line,) = lines(caplog)
    assert line.startswith("Redis refuses: AuthenticationError: ")
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["redis"].startswith("Redis refuses: AuthenticationError: ")
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (AuthenticationError("invalid username-password pair"), ErrorKind.REFUSED),
        (MaxConnectionsError("Too many connections"), ErrorKind.REFUSED),
        (ResponseError("MISCONF Redis is configured to save RDB snapshots"), ErrorKind.REFUSED),
        (ResponseError("NOREPLICAS Not enough good replicas to write."), ErrorKind.REFUSED),
        (ResponseError("LOADING Redis is loading the dataset in memory"), ErrorKind.ABSENCE),
        (ResponseError("WRONGTYPE Operation against a key"), ErrorKind.WRONG_TYPE),
        (ResponseError("value is not an integer or out of range"), ErrorKind.WRONG_TYPE),
        (ResponseError("wrong number of arguments"), ErrorKind.FAULT),
        (DataError("Invalid input of type: 'NoneType'."), ErrorKind.FAULT),
        (RedisConnectionError("Connection closed by server."), ErrorKind.ABSENCE),
        (RedisTimeoutError("Timeout reading from socket"), ErrorKind.ABSENCE),
    ],
)
def test_the_kind_of_an_error(error, kind):
    assert classify(error) is kind


def test_an_exhausted_pool_is_no_answer(client, monkeypatch):
    """While Redis hangs, calls that find no connection do not close the circuit breaker."""
    monkeypatch.setattr(breaker, "PROBE_SECONDS", 60)
    for error in (RedisTimeoutError, RedisTimeoutError, MaxConnectionsError):

        def ask(error=error):
            raise error

        client.breaker.next_probe = 0.0
        with pytest.raises(error):
            client.breaker.call(ask)
    assert client.breaker.open


def test_a_long_script_is_absence(own_app, client, operator, own_redis):
    operator.config_set("busy-reply-threshold", 1)
    with Redis.from_url(own_redis) as other:
        script = threading.Thread(target=lambda: other.eval(BUSY, 0, 600))
        script.start()
        kinds = set()
        while script.is_alive():
            try:
                client.get("key")
            except RedisError as error:
                kinds.add(classify(error))
        script.join()
    assert kinds == {ErrorKind.ABSENCE}


WRONG = {
    "string": lambda kept, key: kept.set(key, "text"),
    "hash": lambda kept, key: kept.hset(key, "field", "text"),
    "list": lambda kept, key: kept.rpush(key, "a"),
    "set": lambda kept, key: kept.sadd(key, "a"),
    "sorted set": lambda kept, key: kept.zadd(key, {"a": 1}),
    "stream": lambda kept, key: kept.xadd(key, {"a": "b"}),
}


@pytest.mark.parametrize("kind", WRONG)
def test_commands_and_scripts_take_a_value_of_another_type_as_absent(app, kind, caplog):
    kept = app.extensions["redis"]
    with app.app_context():
        limit = rate_limit.Limit(1, "somebody with \N{LATIN SMALL LETTER E WITH ACUTE}")
        WRONG[kind](kept, limit.redis_key)
        assert rate_limit.hit(limit).seconds == 0
        assert rate_limit.hit(limit).seconds > 0
        WRONG[kind](kept, "gz:lock:work")
        assert acquire(Lock("gz:lock:work"))
        WRONG[kind](kept, "gz:hash")
        if kind != "hash":
            assert kept.hget("gz:hash", "field") is None
    assert all("another type" in line and "somebody" not in line for line in lines(caplog))
    assert ("gz:rate" in caplog.text) is (kind != "sorted set")


def test_values_that_are_not_ours_are_not_deleted(app, caplog):
    kept = app.extensions["redis"]
    kept.set("pis", "text")
    with pytest.raises(RedisError):
        kept.hget("pis", "1")
    assert kept.get("pis") == "text"


def test_a_figure_is_computed_whatever_is_in_its_place(app, browser):
    kept = app.extensions["redis"]
    for name in ("pis", "fibs"):
        kept.set(name, "text")
    assert browser.client.get("/pi/1000").json["result"] == 3.14063710098594
    assert browser.client.get("/fib/93", headers=HTML).json["result"] == 12200160415121876738
    assert kept.get("pis") == "text"


def test_a_connection_is_used_again_until_redis_closes_it(
    own_app, client, operator, caplog, monkeypatch
):
    """redis-py itself is asked only if something has arrived: its answer lets others run."""
    asked = note_calls(monkeypatch, AbstractConnection, "can_read")
    number = client.client_id()
    assert [client.client_id() for _time in range(3)] == [number] * 3
    assert asked == []
    operator.client_kill_filter(_id=number)
    assert client.client_id() != number
    assert len(asked) > 0
    assert lines(caplog) == []


def test_an_answer_that_nobody_read_is_not_that_of_the_next_command(client):
    client.set("key", "left over")
    [connection] = client.connection_pool._available_connections
    connection.send_command("GET", "key")
    servers.wait_until(connection.can_read, "it answers")
    assert client.echo("mine") == "mine"
