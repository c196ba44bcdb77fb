"""The trace of an error, as lines: its last frames, and not again and again."""

import logging
import time
import traceback
from collections import Counter

FRAMES = 20
SAME_A_MINUTE = 5


class Traces:
    """Reads traces from log records, and counts how often this process has logged each."""

    def __init__(self) -> None:
        self.minute = 0
        self.counts: Counter[tuple[str, str, int]] = Counter()

    def lines(self, record: logging.LogRecord) -> list[str]:
        """The lines of the record's trace, none if it has none; only the last one, with the error,
        if the same was logged five times within this minute."""
        if not record.exc_info or record.exc_info[1] is None:
            return []
        error = record.exc_info[1]
        text = "".join(traceback.format_exception(error, limit=-FRAMES))
        lines = text.rstrip("\n").split("\n")
        return lines[-1:] if self.is_repeated(error) else lines

    def is_repeated(self, error: BaseException) -> bool:
        """True if an error of this type was logged from the same place too often. Counts it."""
        minute = int(time.time() // 60)
        if minute != self.minute:
            self.minute = minute
            self.counts.clear()
        frames = traceback.extract_tb(error.__traceback__, limit=-1)
        file, line = (frames[0].filename, frames[0].lineno or 0) if frames else ("", 0)
        key = (type(error).__qualname__, file, line)
        self.counts[key] += 1
        return self.counts[key] > SAME_A_MINUTE
