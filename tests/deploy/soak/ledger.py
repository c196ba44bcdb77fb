"""What the writers have sent, and what became of it."""

import itertools
import json
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

Key = tuple[str, str]


class Outcome(StrEnum):
    """What the response said of a write."""

    DONE = "acknowledged"
    REFUSED = "refused"  # certainly not done
    UNKNOWN = "unknown"  # a fault came between: it may be done, and not more than once


@dataclass
class Write:
    """One change that somebody asked for. `action` is that of the history; `key` is a value that
    no other change has, or names the subject."""

    action: str
    key: str
    outcome: Outcome = Outcome.UNKNOWN


@dataclass(frozen=True)
class Answer:
    """A response, or 0 for a broken connection."""

    what: str
    status: int
    sent: float
    answered: float


class Ledger:
    """Appends every write to a file, before it is sent and when it was answered; remembers all
    responses, and those that no fault explains."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)  # for values that no other change has
        self.writes: list[Write] = []
        self.answers: list[Answer] = []
        self.faulty: list[str] = []

    def begin(self, action: str, key: object) -> Write:
        """A write that is about to be sent."""
        write = Write(action, str(key))
        with self.lock:
            self.writes.append(write)
            self.append(write)
        return write

    def end(self, write: Write, outcome: Outcome) -> None:
        with self.lock:
            write.outcome = outcome
            self.append(write)

    def append(self, write: Write) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps([round(time.time(), 3), asdict(write)]) + "\n")

    def answered(self, what: str, status: int, sent: float) -> None:
        with self.lock:
            self.answers.append(Answer(what, status, sent, time.monotonic()))

    def fault(self, text: str) -> None:
        """Note a response that no fault explains; it fails the test at the end."""
        with self.lock:
            self.faulty.append(text)

    def bounds(self) -> dict[Key, tuple[int, int]]:
        """How often each change may be in the history: at least as often as it was acknowledged,
        at most as often as it was not refused."""
        least = Counter((w.action, w.key) for w in self.writes if w.outcome is Outcome.DONE)
        most = Counter((w.action, w.key) for w in self.writes if w.outcome is not Outcome.REFUSED)
        return {(w.action, w.key): (least[w.action, w.key], most[w.action, w.key])
                for w in self.writes}  # fmt: skip
