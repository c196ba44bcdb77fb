"""A computation does not block the other requests of its worker."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from app.numbers import fib, pi

AT_ONCE = 4


@pytest.mark.deploy
def test_other_requests_are_answered_while_pi_is_computed(gunicorn, store):
    """One π adds a block of terms at most. What a request waits is counted in the π that are
    answered in the meantime, so that a busy machine makes no difference: it waits for those that
    came before it, of which there are four at most, and for what is sent just then."""
    store.flushall()
    waits = wait_for_pi(gunicorn(1))
    assert len(waits) >= 100 / (2 * AT_ONCE)
    assert waits[int(0.95 * len(waits))] <= 2 * AT_ONCE


@pytest.mark.deploy
def test_other_requests_are_answered_while_large_fibonacci_numbers_are_computed(gunicorn, store):
    """In child processes under gevent; the number is exact."""
    store.flushall()
    address = gunicorn(1)
    with ThreadPoolExecutor(1) as pool, requests.Session() as session:
        session.get(f"{address}/healthz")
        computing = pool.submit(requests.get, f"{address}/fib/1000000", timeout=60)
        answered = 0
        while not computing.done():
            session.get(f"{address}/healthz")
            answered += 1
    answer = computing.result().text
    assert answer == f'{{"cached": false, "result": {fib.digits(1_000_000)}}}'
    assert answered > 5  # one waits if it blocks the worker


def wait_for_pi(address):
    """How many of a hundred π that take long, four at once, the only worker answers while it lets
    /healthz wait; sorted."""
    results = []

    def compute(first):
        with requests.Session() as session:
            for block in range(first, 100, AT_ONCE):
                response = session.get(f"{address}/pi/{(block + 1) * pi.BLOCK}", timeout=120)
                results.append(response.json()["cached"])

    computing = [threading.Thread(target=compute, args=(first,)) for first in range(AT_ONCE)]
    waits = []
    with requests.Session() as session:
        session.get(f"{address}/healthz")
        for thread in computing:
            thread.start()
        while any(thread.is_alive() for thread in computing):
            before = len(results)
            session.get(f"{address}/healthz")
            waits.append(len(results) - before)
    assert results == [False] * 100
    return sorted(waits)
