"""One does the work and the others get its result, in one process and in several."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from app.errors import ClientGone, Unavailable
from app.redis import flight as flights
from app.redis import lock as locks
from app.redis.client import redis_store
from app.redis.flight import Flight, Turns, current
from app.redis.lock import Lock
from tests import servers
from tests.redis.test_lock import KEY, acquire, find


@pytest.fixture
def app(make_app):
    """On a loaded machine Redis may answer later than pages wait for it."""
    return make_app(REDIS_TIMEOUT_MS="10000")


@pytest.fixture
def client(app, monkeypatch):
    """No lock expires by itself."""
    monkeypatch.setattr(locks, "LEASE_SECONDS", 60)
    with app.app_context():
        yield redis_store.client


def work(seconds=60.0, compute=lambda: None):
    """The result, or None if this one has computed it."""
    with Flight(KEY, seconds) as flight:
        found = flight.find(partial(find, flight.lock))
        if found is None:
            compute()
        return found


def test_an_expired_lock_is_taken_over(client):
    dead = Lock(KEY)
    acquire(dead)
    client.pexpire(KEY, 200)
    assert work() is None
    assert not client.exists(KEY)


def test_a_waiter_gets_the_result_of_the_holder(app, client):
    holder = Lock(KEY)
    acquire(holder)

    def wait():
        with app.app_context():
            return work()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        before = client.info("stats")["total_commands_processed"]
        servers.wait_until(
            lambda: client.info("stats")["total_commands_processed"] > before + 20,
            "it asks again and again",
        )
        assert not waiting.done()
        client.set("result", "42")
        assert waiting.result(60) == "42"
    assert client.get(KEY) == holder.token


def test_waiting_ends(client):
    acquire(Lock(KEY))
    with pytest.raises(Unavailable) as refusal:
        work(0.2)
    assert refusal.value.headers["Retry-After"] == "2"


def test_of_many_at_once_one_does_the_work(app, client):
    started, done = threading.Barrier(6), []

    def compute():
        done.append(1)
        time.sleep(0.05)
        redis_store.client.set("result", "42")

    def one():
        with app.app_context():
            started.wait(60)
            return work(compute=compute)

    with ThreadPoolExecutor(6) as pool:
        results = [each.result() for each in [pool.submit(one) for _ in range(6)]]
    assert sorted(map(str, results)) == ["42"] * 5 + ["None"]
    assert len(done) == 1


def test_of_those_who_wait_in_one_process_one_asks_redis(app, client, monkeypatch):
    """The others ask when they come and when it has the result."""
    monkeypatch.setattr(flights, "POLL_SECONDS", (0.05, 0.05))
    holder, asked = Lock(KEY), []
    acquire(holder)

    def look(lock):
        asked.append(lock.token)
        return find(lock)

    def wait():
        with app.app_context(), Flight(KEY, 60) as flight:
            return flight.find(partial(look, flight.lock))

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(wait) for _ in range(8)]
        servers.wait_until(lambda: len(asked) > 30, "one asks again and again")
        client.set("result", "42")
        assert [each.result(60) for each in waiting] == ["42"] * 8
    counts = sorted(asked.count(token) for token in set(asked))
    assert counts[:7] == [2] * 7
    assert not app.extensions["redis-flights"]


class Killed(BaseException):
    """As gevent's GreenletExit."""


def test_whoever_fails_leaves_its_place_to_the_next(app, client):
    """Also if it is killed: the lock is free, and those who wait for it look again."""
    computing = threading.Event()

    def fail():
        computing.set()
        servers.wait_until(lambda: len(waiting) == 3, "the others come")
        raise Killed

    def first():
        with app.app_context(), pytest.raises(Killed):
            work(compute=fail)

    def other():
        with app.app_context():
            return work(compute=lambda: redis_store.client.set("result", "42"))

    waiting = []
    with ThreadPoolExecutor(4) as pool:
        failing = pool.submit(first)
        assert computing.wait(60)
        waiting += [pool.submit(other) for _ in range(3)]
        failing.result(60)
        assert sorted(str(each.result(60)) for each in waiting) == ["42", "42", "None"]
    assert not app.extensions["redis-flights"]


def test_turns_are_few_and_given_back():
    turns = Turns(1, 0.05)

    def other():
        with turns.taken():
            return "done"

    with ThreadPoolExecutor(1) as pool:
        with turns.taken(), turns.taken(), Turns(0, 0).taken():
            with pytest.raises(Unavailable):
                pool.submit(other).result(60)
            with current.waiting():
                assert pool.submit(other).result(60) == "done"
            assert current.turns is turns
            with pytest.raises(Unavailable):
                pool.submit(other).result(60)
        with pytest.raises(ZeroDivisionError), turns.taken():
            raise ZeroDivisionError
        assert pool.submit(other).result(60) == "done"
    assert current.turns is None


def test_a_turn_is_for_clients_that_are_still_there(app):
    turns = Turns(1, 0)
    ours, theirs = socket.socketpair()
    with ours, app.test_request_context(environ_overrides={"gunicorn.socket": ours}):
        theirs.sendall(b"GET /the-next-request")
        with turns.taken():
            assert current.turns is turns
        theirs.close()
        with pytest.raises(ClientGone), turns.taken():
            pass
        assert current.turns is None
        assert turns.free.acquire(blocking=False)
