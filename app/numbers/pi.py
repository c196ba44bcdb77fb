"""π as the original computes it: sqrt(6 * s), where s is the sum of 1.0/i/i for i from 1 to n-1.

The terms are added in that order in IEEE doubles, so the result is the same double to the last
bit, its rounding included. (The true partial sum of n = 1,000,000 gives 3.141591698659512, the
loop 3.141591698659554, which is what callers expect.) The sums after each BLOCK of terms are in
`pi_sums.bin`, so that at most one block is added for any n.
"""

import math
import struct
from functools import cache
from pathlib import Path

LIMIT = 2**63
# A block takes 0.6 ms. Other values of BLOCK and LAST_TERM need another file, which
# scripts/pi_sums.py writes: little-endian doubles, the sum of each block's last term, the last
# block ending with LAST_TERM.
BLOCK = 8_192
SUMS = Path(__file__).with_name("pi_sums.bin")
# The sum does not change after this term: the sum is between 1 and 2, where doubles are 2^-52
# apart, and all later terms are below half of that.
LAST_TERM = 94_906_265
# From this n on π does not change: the square root rounds the last two changes away.
LAST_N = 94_906_264
# What the digits of a result are compared with: more than a double can hold.
TRUE_DIGITS = "3.14159265358979323846"


def compute(n: int) -> float:
    """π for any n."""
    terms = count_terms(n)
    stored = terms if terms == LAST_TERM else terms // BLOCK * BLOCK
    total = read_sums()[math.ceil(stored / BLOCK) - 1] if stored else 0.0
    return math.sqrt(6 * add_terms(total, stored + 1, terms))


def count_terms(n: int) -> int:
    """How many terms make a difference."""
    return min(max(n - 1, 0), LAST_TERM)


def add_terms(total: float, first: int, last: int) -> float:
    """The sum after adding the terms from `first` to `last`, both included, one by one."""
    for i in range(first, last + 1):
        total += 1.0 / i / i
    return total


@cache
def read_sums() -> tuple[float, ...]:
    """The stored sums."""
    return tuple(total for (total,) in struct.iter_unpack("<d", SUMS.read_bytes()))


def read_result(text: str) -> str | None:
    """A stored result as JSON writes it, or None if it is not a valid one."""
    try:
        value = float(text)
    except ValueError:
        return None
    return repr(value) if 0 <= value <= math.pi else None


def count_correct(text: str) -> int:
    """How many characters at the beginning are those of the true π."""
    pairs = zip(text, TRUE_DIGITS, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(text), len(TRUE_DIGITS)))
