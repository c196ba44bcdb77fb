"""The arithmetic of the benchmarks."""

import os
import time
from math import nan

import pytest

from tests.benchmarks import table
from tests.benchmarks.clients import repeat
from tests.benchmarks.figures import Load, Sample, doubts, percentile, ratios, spread
from tests.benchmarks.machine import memory, processor_seconds, usage


def sample(rate=100.0, others=0.0, steal=0.0, failures=0):
    load = Load(round(rate * 2), failures, 2.0, 1.0, 5.0)
    return Sample(load, 0.5, 0.25, 90, others, steal)


def test_failures_are_not_part_of_the_throughput():
    assert Load(done=300, failures=50, seconds=2.0, p50=1, p99=1).rate == 150
    assert Load(done=0, failures=50, seconds=0.0, p50=1, p99=1).rate == 0


def test_ratios_are_those_of_the_same_round():
    ours, peer = [sample(100), sample(200), sample(300)], [sample(50), sample(200), sample(400)]
    assert ratios(ours, peer) == [2, 1, 0.75]
    assert ratios(ours, [sample(50), sample(0), sample(400)]) == [2, 0.75]


def test_spread_is_median_smallest_and_largest():
    found = spread([3.0, 1.0, 2.0, 10.0])
    assert (found.median, found.low, found.high, found.factor) == (2.5, 1, 10, 10)
    assert spread([0.0, 0.0]).factor == 1
    assert spread([0.0, 2.0]).factor == float("inf")


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (0.001, 1), (1, 100)])
def test_percentile_is_one_of_the_figures(share, expected):
    assert percentile(range(100, 0, -1), share) == expected
    assert percentile([7], share) == 7


@pytest.mark.parametrize(
    ("samples", "rates", "expected"),
    [
        ([sample()] * 3, [1.0, 1.1, 1.5], []),
        ([sample()] * 3, [1.0, 1.1, 1.6], ["spread 1.6"]),
        ([sample(others=0.1), sample(), sample()], [1.0] * 3, []),
        ([sample(others=0.3), sample(others=0.1), sample()], [1.0] * 3, ["load 30%"]),
        ([sample(steal=0.03), sample(), sample()], [1.0] * 3, ["steal 3%"]),
        ([sample(others=0.5)] * 2, [1.0, 9.0], ["load 50%", "2 rounds"]),
    ],
)
def test_figures_are_untrustworthy_on_a_busy_machine_and_if_rounds_differ(samples, rates, expected):
    assert doubts(samples, rates) == expected


def test_table_compares_each_side_with_ours():
    samples = {
        "ours": [sample(90), sample(110), sample(100)],
        "peer": [sample(100, failures=2)] * 3,
    }
    ours, peer = ([cell.strip() for cell in line.split("|")] for line in table.lines("x", samples))
    assert len(ours) == len(peer) == len(table.head().splitlines()[0].split("|"))
    assert ours[1:5] == ["x", "ours", "100", "1.00"]
    assert ours[10:12] == ["", ""]
    assert peer[8] == "6"
    assert peer[10:12] == ["1.00 (0.90–1.10)", "0.90 1.10 1.00"]


def test_a_comparison_is_doubted_as_both_of_its_sides_are():
    samples = {"ours": [sample(), sample(others=0.3), sample()], "peer": [sample()] * 3}
    for line in table.lines("x", samples):
        assert "load 30%" in line


def test_slowest_of_a_hundred_is_not_known_of_fewer():
    few, many = sample(49), sample(50)
    [line] = table.lines("x", {"ours": [few, few]})
    assert [cell.strip() for cell in line.split("|")][4:6] == ["1.00", "–"]
    [line] = table.lines("x", {"ours": [few, many]})
    assert [cell.strip() for cell in line.split("|")][4:6] == ["1.00", "5.00"]


def test_table_says_nothing_where_nobody_was_answered():
    nothing = Sample(Load(0, 1, 2.0, nan, nan), nan, nan, 90, 0, 0)
    for taken, cells in (([nothing], ["–", "–"]), ([nothing, sample()], ["1.00", "5.00"])):
        [line] = table.lines("x", {"ours": taken})
        assert [cell.strip() for cell in line.split("|")][4:6] == cells


def test_processor_time_and_memory_of_a_process_are_read():
    before, start = usage(os.getpid(), os.getpid()), processor_seconds([os.getpid()])
    while processor_seconds([os.getpid()]) < start + 0.2:  # the machine counts in coarse ticks
        time.monotonic()
    spent = usage(os.getpid(), None) - before
    assert min(spent.web, spent.below, spent.programs) > 0.03
    assert spent.total >= spent.programs - 1e-6
    assert memory([os.getpid()]) > 10
    assert processor_seconds([0]) == memory([0]) == 0


def test_client_that_asks_one_after_the_other_counts_failures():
    answers = iter([True, False, OSError("reset")])

    def ask():
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    load = repeat(ask, 0, least=3, volume=7)
    assert (load.done, load.failures, load.volume) == (1, 2, 7)
    assert load.seconds > 0
    assert load.p99 >= load.p50 >= 0
