"""One process does the work and the others get its result; an expired lock is taken over."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.errors import Unavailable
from app.redis import lock as locks
from app.redis.client import redis_store
from app.redis.lock import Lock, find_or_acquire
from tests import servers

KEY = "gz:lock:work"


@pytest.fixture
def app(make_app):
    """On a loaded machine Redis may answer later than pages wait for it."""
    return make_app(REDIS_TIMEOUT_MS="10000")


@pytest.fixture
def client(app, monkeypatch):
    """No lock expires by itself."""
    monkeypatch.setattr(locks, "LEASE_SECONDS", 600)
    with app.app_context():
        yield redis_store.client


def find():
    """The result, once somebody has stored it."""
    return redis_store.client.get("result")


def test_only_one_holds_a_lock(client):
    mine, other = Lock(KEY), Lock(KEY)
    assert mine.acquire()
    assert not other.acquire()
    mine.release()
    assert other.acquire()


def test_an_attempt_whose_answer_was_lost_may_be_repeated(client):
    mine = Lock(KEY)
    assert mine.acquire()
    assert mine.acquire()


def test_a_lock_is_renewed_and_released_by_its_holder_only(client, monkeypatch):
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.01)
    mine, other = Lock(KEY), Lock(KEY)
    assert mine.acquire()
    client.expire(KEY, 300)
    other.release()
    with other.renewed():
        time.sleep(0.3)
    assert 0 < client.ttl(KEY) <= 300
    with mine.renewed():
        servers.wait_until(lambda: client.ttl(KEY) > 300, "it is renewed")
    client.expire(KEY, 300)
    time.sleep(0.1)
    assert 0 < client.ttl(KEY) <= 300
    mine.release()
    assert not client.exists(KEY)


def test_work_that_fails_ends_the_renewing(client):
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), Lock(KEY).renewed():
        raise ZeroDivisionError
    assert threading.active_count() == before


def test_an_expired_lock_is_taken_over(client):
    dead = Lock(KEY)
    dead.acquire()
    client.pexpire(KEY, 200)
    taken = Lock(KEY)
    assert find_or_acquire(taken, find) is None
    dead.release()  # it was not dead after all; the lock is no longer its own
    assert client.get(KEY) == taken.token


def test_a_waiter_gets_the_result_of_the_holder(app, client):
    holder = Lock(KEY)
    holder.acquire()

    def wait():
        with app.app_context():
            return find_or_acquire(Lock(KEY), find)

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


def test_a_result_stored_just_before_the_lock_was_taken_is_found(client):
    results = iter([None, "42"])
    assert find_or_acquire(Lock(KEY), lambda: next(results)) == "42"
    assert not client.exists(KEY)


def test_waiting_ends(client, monkeypatch):
    monkeypatch.setattr(locks, "WAIT_SECONDS", 0.2)
    Lock(KEY).acquire()
    with pytest.raises(Unavailable) as refusal:
        find_or_acquire(Lock(KEY), find)
    assert refusal.value.headers["Retry-After"] == "2"


def test_of_many_at_once_one_does_the_work(app, client):
    started, done = threading.Barrier(6), []

    def work():
        with app.app_context():
            lock = Lock(KEY)
            started.wait(60)
            if (found := find_or_acquire(lock, find)) is not None:
                return found
            done.append(lock.token)
            time.sleep(0.05)
            redis_store.client.set("result", lock.token)
            lock.release()
            return lock.token

    with ThreadPoolExecutor(6) as pool:
        results = {pool.submit(work) for _ in range(6)}
    assert {result.result() for result in results} == set(done)
    assert len(done) == 1
