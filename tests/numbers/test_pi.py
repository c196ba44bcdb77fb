"""π is the plain loop's double, to the last bit."""

import math
import random

import pytest

from app.numbers import pi

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
def test_blocks_add_up_to_the_plain_loop(n):
    total = 0.0
    for first in range(1, n, BLOCK):
        total = pi.add_terms(total, first, min(first + BLOCK, n) - 1)
    assert pi.from_sum(total).hex() == plain_loop(n).hex()


def test_a_million_terms_give_the_promised_digits():
    assert repr(plain_loop(1_000_000)) == "3.141591698659554"


def test_every_true_sum_is_accepted():
    total = 0.0
    for block in range(1, 60):
        total = pi.add_terms(total, (block - 1) * BLOCK + 1, block * BLOCK)
        assert pi.read_sum(total.hex(), block * BLOCK) == total


@pytest.mark.parametrize(
    "text",
    [None, "", "x", "nan", "inf", "-inf", "0x0p+0", "0x1p+9999", (1.7).hex(), (1.0).hex(), "0x1.a",
     "3.14"],
)  # fmt: skip
def test_an_invalid_sum_is_refused(text):
    assert pi.read_sum(text, BLOCK) is None


def test_a_sum_of_other_terms_is_refused():
    total = pi.add_terms(0.0, 1, BLOCK)
    assert pi.read_sum(total.hex(), 2 * BLOCK) is None


@pytest.mark.parametrize("text", ["", "x", "nan", "-1.0", "3.2", "inf", "[]"])
def test_an_invalid_result_is_refused(text):
    assert pi.read_result(text) is None


@pytest.mark.parametrize(
    ("text", "same"), [("3.141591698659554", 7), ("0.0", 0), ("3.0", 2), ("3.14159264498239", 9)]
)
def test_agreement_with_the_true_digits(text, same):
    assert pi.count_correct(text) == same


def test_random_n_equal_the_plain_loop():
    chance = random.Random(7)
    for n in chance.sample(range(200_000), 12):
        total = pi.add_terms(0.0, 1, n - 1)
        assert pi.from_sum(total) == plain_loop(n)
