"""A computation does not block the other requests of its worker."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from app.numbers import fib, pi


@pytest.mark.deploy
def test_other_requests_are_answered_while_pi_is_computed(gunicorn, store):
    """One π adds a block of terms at most. A busy machine stretches everything alike, so what a
    request waits is compared with what they all take: it never waits for many of them."""
    store.flushall()
    waits, computed = wait_times(gunicorn(1))
    late = waits[int(0.95 * len(waits))]
    print(f"p95 {late * 1000:.1f} ms, longest {waits[-1] * 1000:.1f} ms")  # noqa: T201
    assert len(waits) > 20
    assert late < 0.15 * computed


@pytest.mark.deploy
def test_other_requests_are_answered_while_large_fibonacci_numbers_are_computed(gunicorn, store):
    """In child processes under gevent; the number is exact."""
    store.flushall()
    address = gunicorn(1)
    with ThreadPoolExecutor(1) as pool, requests.Session() as session:
        session.get(f"{address}/healthz")
        computing = pool.submit(requests.get, f"{address}/fib/1000000", timeout=60)
        waits = []
        while not computing.done():
            begun = time.perf_counter()
            session.get(f"{address}/healthz")
            waits.append(time.perf_counter() - begun)
    answer = computing.result().text
    assert answer == f'{{"cached": false, "result": {fib.digits(1_000_000)}}}'
    assert len(waits) > 5


def wait_times(address):
    """How long /healthz takes, sorted, while the only worker computes a hundred π that take long,
    four at once, and how long these take."""
    results = []

    def compute(first):
        with requests.Session() as session:
            for block in range(first, 100, 4):
                response = session.get(f"{address}/pi/{(block + 1) * pi.BLOCK}", timeout=120)
                results.append(response.json()["cached"])

    computing = [threading.Thread(target=compute, args=(first,)) for first in range(4)]
    waits = []
    with requests.Session() as session:
        session.get(f"{address}/healthz")
        for thread in computing:
            thread.start()
        first = time.perf_counter()
        while any(thread.is_alive() for thread in computing):
            begun = time.perf_counter()
            session.get(f"{address}/healthz")
            waits.append(time.perf_counter() - begun)
    assert results == [False] * 100
    return sorted(waits), time.perf_counter() - first
