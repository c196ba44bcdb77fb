"""One computation per result over all processes, whatever happens to the one that computes."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests

from app import children, times
from app.current import worker_name
from app.errors import Unavailable
from app.numbers import cache, fib, large_fib, services
from app.numbers.counters import COUNTERS, WORKERS
from app.numbers.results import made_here
from app.redis import lock as locks
from app.redis.lock import Lock
from tests import servers
from tests.factories import Browser


def get(app, path):
    return Browser(app).get(path).json


def is_cached(app, n):
    """Whether a Fibonacci number was cached; json refuses to parse a large one."""
    text = Browser(app).get(f"/fib/{n}").text
    cached = text.partition(",")[0] == '{"cached": true'
    assert text.partition(" ")[2] == f'{str(cached).lower()}, "result": {fib.digits(n)}}}'
    return cached


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
        asked = pool.map(lambda _: requests.get(f"{address}/fib/1000000", timeout=60), range(8))
        answers = [response.text for response in asked]
    expected = f'"result": {fib.digits(1_000_000)}}}'
    assert all(answer.endswith(expected) for answer in answers)
    assert sorted(answer.split(",")[0] for answer in answers) == [
        '{"cached": false',
        *['{"cached": true'] * 7,
    ]
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


@pytest.mark.parametrize("n", [50, 150_000])
def test_a_lock_of_the_release_before_is_respected(app, store, monkeypatch, n):
    """Its workers run beside ours during a reload, with the lock of redis-py."""
    theirs = store.lock(f"gz:lock:fibs:{n}", timeout=60)
    assert theirs.acquire(token="a" * 32)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(Browser(app).get, f"/fib/{n}")
        servers.wait_until(lambda: store.zcard(WORKERS), "it asks")
        with app.app_context():
            results = services.LARGE_FIBS if n > fib.LARGE else services.FIBS
            results.store(n, made_here(fib.digits(n)), Lock("gz:lock:another"))
        assert asked.result(60).text.startswith('{"cached": true')
    theirs.release()


def test_the_release_before_respects_our_lock(app, store):
    def compute(_lock):
        theirs = store.lock("gz:lock:fibs:5", timeout=60)
        assert not theirs.acquire(blocking=False, token="a" * 32)
        return "5"

    with app.app_context():
        cache.get_or_compute(services.FIBS, 5, compute, lambda: None)
    assert not store.exists("gz:lock:fibs:5")


def test_waiting_for_another_computation_ends_in_503(app, store, monkeypatch):
    monkeypatch.setattr(cache, "WAIT_SECONDS", 0.2)
    store.set("gz:lock:fibs:50", "somebody slow", px=60_000)
    response = Browser(app).get("/fib/50")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "2"


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


def test_two_large_numbers_are_computed_at_once_and_no_more(app, monkeypatch):
    monkeypatch.setattr(large_fib, "SLOT_SECONDS", 0.05)
    folder = app.config["SETTINGS"].instance
    with children.acquire_slot(folder, "fib", 2, 0):
        assert is_cached(app, 150_000) is False
        with children.acquire_slot(folder, "fib", 2, 0):
            response = Browser(app).get("/fib/150001")
            assert response.status_code == 503
            assert response.headers["Retry-After"] == "2"
            assert "error" in response.json
            assert is_cached(app, 100_000) is False
    assert is_cached(app, 150_001) is False


def test_a_large_number_that_takes_too_long_is_given_up(app, store, monkeypatch, tmp_path):
    """Its process is killed, and its environment has none of our secrets."""
    monkeypatch.setattr(large_fib, "SECONDS", 1)
    path, told = tmp_path / "program.py", tmp_path / "told"
    path.write_text(ENDLESS.format(told=str(told)))
    monkeypatch.setattr(fib, "__file__", str(path))
    response = Browser(app).get("/fib/1000000")
    assert response.status_code == 503
    assert "took too long" in response.json["error"]
    pid, *names = told.read_text().split()
    assert not set(names) - {"LC_CTYPE"}
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    assert not store.keys("gz:lock:*")


def test_a_program_that_is_killed_is_no_fault(app, store, monkeypatch, tmp_path, caplog):
    """As by the kernel when memory runs out."""
    path = tmp_path / "program.py"
    path.write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    monkeypatch.setattr(fib, "__file__", str(path))
    response = Browser(app).get("/fib/150000")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "2"
    assert "interrupted" in response.json["error"]
    assert "fib(150000) was ended by signal 9" in caplog.text
    assert not store.keys("*fib*")


ENDLESS = """
import os, time
with open({told!r}, "w") as told:
    print(os.getpid(), *os.environ, file=told)
