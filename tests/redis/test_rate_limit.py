"""Limits hold in any window and for events at once; several keys and windows count together."""

import pytest
from redis.exceptions import RedisError

from app.redis import rate_limit
from app.redis.client import redis_store
from app.redis.rate_limit import DAY, MINUTE, Limit, per_network
from tests.factories import at_once


@pytest.fixture(autouse=True)
def context(app):
    with app.app_context():
        yield


def age(limit, seconds):
    """Make the events under a limit that much older."""
    client = redis_store.client
    for name in client.zrange(limit.redis_key, 0, -1):
        client.zincrby(limit.redis_key, -1000 * seconds, name)


def counted(limit):
    return redis_store.client.zcard(limit.redis_key)


def test_a_reached_limit_says_how_long_to_wait():
    limit = Limit(2, "somebody", 600)
    assert [rate_limit.hit(limit).seconds for _ in range(2)] == [0, 0]
    age(limit, 300)
    assert 200 < rate_limit.hit(limit).seconds <= 300
    age(limit, 300)
    assert rate_limit.hit(limit).seconds == 0


def test_each_event_makes_room_when_it_leaves_the_window():
    limit = Limit(2, "somebody", 600)
    rate_limit.hit(limit)
    age(limit, 400)
    rate_limit.hit(limit)
    assert 100 < rate_limit.hit(limit).seconds <= 200
    age(limit, 200)
    assert rate_limit.hit(limit).seconds == 0
    assert 300 < rate_limit.hit(limit).seconds <= 400


def test_a_refused_event_is_counted_nowhere():
    full, other = Limit(1, "full"), Limit(5, "other")
    rate_limit.hit(full)
    for _ in range(3):
        assert rate_limit.hit(other, full).seconds > 0
    assert (counted(full), counted(other)) == (1, 0)


def test_two_windows_of_one_key_and_the_longer_wait_counts():
    minute, day = Limit(2, "somebody", MINUTE), Limit(3, "somebody", DAY)
    for _ in range(2):
        assert rate_limit.hit(minute, day).seconds == 0
    assert 0 < rate_limit.hit(minute, day).seconds <= MINUTE
    age(minute, MINUTE)
    assert rate_limit.hit(minute, day).seconds == 0
    assert DAY - MINUTE < rate_limit.hit(minute, day).seconds <= DAY


def test_an_attempt_that_does_not_count_makes_room():
    limits = Limit(1, "name"), Limit(1, "address")
    attempt = rate_limit.hit(*limits, unresolved=True)
    busy = rate_limit.hit(*limits, unresolved=True)
    assert (busy.busy, busy.full) == (True, None)
    rate_limit.resolve(attempt, counts=False)
    rate_limit.resolve(rate_limit.hit(*limits, unresolved=True), counts=True)
    full = rate_limit.hit(*limits, unresolved=True)
    assert (full.busy, full.full) == (False, limits[0])
    assert full.seconds > 0
    assert 0 < redis_store.client.ttl(limits[0].redis_key) <= MINUTE


def test_an_attempt_that_is_never_resolved_counts_and_leaves_the_window():
    """Its process has died."""
    limit = Limit(2, "somebody")
    rate_limit.hit(limit)
    rate_limit.hit(limit, unresolved=True)
    assert rate_limit.hit(limit, unresolved=True).busy
    age(limit, rate_limit.UNRESOLVED_SECONDS + 1)
    assert 0 < rate_limit.hit(limit).seconds < MINUTE - rate_limit.UNRESOLVED_SECONDS
    age(limit, MINUTE)
    assert not rate_limit.hit(limit).full


def test_a_full_limit_is_reported_rather_than_a_busy_one():
    full, busy = Limit(1, "full"), Limit(1, "busy")
    rate_limit.hit(full)
    rate_limit.hit(busy, unresolved=True)
    found = rate_limit.hit(busy, full)
    assert (found.full, found.busy) == (full, False)
    assert counted(busy) == 1


def test_a_limit_holds_for_events_at_once(app):
    limit = Limit(3, "somebody")
    results = at_once(app, *[lambda: rate_limit.hit(limit).seconds] * 8)
    assert results.count(0) == 3


@pytest.fixture
def nearly_full(app):
    """A Redis with the limit of the private one, which has room for some hundred more keys."""
    client = app.extensions["redis"]
    names = ("maxmemory", "maxmemory-policy", "maxmemory-samples")
    before = {name: client.config_get(name)[name] for name in names}
    for number in range(100):
        client.set(f"gz:session:{number}", "x" * 300, ex=12 * 3600)
    room = client.info("memory")["used_memory"] + 200_000
    for name, value in zip(names, (room, "volatile-ttl", 64), strict=True):
        client.config_set(name, value)
    yield client
    for name, value in before.items():
        client.config_set(name, value)


def test_counts_of_any_number_of_networks_end_no_session(nearly_full):
    """As many as a stranger has who owns a /32 of IPv6."""

    def evicted():
        return nearly_full.info("stats")["evicted_keys"]

    begin, number = evicted(), 0
    while evicted() < begin + 200:
        for _each in range(50):
            number += 1
            address = f"2001:db8:{number:x}::1"
            assert not rate_limit.hit(*per_network(20, "token", address)).full
    assert len(nearly_full.keys("gz:session:*")) == 100
    assert len(nearly_full.keys("gz:rate:*")) < 2 * number


def test_counts_expire_with_their_window():
    for limit in (Limit(1, "somebody", MINUTE), Limit(1, "somebody", DAY)):
        rate_limit.hit(limit)
        assert limit.seconds / 2 < redis_store.client.ttl(limit.redis_key) <= limit.seconds


def test_without_redis_the_caller_decides(make_app):
    with make_app(REDIS_URL="redis://127.0.0.1:1").app_context(), pytest.raises(RedisError):
        rate_limit.hit(Limit(1, "somebody"))


def test_a_script_runs_on_the_redis_of_its_application(make_app, redis_url):
    """Each application has a client of its own; Redis may have lost its scripts in a restart."""
    limit = Limit(1, "somebody")
    for app in (make_app(), make_app(REDIS_URL=f"{redis_url}?db=1")):
        with app.app_context():
            redis_store.client.script_flush()
            assert rate_limit.hit(limit).seconds == 0
            assert rate_limit.hit(limit).seconds > 0
