"""Fibonacci numbers, exact: fib(0) = 0, fib(1) = 1.

Run as a program with n, this file writes fib(n) within limits of its own: it takes nothing from the
rest of the application.
"""

import math
import os
import resource
import sys
from decimal import MAX_EMAX, Context, Decimal, Inexact, localcontext

LIMIT = 1_000_000
# Above this n the program is used; up to it a number takes 3 ms and has 20,899 digits.
LARGE = 100_000
CPU_SECONDS, MEMORY = 10, 256 * 1024 * 1024  # of the program; fib(1,000,000) takes 0.05 s and 20 MB


def digits(n: int) -> str:
    """All digits of fib(n), by fast doubling, from the highest bit of n down:

    fib(2k) = fib(k) * (2 * fib(k+1) - fib(k)), fib(2k+1) = fib(k)² + fib(k+1)².

    As decimals, because the digits of an int of this size take much longer than the number: 1.2 s
    for n = 1,000,000, instead of 0.05 s in all. What would be rounded raises Inexact.
    """
    exact = Context(prec=count_digits(n) + 3, Emax=MAX_EMAX, traps=[Inexact])
    with localcontext(exact):
        a, b = Decimal(0), Decimal(1)
        for bit in f"{n:b}":
            even, odd = a * (b + b - a), a * a + b * b
            a, b = (even, odd) if bit == "0" else (odd, even + odd)
        return str(a)


def count_digits(n: int) -> int:
    """How many digits fib(n) has: it is φⁿ/√5, rounded."""
    if n < 2:
        return 1
    return math.floor(n * math.log10((1 + math.sqrt(5)) / 2) - math.log10(5) / 2) + 1


def read_result(text: str, n: int) -> str | None:
    """A stored result, or None if it cannot be fib(n)."""
    valid = text.isascii() and text.isdigit() and len(text) == count_digits(n)
    return text if valid and (text[0] != "0" or n == 0) else None


def main(n: int) -> None:
    """Write fib(n), after whatever is more urgent."""
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.stdout.write(digits(n))


if __name__ == "__main__":
    main(int(sys.argv[1]))