time.sleep(600)
"""


@pytest.mark.parametrize(
    "program", ["raise MemoryError", "print(5)", "import sys; print('1' * 31349); sys.exit(1)"]
)
def test_a_program_that_fails_is_a_fault_of_ours(app, store, monkeypatch, tmp_path, program):
    path = tmp_path / "program.py"
    path.write_text(program)
    monkeypatch.setattr(fib, "__file__", str(path))
    assert Browser(app).get("/fib/150000").status_code == 500
    assert not store.keys("*fib*")


def test_the_lock_is_renewed_while_a_child_computes(app, store, monkeypatch, tmp_path):
    go = tmp_path / "go"
    path = tmp_path / "program.py"
    path.write_text(WAITING.format(go=str(go), digits=fib.digits(150_000)))
    monkeypatch.setattr(fib, "__file__", str(path))
    monkeypatch.setattr(locks, "LEASE_SECONDS", 600)
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.02)
    key = "gz:lock:fibs:150000"
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(Browser(app).get, "/fib/150000")
        servers.wait_until(lambda: store.exists(key), "it computes")
        store.pexpire(key, 60_000)  # as after some time
        servers.wait_until(lambda: store.pttl(key) > 60_000, "it is renewed")
        go.touch()
        assert asked.result(60).status_code == 200
    assert not store.exists(key)


WAITING = """
import os, time
while not os.path.exists({go!r}): time.sleep(0.01)
print({digits!r}, end="")
"""


def test_a_large_number_has_a_key_of_its_own_for_a_day(app, store, monkeypatch):
    assert is_cached(app, 150_000) is False
    key = "gz:fibs:large:150000"
    assert 86_000 < store.ttl(key) <= 86_400
    store.expire(key, 5)
    assert is_cached(app, 150_000) is True
    assert 86_000 < store.ttl(key) <= 86_400
    assert not store.exists("fibs")


@pytest.mark.parametrize("invalid", ["", "x", "1 a:5\n55", "123", "1 a:5\n" + "0" * 31_348])
def test_an_invalid_large_number_is_computed_again(app, store, invalid):
    store.set("gz:fibs:large:150000", invalid)
    assert is_cached(app, 150_000) is False
    assert is_cached(app, 150_000) is True


def test_there_are_few_large_numbers(app, store, monkeypatch):
    results = replace(services.LARGE_FIBS, budget=3)
    moment = [1000.0]
    monkeypatch.setattr(times, "now", lambda: datetime.fromtimestamp(moment[0], UTC))
    with app.app_context():
        lock = Lock("gz:lock:fibs")
        for n in range(5):
            moment[0] += 1
            results.store(n, made_here(fib.digits(n)), lock)
            assert results.find(0, lock).text == "0"
    keys = set(store.keys("gz:fibs:large:*"))
    assert keys == {f"gz:fibs:large:{n}" for n in (0, 3, 4)}


def test_the_least_recently_used_results_are_evicted(app, store, monkeypatch):
    results = replace(services.FIBS, budget=3)
    moment = [1000.0]
    monkeypatch.setattr(times, "now", lambda: datetime.fromtimestamp(moment[0], UTC))
    with app.app_context():
        lock = Lock("gz:lock:fibs")
        for n in range(5):
            moment[0] += 1
            if n == 3:
                assert results.find(0, lock).text == "0"  # used again just now
                moment[0] += 1
            results.store(n, made_here(str(n)), lock)
    for key in results.keys:
        found = store.zrange(key, 0, -1) if key.endswith("used") else store.hkeys(key)
        assert set(found) == {"0", "3", "4"}, key


def test_results_of_the_original_are_evicted_before_what_is_used(app, store):
    results = replace(services.PIS, budget=10)
    store.hset("pis", mapping={str(n): "3.0" for n in range(1000, 1300)})
    with app.app_context():
        for n in range(30):
            results.store(n, made_here("3.0"), Lock("gz:lock:pis"))
    assert store.hlen("pis") <= 10
    assert store.hexists("pis", "29")


@pytest.mark.parametrize("n", [12, 150_000])
def test_a_result_says_who_computed_it(make_app, n, monkeypatch):
    apps = make_app(), make_app()
    monkeypatch.setattr(times, "now", lambda: datetime.fromtimestamp(1_796_083_200.7, UTC))
    results = services.LARGE_FIBS if n > fib.LARGE else services.FIBS
    with apps[0].app_context():
        results.store(n, made_here(fib.digits(n)), Lock("gz:lock:fibs"))
    with apps[1].app_context():
        origin = results.find(n, Lock("gz:lock:fibs")).origin
    assert (origin.worker, origin.seconds) == (worker_name(), 1_796_083_200)


@pytest.mark.parametrize("stored", [None, "", "x", "x y", "99999999999999999999 a:1", "-5 a:1"])
def test_an_origin_that_cannot_be_read_does_no_harm(app, store, stored):
    store.hset("pis", "1000", "3.140")
    if stored is not None:
        store.hset("gz:pis:by", "1000", stored)
    assert get(app, "/pi/1000") == {"cached": True, "result": 3.14}
    assert Browser(app).get("/numbers?pi=1000").status_code == 200


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
