"""Snowflake ids: unique over processes, growing, and only while the number of the process is
leased."""

import time

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from app.errors import Unavailable
from app.redis import ids
from app.redis.client import redis_store
from app.redis.ids import Snowflake, join_id, split_id

NODES = "gz:nodes"


@pytest.fixture
def context(app):
    with app.app_context():
        yield app


def test_ids_grow_and_say_when_they_were_made(context):
    begun = int(time.time() * 1000) - ids.EPOCH_MS
    made = [ids.next_id() for _ in range(10_000)]
    assert made == sorted(set(made))
    parts = split_id(made[-1])
    assert begun <= parts.milliseconds <= int(time.time() * 1000) - ids.EPOCH_MS
    assert (
        join_id(parts.milliseconds, parts.data_centre * 32 + parts.worker, parts.sequence)
        == (made[-1])
    )


def test_an_id_of_the_original_program_is_read():
    parts = split_id((1 << 22) * 1000 + (3 << 17) + (7 << 12) + 42)
    assert (parts.milliseconds, parts.data_centre, parts.worker, parts.sequence) == (1000, 3, 7, 42)
    assert parts.at.isoformat(timespec="milliseconds") == "2010-11-04T01:42:55.657+00:00"


@pytest.mark.parametrize("parts", [(-1, 0, 0), (1 << 41, 0, 0), (0, 1024, 0), (0, 0, 4096)])
def test_parts_out_of_range_are_refused(parts):
    with pytest.raises(ValueError, match=r"\d"):
        join_id(*parts)


def test_no_two_processes_have_the_same_number(context, monkeypatch):
    makers = [Snowflake() for _ in range(20)]
    for maker in makers:
        maker.node = 7
        maker.next_id()
    assert {maker.node for maker in makers} == set(range(7, 27))


def test_a_number_is_free_when_its_lease_and_its_last_millisecond_have_passed(context):
    now = int(time.time() * 1000)
    past, future = now - 1, now + 60_000
    own = now - ids.EPOCH_MS
    redis_store.client.hset(NODES, "1", f"dead {past} {own - 1000}")
    redis_store.client.hset(NODES, "2", f"alive {future} {own - 1000}")
    redis_store.client.hset(NODES, "3", f"ahead {past} {own + 60_000}")
    for number, taken in ((1, 1), (2, 4), (3, 5)):
        maker = Snowflake()
        maker.node = number
        maker.next_id()
        assert maker.node == taken


def test_a_lost_lease_is_noticed_when_it_is_renewed(context):
    maker = Snowflake()
    maker.next_id()
    lost = maker.node
    redis_store.client.hset(NODES, str(lost), f"another {int(time.time() * 1000) + 60_000} 0")
    maker.leased -= ids.RENEW_SECONDS + 1
    maker.next_id()
    assert maker.node != lost


def test_without_redis_the_last_lease_counts_until_it_ends(context, monkeypatch):
    maker = Snowflake()
    maker.next_id()

    def fail(*_args, **_more):
        raise RedisConnectionError("away")

    monkeypatch.setattr(redis_store.client, "execute_command", fail)
    maker.leased -= ids.RENEW_SECONDS + 1
    assert maker.next_id() > 0
    maker.leased -= ids.LEASE_SECONDS
    with pytest.raises(Unavailable):
        maker.next_id()


def test_a_clock_that_was_set_back_is_refused(context, monkeypatch):
    maker = Snowflake()
    last = maker.next_id()
    monkeypatch.setattr(ids, "wall_ms", lambda: split_id(last).milliseconds - 1)
    with pytest.raises(Unavailable, match="set back"):
        maker.next_id()


def test_after_the_last_id_of_a_millisecond_the_next_one_is_waited_for(context, monkeypatch):
    maker = Snowflake()
    moments = iter([5000, 5000, 5000, 5001])
    monkeypatch.setattr(ids, "wall_ms", lambda: next(moments))
    maker.last, maker.sequence = 5000, ids.SEQUENCES - 1
    parts = split_id(maker.next_id())
    assert (parts.milliseconds, parts.sequence) == (5001, 0)
