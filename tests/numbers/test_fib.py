"""Fibonacci numbers are exact."""

import math
import signal
import subprocess
import sys

import pytest

from app.numbers import fib


def test_small_ones_equal_the_plain_loop():
    a, b = 0, 1
    for n in range(5000):
        assert fib.digits(n) == str(a)
        assert fib.count_digits(n) == len(fib.digits(n))
        a, b = b, a + b


def plain_end(n, digits=30):
    """The last digits, by adding one after the other."""
    a, b = 0, 1
    for _ in range(n):
        a, b = b, (a + b) % 10**digits
    return f"{a:0{digits}d}"


@pytest.mark.parametrize("n", [5000, 20_577, 99_999, 100_000, 131_071, 131_072, 478_498, 1_000_000])
def test_large_ones_begin_end_and_count_as_they_must(n):
    text = fib.digits(n)
    assert len(text) == fib.count_digits(n)
    assert text.endswith(plain_end(n))
    fraction = (n * math.log10((1 + math.sqrt(5)) / 2) - math.log10(5) / 2) % 1
    assert float(f"{text[0]}.{text[1:15]}") == pytest.approx(10**fraction, rel=1e-8)


@pytest.mark.parametrize("n", [50_000, 300_001])
def test_three_in_a_row_add_up(n):
    sys.set_int_max_str_digits(70_000)
    try:
        one, two, three = (int(fib.digits(n + step)) for step in range(3))
    finally:
        sys.set_int_max_str_digits(4300)
    assert one + two == three


def test_the_former_limit_begins_and_ends_as_known():
    text = fib.digits(100_000)
    assert len(text) == 20_899
    assert text.startswith("2597406934722172416615503402127591541488048538651769658472477070395253")
    assert text.endswith("49895374653428746875")


def test_the_limit_has_208_988_digits():
    text = fib.digits(fib.LIMIT)
    assert len(text) == 208_988
    assert (text[:10], text[-10:]) == ("1953282128", "8242546875")


def test_no_count_of_digits_is_near_a_border_where_floats_could_be_wrong():
    """They are exact to about 1e-9 here."""
    step, start = math.log10((1 + math.sqrt(5)) / 2), math.log10(5) / 2
    distances = (abs(x - round(x)) for x in (n * step - start for n in range(20, fib.LIMIT + 1)))
    assert min(distances) > 1e-8


@pytest.mark.parametrize("n", [0, 93, 150_000])
def test_the_program_writes_the_same(n):
    done = run(n)
    assert (done.returncode, done.stdout, done.stderr) == (0, fib.digits(n), "")


@pytest.mark.soak
def test_the_program_ends_itself_at_its_limit_of_time():
    """Also when nobody is left who would kill it. A larger n exceeds the limit of memory first."""
    assert run(3 * 10**8).returncode == -signal.SIGKILL


def run(n):
    """Run the program on its own."""
    words = [sys.executable, "-I", fib.__file__, str(n)]
    return subprocess.run(words, capture_output=True, text=True, env={}, check=False)


@pytest.mark.parametrize("text", ["", "x", "5.0", "-5", "５", "55", "05", "1e3"])
def test_an_invalid_result_is_refused(text):
    assert fib.read_result(text, 5) is None


def test_stored_results_are_read():
    assert fib.read_result("0", 0) == "0"
    assert fib.read_result("5", 5) == "5"
    assert fib.read_result("12200160415121876738", 93) == "12200160415121876738"
