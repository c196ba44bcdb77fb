"""When what a request computes for a cache expires: LIFE_SECONDS after the computation began, or
with the first of the cached values that it is computed from."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

LIFE_SECONDS = 30


class Lifetime(threading.local):
    """The expiry of what this thread computes, on the monotonic clock; None if it computes
    nothing."""

    ends: float | None = None

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Compute a value in this block. One that needs it expires with it at the latest."""
        outer, self.ends = self.ends, time.monotonic() + LIFE_SECONDS
        try:
            yield
        finally:
            self.ends = None if outer is None else min(outer, self.ends)

    def limit(self, milliseconds: int) -> None:
        """A cached value that is used expires after so many."""
        if self.ends is not None:
            self.ends = min(self.ends, time.monotonic() + milliseconds / 1000)

    @property
    def left(self) -> int:
        """The milliseconds that are left of the value being computed, at least one."""
        return max(1, int(1000 * ((self.ends or 0) - time.monotonic())))


lifetime = Lifetime()
