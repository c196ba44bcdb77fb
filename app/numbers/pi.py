"""π as the original computes it: sqrt(6 * s), where s is the sum of 1.0/i/i for i from 1 to n-1.

The terms are added in that order in IEEE doubles, so the result is the same double to the last
bit, its rounding included. (The true partial sum of n = 1,000,000 gives 3.141591698659512, the
loop 3.141591698659554, which is what callers expect.) From n = 94,906,264 on the result no
longer changes.
"""

import math

LIMIT = 10_000_000
# Terms that are added without a pause: about 2.3 ms, after which other requests get their turn.
BLOCK = 32_768
# What the digits of a result are compared with: more than a double can hold.
TRUE_DIGITS = "3.14159265358979323846"


def add_terms(total: float, first: int, last: int) -> float:
    """The sum after adding the terms from `first` to `last`, both included, one by one."""
    for i in range(first, last + 1):
        total += 1.0 / i / i
    return total


def from_sum(total: float) -> float:
    """π from the sum."""
    return math.sqrt(6 * total)


def read_sum(text: str | None, terms: int) -> float | None:
    """A sum stored as `float.hex()`, or None if it cannot be the sum of that many terms.

    The difference to π²/6 lies between 1/(terms + 1) and 1/terms; each addition may have rounded
    by half a unit in the last place.
    """
    try:
        total = float.fromhex(text or "")
    except (ValueError, OverflowError):
        return None
    difference = math.pi**2 / 6 - total
    rounding = (terms + 2) * 2.0**-53
    return total if 1 / (terms + 1) - rounding <= difference <= 1 / terms + rounding else None


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
