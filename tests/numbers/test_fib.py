"""Fibonacci numbers are exact."""

import pytest

from app.numbers import fib


def test_small_ones_equal_the_plain_loop():
    a, b = 0, 1
    for n in range(2000):
        assert fib.fib(n) == a
        assert fib.count_digits(n) == len(fib.digits(a))
        a, b = b, a + b


@pytest.mark.parametrize("n", [4095, 4096, 20_577, 99_999, 100_000])
def test_large_ones_have_all_digits_and_add_up(n):
    assert fib.fib(n) == fib.fib(n - 1) + fib.fib(n - 2)
    text = fib.digits(fib.fib(n))
    assert len(text) == fib.count_digits(n)
    assert int(text[-9:]) == fib.fib(n) % 10**9


def test_the_limit_begins_and_ends_as_known():
    text = fib.digits(fib.fib(100_000))
    assert len(text) == 20_899
    assert text.startswith("2597406934722172416615503402127591541488048538651769658472477070395253")
    assert text.endswith("49895374653428746875")


@pytest.mark.parametrize("text", ["", "x", "5.0", "-5", "５", "55", "05", "1e3"])
def test_an_invalid_result_is_refused(text):
    assert fib.read_result(text, 5) is None


def test_stored_results_are_read():
    assert fib.read_result("0", 0) == "0"
    assert fib.read_result("5", 5) == "5"
    assert fib.read_result("12200160415121876738", 93) == "12200160415121876738"
