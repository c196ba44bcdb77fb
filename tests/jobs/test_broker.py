"""The broker: our Redis, in the words of Celery, under keys of ours."""

import pytest
from redis.exceptions import RedisError

from app.config import Settings
from app.jobs.worker.broker import KEYS, Sender, broker_url, make_celery
from tests import servers


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("unix:///run/redis.sock?db=2", "redis+socket:///run/redis.sock?virtual_host=2"),
        ("redis://h:6379/3", "redis://h:6379/3"),
        ("redis://:p%40ss@h:6379/0?db=4", "redis://:p%40ss@h:6379/4"),
        ("rediss://h:6379/1", "rediss://h:6379/1?ssl_cert_reqs=required"),
        ("rediss://h/1?ssl_cert_reqs=none", "rediss://h/1?ssl_cert_reqs=none"),
    ],
)
def test_the_address(ours, theirs):
    assert broker_url(ours) == theirs


def test_keys_are_ours(store, redis_url):
    sender = Sender(Settings.load({"REDIS_URL": redis_url, "SECRET_KEY": "k" * 32}))
    store.flushall()
    sender.send(2**61)
    keys = set(store.scan_iter())
    assert keys
    assert all(key.startswith(KEYS) for key in keys)


def test_without_redis_sending_fails_at_once():
    url = f"redis://127.0.0.1:{servers.free_port()}"
    with pytest.raises(RedisError):
        Sender(Settings.load({"REDIS_URL": url, "SECRET_KEY": "k" * 32})).send(1)


def test_tls_is_used_where_the_address_says_so():
    settings = Settings.load({"REDIS_URL": "rediss://h:6379/1", "SECRET_KEY": "k" * 32})
    assert make_celery(settings).connection().ssl
