"""A lock is held by one, expires, and is renewed and given up by its holder only."""

import time

import pytest

from app.redis import lock as locks
from app.redis.client import redis_store
from app.redis.lock import LOCK, Lock
from tests import servers
from tests.factories import note_calls

KEY = "gz:lock:work"

# KEYS: the lock, the result. ARGV: its token and lease.
FIND = f"""{LOCK}
return ask("GET", KEYS[2]) or acquire(KEYS[1], ARGV[1], ARGV[2])
"""


def find(lock):
    """The result, once somebody has stored it; otherwise the lock is taken."""
    found = redis_store.script(FIND)(keys=[lock.key, "result"], args=[lock.token, lock.lease])
    lock.held = found == 1
    return found if isinstance(found, str) else None


def acquire(lock):
    find(lock)
    return lock.held


@pytest.fixture
def app(make_app):
    """On a loaded machine Redis may answer later than pages wait for it."""
    return make_app(REDIS_TIMEOUT_MS="10000")


@pytest.fixture
def client(app, monkeypatch):
    """No lock expires by itself, and none of another test is renewed."""
    servers.wait_until(lambda: not locks.renewal.runs, "no lock is renewed")
    monkeypatch.setattr(locks, "LEASE_SECONDS", 60)
    with app.app_context():
        yield redis_store.client


def test_only_one_holds_a_lock(client):
    mine, other = Lock(KEY), Lock(KEY)
    assert acquire(mine)
    assert not acquire(other)
    mine.release()
    assert acquire(other)


def test_a_lock_that_lasts_an_hour_since_the_clock_was_set_back_is_none(client):
    assert acquire(Lock(KEY))
    client.pexpire(KEY, 3_600_000)
    assert acquire(Lock(KEY))


def test_an_attempt_whose_answer_was_lost_may_be_repeated(client):
    mine = Lock(KEY)
    assert acquire(mine)
    assert acquire(mine)
    assert not acquire(Lock(KEY))


def test_a_value_that_does_not_expire_is_not_a_lock(client):
    client.set(KEY, "of another program")
    assert acquire(Lock(KEY))
    assert 0 < client.ttl(KEY) <= 60


def test_a_lock_that_was_lost_is_not_released(client):
    dead, taken = Lock(KEY), Lock(KEY)
    acquire(dead)
    client.delete(KEY)
    acquire(taken)
    dead.release()
    assert client.get(KEY) == taken.token


def test_a_lock_is_renewed_by_its_holder_only(client, monkeypatch):
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.01)
    mine, other = Lock(KEY), Lock(KEY)
    assert acquire(mine)
    client.expire(KEY, 30)
    with other.renewed():
        time.sleep(0.3)
    assert 0 < client.ttl(KEY) <= 30
    with mine.renewed():
        servers.wait_until(lambda: client.ttl(KEY) > 30, "it is renewed")
    servers.wait_until(lambda: not locks.renewal.runs, "the thread ends")
    client.expire(KEY, 30)
    time.sleep(0.1)
    assert 0 < client.ttl(KEY) <= 30


def test_a_renewed_lock_that_was_lost_is_not_taken_back(client, monkeypatch):
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.01)
    mine, other = Lock(KEY), Lock(KEY)
    assert acquire(mine)
    renewed = note_calls(monkeypatch, locks, "renew")
    with mine.renewed():
        client.delete(KEY)
        before = len(renewed)
        servers.wait_until(lambda: len(renewed) > before + 1, "it is tried")
        assert acquire(other)
        client.expire(KEY, 30)
        before = len(renewed)
        servers.wait_until(lambda: len(renewed) > before + 1, "it is tried")
    assert client.get(KEY) == other.token
    assert 0 < client.ttl(KEY) <= 30


def test_all_locks_of_a_process_are_renewed_by_one_thread(client, monkeypatch):
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.01)
    started = note_calls(monkeypatch, locks, "start_system_thread")
    held = [Lock(f"{KEY}:{n}") for n in range(3)]
    assert all(map(acquire, held))
    with held[0].renewed(), held[1].renewed(), held[2].renewed():
        for lock in held:
            client.expire(lock.key, 30)
        servers.wait_until(lambda: all(client.ttl(each.key) > 30 for each in held), "renewed")
    assert len(started) == 1
    servers.wait_until(lambda: not locks.renewal.runs, "it ends with the last lock")


def test_a_value_of_another_type_leaves_the_other_locks_renewed(client, monkeypatch):
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.01)
    broken, mine = Lock(f"{KEY}:broken"), Lock(KEY)
    client.hset(broken.key, "field", "of another program")
    assert acquire(mine)
    renewed = note_calls(monkeypatch, locks, "renew")
    with broken.renewed(), mine.renewed():
        client.expire(KEY, 30)
        servers.wait_until(lambda: client.ttl(KEY) > 30, "it is renewed")
    assert any({broken, mine} == set(of) for _client, of in renewed)


def test_locks_are_renewed_again_after_an_error(client, monkeypatch, caplog):
    def fail(*_args):
        raise ZeroDivisionError

    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.01)
    mine = Lock(KEY)
    assert acquire(mine)
    with mine.renewed():
        with monkeypatch.context() as patch:
            patch.setattr(locks, "renew", fail)
            servers.wait_until(lambda: "locks were not renewed" in caplog.text, "it fails")
        client.expire(KEY, 30)
        servers.wait_until(lambda: client.ttl(KEY) > 30, "it is renewed")


def test_locks_are_renewed_again_after_an_absence_of_redis(make_app, redis_url, monkeypatch):
    monkeypatch.setattr(locks, "LEASE_SECONDS", 60)
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.01)
    with servers.short_folder("lock") as folder:
        path = folder / "redis.sock"
        path.symlink_to(redis_url.removeprefix("unix://"))
        app = make_app(REDIS_URL=f"unix://{path}", REDIS_TIMEOUT_MS="10000")
        with app.app_context():
            client, mine = redis_store.client, Lock(KEY)
            assert acquire(mine)
            path.unlink()
            renewed = note_calls(monkeypatch, locks, "renew")
            with mine.renewed():
                servers.wait_until(lambda: len(renewed) > 2, "it is tried")
                client.expire(KEY, 30)
                path.symlink_to(redis_url.removeprefix("unix://"))
                servers.wait_until(lambda: client.ttl(KEY) > 30, "it is renewed")


def test_work_that_fails_ends_the_renewing(client, monkeypatch):
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.01)
    with pytest.raises(ZeroDivisionError), Lock(KEY).renewed():
        raise ZeroDivisionError
    servers.wait_until(lambda: not locks.renewal.runs, "it ends")
