"""How long what a request computes for a cache may be used: until LIFE_SECONDS after the
computation began, or until one of the cached values that it is computed from expires or is made
stale by a change."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

LIFE_SECONDS = 30


class Lifetime(threading.local):
    """Of what this thread computes: its expiry on the monotonic clock, None if it computes nothing,
    and the kinds of changes that it depends on (changes.py), each with the prefix of its cache."""

    ends: float | None = None
    changes: frozenset[tuple[str, str]] = frozenset()

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Compute a value in this block. One that needs it expires with it at the latest, and
        depends on the same."""
        outer, changes = self.ends, self.changes
        self.ends, self.changes = time.monotonic() + LIFE_SECONDS, frozenset()
        try:
            yield
        finally:
            self.changes = frozenset() if outer is None else changes | self.changes
            self.ends = None if outer is None else min(outer, self.ends)

    def depend(self, prefix: str, kinds: Iterable[str]) -> None:
        """What is being computed becomes stale with changes of these kinds."""
        if self.ends is not None:
            self.changes |= {(prefix, kind) for kind in kinds}

    def changes_of(self, prefix: str) -> set[str]:
        """The kinds of changes of a cache that make what is computed stale."""
        return {kind for of, kind in self.changes if of == prefix}

    def limit(self, milliseconds: int) -> None:
        """A cached value that is used expires after so many."""
        if self.ends is not None:
            self.ends = min(self.ends, time.monotonic() + milliseconds / 1000)

    @property
    def left(self) -> int:
        """The milliseconds that are left of the value being computed, at least one."""
        return max(1, int(1000 * ((self.ends or 0) - time.monotonic())))


lifetime = Lifetime()
