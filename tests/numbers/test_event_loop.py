"""A computation does not block the other requests of its worker."""

import threading
import time

import pytest
import requests


@pytest.mark.slow
def test_other_requests_are_answered_while_pi_is_computed(gunicorn, client, record_property):
    address = gunicorn(1)
    # The promise is 50 ms. On a machine that others use too it is asserted threefold, and the best
    # of three runs counts.
    for _ in range(3):
        client.flushall()
        waits = wait_times(address)
        record_property("milliseconds", [round(wait * 1000, 1) for wait in waits])
        if waits[int(0.95 * len(waits))] < 0.15:
            break
    print(f"p50 {waits[len(waits) // 2] * 1000:.1f} ms, longest {waits[-1] * 1000:.1f} ms")  # noqa: T201
    assert len(waits) > 20
    assert waits[int(0.95 * len(waits))] < 0.15


def wait_times(address):
    """How long /healthz takes, sorted, while π is computed on the only worker."""
    answers = []
    computing = threading.Thread(
        target=lambda: answers.append(requests.get(f"{address}/pi/10000000", timeout=60).json())
    )
    waits = []
    with requests.Session() as session:
        session.get(f"{address}/healthz")
        computing.start()
        while not answers:
            begun = time.perf_counter()
            session.get(f"{address}/healthz")
            waits.append(time.perf_counter() - begun)
            time.sleep(0.002)
    computing.join()
    assert answers == [{"cached": False, "result": 3.141592558095893}]
    return sorted(waits)
