"""Write app/numbers/pi_sums.bin, which takes some ten seconds:

    .venv/bin/python scripts/pi_sums.py app/numbers/pi_sums.bin

It holds the sums of 1.0/i/i for i from 1 on, added one by one, after each block of terms, as
little-endian doubles. The last block is shorter: no term after it changes the sum.
"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

BLOCK = 8_192


def make_sums() -> Iterator[float]:
    """The sums after each block, up to the first term that does not change the sum."""
    total, first = 0.0, 1
    while True:
        for i in range(first, first + BLOCK):
            total += 1.0 / i / i
        yield total
        first += BLOCK
        if total + 1.0 / first / first == total:
            return


def main(path: Path) -> None:
    """Write the file."""
    path.write_bytes(b"".join(struct.pack("<d", total) for total in make_sums()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
