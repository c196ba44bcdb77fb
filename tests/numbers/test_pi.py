"""π is the plain loop's double, to the last bit."""

import math
import random
import subprocess
import sys
from pathlib import Path

import pytest

from app.numbers import pi

ROOT = Path(__file__).parents[2]
BLOCK = pi.BLOCK


def plain_loop(n):
    """As the original computed it."""
    total = 0.0
    for i in range(1, n):
        total += 1.0 / i / i
    return math.sqrt(6 * total)


def near_borders():
    return [k * BLOCK + d for k in (1, 2, 3) for d in (-1, 0, 1, 2)]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 100, 1000, *near_borders(), 1_000_000])
def test_it_is_the_plain_loop(n):
    assert pi.compute(n).hex() == plain_loop(n).hex()


def test_random_n_are_the_plain_loop():
    chance = random.Random(7)
    for n in chance.sample(range(400_000), 12):
        assert pi.compute(n) == plain_loop(n)


def test_a_million_terms_give_the_promised_digits():
    assert repr(pi.compute(1_000_000)) == "3.141591698659554"


def test_the_first_sums_are_those_of_the_plain_loop():
    total = 0.0
    for block, stored in enumerate(pi.read_sums()[:10]):
        total = pi.add_terms(total, block * BLOCK + 1, (block + 1) * BLOCK)
        assert total.hex() == stored.hex()


def test_each_sum_follows_from_the_one_before():
    sums, chance = pi.read_sums(), random.Random(3)
    for block in chance.sample(range(1, len(sums) - 1), 30):
        follows = pi.add_terms(sums[block - 1], block * BLOCK + 1, (block + 1) * BLOCK)
        assert follows.hex() == sums[block].hex()


def test_the_last_sum_is_the_one_that_no_term_changes():
    """Up to 2^63 and beyond: the terms are smaller than half the distance of doubles between 1 and
    2. Those of larger i are not larger, because rounding keeps the order."""
    sums = pi.read_sums()
    assert len(sums) == 11586 == math.ceil(pi.LAST_TERM / BLOCK)
    total = pi.add_terms(sums[-2], (len(sums) - 1) * BLOCK + 1, pi.LAST_TERM - 1)
    assert total + 1.0 / pi.LAST_TERM / pi.LAST_TERM == sums[-1] != total
    following = 1.0 / (pi.LAST_TERM + 1) / (pi.LAST_TERM + 1)
    assert following < 2.0**-53
    assert 1 <= sums[-1] < 2
    assert sums[-1] + math.nextafter(2.0**-53, 0) == sums[-1]
    assert sums[-1] + following == sums[-1] + 1.0 / pi.LIMIT / pi.LIMIT == sums[-1]


def test_from_the_last_n_on_nothing_changes():
    """The original's loop from the stored sum on, past the last n."""
    blocks = len(pi.read_sums()) - 1
    total, changes = pi.read_sums()[-2], []
    compared = range((pi.LAST_N - 2000) // 50 * 50, pi.LAST_TERM + 3000, 50)
    for i in range(blocks * BLOCK + 1, pi.LAST_TERM + 3000):
        before = math.sqrt(6 * total)
        total += 1.0 / i / i
        if i in compared:
            assert pi.compute(i + 1) == math.sqrt(6 * total)
        if math.sqrt(6 * total) != before:
            changes.append(i + 1)
    assert changes[-1] == pi.LAST_N == 94_906_264
    for n in (pi.LAST_N - 1, pi.LAST_N, pi.LAST_N + 1, pi.LAST_N + 2, pi.LAST_N + 3, 2**63):
        assert (repr(pi.compute(n)) == "3.14159264498239") is (n >= pi.LAST_N)


@pytest.mark.soak
def test_the_script_makes_the_table_of_all_sums(tmp_path):
    path = tmp_path / "sums"
    subprocess.run([sys.executable, ROOT / "scripts" / "pi_sums.py", path], check=True)
    assert path.read_bytes() == pi.SUMS.read_bytes()


@pytest.mark.parametrize("text", ["", "x", "nan", "-1.0", "3.2", "inf", "[]"])
def test_an_invalid_result_is_refused(text):
    assert pi.read_result(text) is None


@pytest.mark.parametrize(
    ("text", "same"), [("3.141591698659554", 7), ("0.0", 0), ("3.0", 2), ("3.14159264498239", 9)]
)
def test_agreement_with_the_true_digits(text, same):
    assert pi.count_correct(text) == same
