"""One process does the work and the others get its result; an expired lock is taken over."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from app.errors import Unavailable
from app.redis import lock as locks
from app.redis.client import redis_store
from app.redis.lock import LOCK, Lock, find_or_acquire
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


# KEYS: the lock, the result. ARGV: its token and lease.
FIND = f"""{LOCK}
return ask("GET", KEYS[2]) or acquire(KEYS[1], ARGV[1], ARGV[2])
"""


def find(lock):
    """The result, once somebody has stored it; otherwise the lock is taken."""
    found = redis_store.script(FIND)(keys=[lock.key, "result"], args=[lock.token, lock.lease])
    lock.held = found == 1
    return found if isinstance(found, str) else None


def find_or(lock):
    return find_or_acquire(lock, partial(find, lock))


def acquire(lock):
    find(lock)
    return lock.held


def test_only_one_holds_a_lock(client):
    mine, other = Lock(KEY), Lock(KEY)
    assert acquire(mine)
    assert not acquire(other)
    mine.release()
    assert acquire(other)


def test_an_attempt_whose_answer_was_lost_may_be_repeated(client):
    mine = Lock(KEY)
    assert acquire(mine)
    assert acquire(mine)
    assert not acquire(Lock(KEY))


def test_a_value_that_does_not_expire_is_not_a_lock(client):
    client.set(KEY, "of another program")
    assert acquire(Lock(KEY))
    assert 0 < client.ttl(KEY) <= 600


def test_a_lock_is_renewed_and_released_by_its_holder_only(client, monkeypatch):
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.01)
    mine, other = Lock(KEY), Lock(KEY)
    assert acquire(mine)
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
    acquire(dead)
    client.pexpire(KEY, 200)
    taken = Lock(KEY)
    assert find_or(taken) is None
    dead.release()  # it was not dead after all; the lock is no longer its own
    assert client.get(KEY) == taken.token


def test_a_waiter_gets_the_result_of_the_holder(app, client):
    holder = Lock(KEY)
    acquire(holder)

    def wait():
        with app.app_context():
            return find_or(Lock(KEY))

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


def test_waiting_ends(client, monkeypatch):
    monkeypatch.setattr(locks, "WAIT_SECONDS", 0.2)
    acquire(Lock(KEY))
    with pytest.raises(Unavailable) as refusal:
        find_or(Lock(KEY))
    assert refusal.value.headers["Retry-After"] == "2"


def test_of_many_at_once_one_does_the_work(app, client):
    started, done = threading.Barrier(6), []

    def work():
        with app.app_context():
            lock = Lock(KEY)
            started.wait(60)
            if (found := find_or(lock)) is not None:
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
