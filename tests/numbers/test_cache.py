"""One computation per result over all processes, whatever happens to the one that computes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from app.errors import Unavailable
from app.numbers import cache, services
from app.numbers.cache import COUNTERS, ResultHash
from app.redis import lock as locks
from tests.factories import Browser


def get(app, path):
    return Browser(app).get(path).json


def test_many_requests_at_once_cause_one_computation(make_app, store):
    apps = [make_app(), make_app()]
    with ThreadPoolExecutor(10) as pool:
        responses = list(pool.map(lambda i: get(apps[i % 2], "/pi/400000"), range(10)))
    assert sorted(response["cached"] for response in responses) == [False] + [True] * 9
    assert len({response["result"] for response in responses}) == 1
    assert store.hgetall(COUNTERS) == {"computed": "1", "hits": "9"}
    assert not store.keys("gz:lock:*")


@pytest.mark.deploy
def test_processes_share_one_computation(gunicorn, store):
    store.flushall()
    address = gunicorn(2)
    with ThreadPoolExecutor(8) as pool:
        asked = pool.map(lambda _: requests.get(f"{address}/pi/3000000", timeout=30), range(8))
        responses = [response.json() for response in asked]
    assert sorted(response["cached"] for response in responses) == [False] + [True] * 7
    assert store.hget(COUNTERS, "computed") == "1"


def test_results_of_the_original_program_are_found_in_the_cache(app, store):
    store.hset("pis", "1000000", "3.141591698659554")
    store.hset("fibs", "93", "12200160415121876738")
    assert get(app, "/pi/1000000") == {"cached": True, "result": 3.141591698659554}
    assert get(app, "/fib/93") == {"cached": True, "result": 12200160415121876738}


def test_results_are_stored_in_the_hashes_of_the_original(app, store):
    get(app, "/pi/1000000")
    get(app, "/fib/300")
    assert store.hgetall("pis") == {"1000000": "3.141591698659554"}
    assert list(store.hgetall("fibs")) == ["300"]


@pytest.mark.parametrize("invalid", ["", "nonsense", "nan", "9.0", "\ufffd", "[]"])
def test_a_value_that_does_not_parse_is_computed_again(app, store, invalid):
    store.hset("pis", "2", invalid)
    assert get(app, "/pi/2") == {"cached": False, "result": 2.449489742783178}
    assert store.hget("pis", "2") == "2.449489742783178"
    assert get(app, "/pi/2")["cached"] is True


def test_bytes_that_are_not_text_are_computed_again(app, store):
    store.hset("fibs", "10", b"\xff\x80\x04")
    assert get(app, "/fib/10") == {"cached": False, "result": 55}


def test_waiting_for_another_computation_ends_in_503(app, store, monkeypatch):
    monkeypatch.setattr(locks, "WAIT_SECONDS", 0.2)
    store.set("gz:lock:fibs:50", "somebody slow", px=600_000)
    response = Browser(app).get("/fib/50")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "2"


def test_a_long_computation_renews_its_lock(app, store, monkeypatch):
    monkeypatch.setattr(locks, "LEASE_SECONDS", 600)
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0)

    def slowly(lock):
        store.pexpire("gz:lock:fibs:5", 60_000)  # as after some time
        lock.renew()
        assert store.pttl("gz:lock:fibs:5") > 60_000
        return "5"

    def compute(_):
        with app.app_context():
            return cache.get_or_compute(services.FIBS, 5, slowly, lambda: None)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(compute, range(2))) == [("5", False), ("5", True)]


def test_a_refused_or_failed_computation_releases_its_lock(app, store):
    def fail(_lock):
        raise ZeroDivisionError

    with app.app_context():
        with pytest.raises(ZeroDivisionError):
            cache.get_or_compute(services.FIBS, 5, fail, lambda: None)
        with pytest.raises(Unavailable):
            cache.get_or_compute(services.FIBS, 5, lambda _lock: "5", refuse)
    assert not store.keys("gz:lock:*")


def refuse():
    raise Unavailable()


def test_a_process_does_a_few_computations_at_once_and_no_more(app, monkeypatch):
    monkeypatch.setattr(cache, "TURN_SECONDS", 0.05)
    for _ in range(4):
        assert cache.turns.acquire(blocking=False)
    try:
        response = Browser(app).get("/pi/77")
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "2"
        assert "error" in response.json
    finally:
        for _ in range(4):
            cache.turns.release()
    assert Browser(app).get("/pi/77").json["cached"] is False


def test_the_least_recently_used_results_are_evicted(app, store, monkeypatch):
    results = ResultHash("fibs", 3, services.FIBS.parse)
    moment = [1000.0]
    monkeypatch.setattr(cache.time, "time", lambda: moment[0])
    with app.app_context():
        for n in range(5):
            moment[0] += 1
            if n == 3:
                assert results.find(0) == "0"  # used again just now
                moment[0] += 1
            results.store(n, str(n))
    assert set(store.hkeys("fibs")) == {"0", "3", "4"}
    assert set(store.zrange(results.last_use, 0, -1)) == {"0", "3", "4"}


def test_results_of_the_original_are_evicted_before_what_is_used(app, store):
    results = ResultHash("pis", 10, services.PIS.parse)
    store.hset("pis", mapping={str(n): "3.0" for n in range(1000, 1300)})
    with app.app_context():
        for n in range(30):
            results.store(n, "3.0")
    assert store.hlen("pis") <= 10
    assert store.hexists("pis", "29")


def test_statistics_count_hits_computations_and_workers(make_app, store):
    app = make_app()
    for _ in range(3):
        get(app, "/fib/12")
    with app.app_context():
        statistics = cache.read_statistics()
    assert (statistics.hits, statistics.computed, statistics.workers) == (2, 1, 1)
    assert statistics.hit_rate == pytest.approx(2 / 3)


def test_all_n_with_the_last_result_share_its_place(app, store):
    assert get(app, f"/pi/{2**63}") == {"cached": False, "result": 3.14159264498239}
    for n in (94_906_264, 94_906_265, 10**12):
        assert get(app, f"/pi/{n}") == {"cached": True, "result": 3.14159264498239}
    assert get(app, "/pi/94906263") == {"cached": False, "result": 3.1415926449823894}
    assert sorted(store.hkeys("pis")) == ["94906263", "94906264"]


def test_threads_of_one_process_do_not_deadlock(app):
    started = threading.Barrier(6)

    def one(n):
        started.wait()
        return get(app, f"/pi/{n}")["cached"]

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(one, range(50_000, 50_006))) == [False] * 6
