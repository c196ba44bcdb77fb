"""One computation per key over all processes, whatever happens to the one that computes."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from app.errors import Unavailable
from app.numbers import cache, services
from app.numbers.cache import COUNTERS, Kind, Lease
from tests import servers
from tests.factories import Browser


def commands(redis):
    """How many commands Redis has carried out so far."""
    return redis.info("stats")["total_commands_processed"]


def ask(app, path):
    return Browser(app).get(path).json


def test_many_who_ask_at_once_get_one_computation(make_app, kept):
    apps = [make_app(), make_app()]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda i: ask(apps[i % 2], "/pi/400000"), range(10)))
    assert sorted(answer["cached"] for answer in answers) == [False] + [True] * 9
    assert len({answer["result"] for answer in answers}) == 1
    assert kept.hgetall(COUNTERS) == {"computed": "1", "hits": "9"}
    assert not kept.keys("gz:lock:*")


def test_processes_share_one_computation(gunicorn, kept):
    kept.flushall()
    address = gunicorn(2)
    with ThreadPoolExecutor(8) as pool:
        asked = pool.map(lambda _: requests.get(f"{address}/pi/3000000", timeout=30), range(8))
        answers = [answer.json() for answer in asked]
    assert sorted(answer["cached"] for answer in answers) == [False] + [True] * 7
    assert kept.hget(COUNTERS, "computed") == "1"


def test_what_the_original_kept_is_answered_from_the_cache(app, kept):
    kept.hset("pis", "1000000", "3.141591698659554")
    kept.hset("fibs", "93", "12200160415121876738")
    assert ask(app, "/pi/1000000") == {"cached": True, "result": 3.141591698659554}
    assert ask(app, "/fib/93") == {"cached": True, "result": 12200160415121876738}


def test_results_stand_in_the_hashes_of_the_original(app, kept):
    ask(app, "/pi/1000000")
    ask(app, "/fib/300")
    assert kept.hgetall("pis") == {"1000000": "3.141591698659554"}
    assert list(kept.hgetall("fibs")) == ["300"]


@pytest.mark.parametrize("wrong", ["", "nonsense", "nan", "9.0", "\ufffd", "[]"])
def test_a_value_that_does_not_parse_is_computed_again(app, kept, wrong):
    kept.hset("pis", "2", wrong)
    assert ask(app, "/pi/2") == {"cached": False, "result": 2.449489742783178}
    assert kept.hget("pis", "2") == "2.449489742783178"
    assert ask(app, "/pi/2")["cached"] is True


def test_bytes_that_are_no_text_are_computed_again(app, kept):
    kept.hset("fibs", "10", b"\xff\x80\x04")
    assert ask(app, "/fib/10") == {"cached": False, "result": 55}


def test_one_who_waits_gets_what_the_other_computes(app, kept):
    kept.set("gz:lock:fibs:50", "somebody else", px=600_000)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, app, "/fib/50")
        asked = commands(kept)
        servers.wait_until(lambda: commands(kept) > asked + 20, "it asks again and again")
        assert not waiting.done()
        kept.hset("fibs", "50", "12586269025")
        assert waiting.result(60) == {"cached": True, "result": 12586269025}
    assert kept.get("gz:lock:fibs:50") == "somebody else"


def test_when_the_one_who_computes_dies_another_does(app, kept):
    kept.set("gz:lock:fibs:50", "somebody who died", px=200)
    assert ask(app, "/fib/50") == {"cached": False, "result": 12586269025}


def test_waiting_has_an_end(app, kept, monkeypatch):
    monkeypatch.setattr(cache, "WAIT_SECONDS", 0.2)
    kept.set("gz:lock:fibs:50", "somebody slow", px=600_000)
    answer = Browser(app).get("/fib/50")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"


def test_a_lock_is_renewed_and_released_by_its_holder_alone(app, kept, monkeypatch):
    monkeypatch.setattr(cache, "RENEW_SECONDS", 0)
    with app.app_context():
        mine, other = Lease(services.FIBS, 7), Lease(services.FIBS, 7)
        assert cache.find_or_claim(mine) is None
        kept.pexpire("gz:lock:fibs:7", 2000)
        other.release()
        other.renew()
        assert kept.pttl("gz:lock:fibs:7") <= 2000
        mine.renew()
        assert kept.pttl("gz:lock:fibs:7") > 2000
        mine.release()
        assert not kept.exists("gz:lock:fibs:7")


def test_a_long_computation_keeps_its_lock(app, kept, monkeypatch):
    monkeypatch.setattr(cache, "LOCK_MILLISECONDS", 2000)
    monkeypatch.setattr(cache, "RENEW_SECONDS", 0.1)

    def slowly(lease):
        end = time.monotonic() + 3  # longer than the lock lives unless it is renewed
        while time.monotonic() < end:
            time.sleep(0.05)
            lease.renew()
        return "5"

    def compute(_):
        with app.app_context():
            return cache.get_or_compute(services.FIBS, 5, slowly, lambda: None)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(compute, range(2))) == [("5", False), ("5", True)]


def test_a_refused_or_failed_computation_lets_go(app, kept):
    def fail(_lease):
        raise ZeroDivisionError

    with app.app_context():
        with pytest.raises(ZeroDivisionError):
            cache.get_or_compute(services.FIBS, 5, fail, lambda: None)
        with pytest.raises(Unavailable):
            cache.get_or_compute(services.FIBS, 5, lambda _: "5", refuse)
    assert not kept.keys("gz:lock:*")


def refuse():
    raise Unavailable()


def test_a_process_computes_a_few_at_once_and_no_more(app, monkeypatch):
    monkeypatch.setattr(cache, "TURN_SECONDS", 0.05)
    for _ in range(4):
        assert cache.turns.acquire(blocking=False)
    try:
        answer = Browser(app).get("/pi/77")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "2"
        assert "error" in answer.json
    finally:
        for _ in range(4):
            cache.turns.release()
    assert Browser(app).get("/pi/77").json["cached"] is False


def test_the_longest_unused_leave_first(app, kept, monkeypatch):
    kind = Kind("fibs", 3, services.FIBS.read)
    moment = [1000.0]
    monkeypatch.setattr(cache.time, "time", lambda: moment[0])
    with app.app_context():
        for n in range(5):
            moment[0] += 1
            if n == 3:
                assert cache.find_or_claim(Lease(kind, 0)) == "0"  # used again just now
                moment[0] += 1
            cache.keep(kind, n, str(n))
    assert set(kept.hkeys("fibs")) == {"0", "3", "4"}
    assert set(kept.zrange(kind.used, 0, -1)) == {"0", "3", "4"}


def test_over_the_budget_what_the_original_kept_leaves_before_what_is_used(app, kept):
    kind = Kind("pis", 10, services.PIS.read)
    kept.hset("pis", mapping={str(n): "3.0" for n in range(1000, 1300)})
    with app.app_context():
        for n in range(30):
            cache.keep(kind, n, "3.0")
    assert kept.hlen("pis") <= 10
    assert kept.hexists("pis", "29")


def test_figures_count_hits_computations_and_workers(make_app, kept):
    app = make_app()
    for _ in range(3):
        ask(app, "/fib/12")
    with app.app_context():
        figures = cache.figures()
    assert (figures.hits, figures.computed, figures.workers) == (2, 1, 1)
    assert figures.rate == pytest.approx(2 / 3)


def test_a_larger_n_goes_on_from_the_kept_sums(app, kept):
    first = ask(app, "/pi/200000")
    assert sorted(map(int, kept.hkeys(services.SUMS))) == [32768 * k for k in range(1, 7)]
    with app.app_context():
        done, total = services.latest_sum(299_999)
        assert (done, total.hex()) == (196_608, kept.hget(services.SUMS, "196608"))
    larger = ask(app, "/pi/300000")
    kept.flushall()
    assert ask(app, "/pi/300000")["result"] == larger["result"]
    assert ask(app, "/pi/200000")["result"] == first["result"]


@pytest.mark.parametrize("wrong", ["", "nonsense", "nan", "0x0p+0", "0x1.8p+0", "0x1.fp+0"])
def test_wrong_sums_are_passed_over(app, kept, wrong):
    right = ask(app, "/pi/100000")["result"]
    kept.delete("pis")
    kept.hset(services.SUMS, mapping={"98304": wrong, "65536": wrong})
    assert ask(app, "/pi/100000") == {"cached": False, "result": right}


def test_threads_of_one_process_do_not_wait_for_each_other_for_ever(app):
    started = threading.Barrier(6)

    def one(n):
        started.wait()
        return ask(app, f"/pi/{n}")["cached"]

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(one, range(50_000, 50_006))) == [False] * 6
