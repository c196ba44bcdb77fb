"""Downloads are counted in Redis, and added to the rows by the clock, each exactly once."""

import os
import signal
from contextlib import suppress
from functools import partial

import pytest
from redis.exceptions import RedisError

from app.database.engine import db
from app.files import queries
from app.files.download import counting
from app.redis.client import redis_store
from tests import servers
from tests.conftest import need
from tests.factories import OPERATOR, add_person, at_once
from tests.files.helpers import store, without_connection


def downloads(file_id):
    db.session.rollback()
    return queries.load_file(OPERATOR, file_id).downloads


@pytest.fixture
def file_id(people):
    return store(people[0], "a.txt", b"x").id


@pytest.fixture
def other_id(people):
    return store(people[0], "b.txt", b"x").id


def test_counts_are_stored_in_batches(file_id, other_id, monkeypatch):
    monkeypatch.setattr(counting, "BATCH_SIZE", 1)
    for number in (file_id, file_id, other_id):
        counting.count(number)
    assert (downloads(file_id), downloads(other_id)) == (0, 0)
    assert counting.store_counts() == 3
    assert (downloads(file_id), downloads(other_id)) == (2, 1)
    assert counting.store_counts() == 0
    assert not redis_store.client.exists(counting.COUNTS_KEY, counting.BATCH_KEY)


def dies(*_args, **_kwargs):
    raise KeyboardInterrupt


@pytest.mark.parametrize("step", ["before the commit", "after the commit"])
def test_a_clock_that_dies_counts_nothing_twice(file_id, monkeypatch, step):
    counting.count(file_id)
    add = counting.add_counts
    if step == "before the commit":
        monkeypatch.setattr(counting, "add_counts", dies)
    else:
        monkeypatch.setattr(counting, "add_counts", lambda *args: [add(*args), dies()])
    with pytest.raises(KeyboardInterrupt):
        counting.store_counts()
    monkeypatch.setattr(counting, "add_counts", add)
    counting.count(file_id)
    counting.store_counts()
    assert downloads(file_id) == 2


def test_two_clocks_at_once_count_once(any_app, file_id):
    for _ in range(20):
        counting.count(file_id)
    results = at_once(any_app, *[counting.store_counts] * 2)
    assert sum(results) == 20
    assert downloads(file_id) == 20


def test_a_slow_clock_does_not_delete_the_batch_of_another(file_id):
    counting.count(file_id)
    counting.store_counts()
    counting.count(file_id)
    keys = [counting.COUNTS_KEY, counting.BATCH_KEY]
    redis_store.script(counting.TAKE)(keys=keys, args=["second", 10])
    redis_store.script(counting.DONE)(keys=[counting.BATCH_KEY], args=["first"])
    assert counting.store_counts() == 1
    assert downloads(file_id) == 2


def test_without_redis_the_row_is_changed_at_once(file_id, monkeypatch):
    def away(*_args):
        raise RedisError

    monkeypatch.setattr(redis_store.client, "hincrby", away)
    counting.count(file_id)
    assert downloads(file_id) == 1
    without_connection(partial(counting.count, file_id))()
    assert downloads(file_id) == 1


def test_a_redis_that_is_stopped_for_a_while_counts_each_download_once(make_app):
    need(servers.REDIS, "redis-server or valkey-server")
    with servers.short_folder("stopped") as folder, servers.redis_server(folder) as url:
        app = make_app(REDIS_URL=url)
        with app.app_context():
            found = store(add_person("editor", "editor"), "a.txt", b"x").id
            counting.count(found)
            pid = redis_store.client.info("server")["process_id"]
            os.kill(pid, signal.SIGSTOP)
            try:
                # The first is sent; the next ones get no connection, and the others do not ask.
                for _ in range(5):
                    counting.count(found)
            finally:
                os.kill(pid, signal.SIGCONT)
            servers.wait_until(lambda: answers(redis_store.client), "Redis answers again")
            counting.store_counts()
            assert downloads(found) == 6


def answers(client):
    with suppress(RedisError):
        return client.ping()


def test_other_values_under_our_keys_change_nothing(file_id):
    redis_store.client.hset(counting.COUNTS_KEY, mapping={"x": "1", str(file_id): "y", "-1": "2"})
    counting.store_counts()
    assert downloads(file_id) == 0
    redis_store.client.set(counting.BATCH_KEY, "text")
    counting.count(file_id)
    assert counting.store_counts() == 1
