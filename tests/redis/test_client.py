"""The circuit breaker."""

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from tests import servers
from tests.conftest import need


@pytest.mark.xfail(
    strict=True,
    raises=RedisConnectionError,
    reason="One slow answer makes the process refuse everything that needs Redis for a second.",
)
def test_one_slow_answer_of_redis_does_not_stop_the_next_call(make_app):
    need(servers.REDIS, "redis-server or valkey-server")
    with servers.short_folder("slow") as folder, servers.redis_server(folder) as url:
        client = make_app(REDIS_URL=url).extensions["redis"]
        with Redis.from_url(url) as operator:
            operator.client_pause(10_000, all=False)  # writes wait
            with pytest.raises(RedisTimeoutError):
                client.set("key", "1")
            operator.client_unpause()
        assert client.set("key", "2")
