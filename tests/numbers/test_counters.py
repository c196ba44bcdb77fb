"""What the cache counts: in all, by the hour, and the workers."""

from datetime import UTC, datetime

import pytest

from app import times
from app.numbers import counters
from tests.factories import Browser

HOUR = 3600


@pytest.fixture
def clock(monkeypatch):
    """The time, in a list of one."""
    moment = [500_000 * HOUR + 100.0]
    monkeypatch.setattr(times, "now", lambda: datetime.fromtimestamp(moment[0], UTC))
    return moment


def read(app):
    with app.app_context():
        return counters.read_statistics()


def test_hits_computations_and_workers_are_counted(app, store):
    for _ in range(3):
        Browser(app).get("/fib/12")
    found = read(app)
    assert (found.total.hits, found.total.computed, found.worker_count) == (2, 1, 1)
    assert found.total.hit_rate == pytest.approx(2 / 3)
    assert store.hgetall(counters.COUNTERS) == {"computed": "1", "hits": "2"}


def test_nothing_asked_has_no_rate_but_the_worker_that_reads(app):
    found = read(app)
    assert (found.total.hit_rate, found.worker_count) == (None, 1)


def test_each_hour_has_its_counts(app, clock):
    for n in (1, 1, 1):
        Browser(app).get(f"/fib/{n}")
    clock[0] += HOUR
    for n in (1, 2, 150_000, 150_000):
        Browser(app).get(f"/fib/{n}")
    hours = read(app).hours
    assert [(each.counts.hits, each.counts.computed) for each in hours[-3:]] == [
        (0, 0), (2, 1), (2, 2),
    ]  # fmt: skip
    assert [int(each.began.timestamp()) // HOUR for each in hours[-2:]] == [500_000, 500_001]
    assert len(hours) == 24


def test_hours_expire_after_a_day_and_more(app, store):
    for _ in range(2):
        Browser(app).get("/pi/5")
    (key,) = store.keys("gz:numbers:hour:*")
    assert 24 * HOUR < store.ttl(key) <= 25 * HOUR


def test_workers_that_did_not_ask_for_ten_minutes_are_not_counted(app, store, clock):
    store.zadd(counters.WORKERS, {"host:1": clock[0] - 599, "host:2": clock[0] - 601})
    found = read(app)
    assert [each.pid for each in found.workers][1:] == ["1"]
    assert found.worker_count == 2


def test_odd_workers_do_no_harm(app, store):
    store.zadd(counters.WORKERS, {"": "inf", "x": 1e300, "a:b:c": 2.0**62})
    assert read(app).worker_count == 4
    assert Browser(app).get("/numbers").status_code == 200


def test_only_the_last_of_many_workers_are_listed(app, store, clock):
    store.zadd(counters.WORKERS, {f"host:{n}": clock[0] - n for n in range(1, 50)})
    found = read(app)
    assert found.worker_count == 50
    assert [each.pid for each in found.workers[1:]] == [str(n) for n in range(1, 20)]


def test_without_redis_there_are_no_statistics(make_app):
    assert read(make_app(REDIS_URL="redis://127.0.0.1:1")) is None
