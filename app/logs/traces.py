"""The trace of an error, as lines: its last frames, and not again and again."""

import logging
import os
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

FRAMES = 20
SAME_A_MINUTE = 5
CUT = "…"
OUR_CODE = f"{Path(__file__).parents[1]}{os.sep}"


@dataclass(frozen=True)
class Trace:
    """The lines of a trace, and those of our last frame, which says what called a library."""

    lines: Sequence[str] = ()
    ours: Sequence[str] = ()

    def shortened(self) -> Iterator[Sequence[str]]:
        """The lines, with fewer and fewer of the beginning, because the error is at the end; our
        last frame goes last."""
        for start in range(len(self.lines)):
            rest = self.lines[start:]
            if self.ours and self.ours[0] not in rest:
                yield [CUT, *self.ours, CUT, *rest]
            else:
                yield [CUT, *rest] if start else rest
        yield [CUT, *self.lines[-1:]] if len(self.lines) > 1 else self.lines


class Traces:
    """Reads traces from log records, and counts how often this process has logged each."""

    def __init__(self) -> None:
        self.minute = 0
        self.counts: Counter[tuple[str, str, int]] = Counter()

    def read(self, record: logging.LogRecord) -> Trace:
        """The record's trace, empty if it has none; only the last line, with the error, if the same
        was logged five times within this minute."""
        if not record.exc_info or record.exc_info[1] is None:
            return Trace()
        # The error may be another one than that of the frames: see app/database/failures.py.
        kind, error, frames = record.exc_info
        text = "".join(traceback.format_exception(kind, error, frames, limit=-FRAMES))
        lines = text.rstrip("\n").split("\n")
        is_repeated = self.is_repeated(type(error), frames)
        return Trace(lines[-1:]) if is_repeated else Trace(lines, our_last_frame(frames))

    def is_repeated(self, kind: type[BaseException], trace: TracebackType | None) -> bool:
        """True if an error of this type was logged from the same place too often. Counts it."""
        minute = int(time.time() // 60)
        if minute != self.minute:
            self.minute = minute
            self.counts.clear()
        frames = traceback.extract_tb(trace, limit=-1)
        file, line = (frames[0].filename, frames[0].lineno or 0) if frames else ("", 0)
        key = (kind.__qualname__, file, line)
        self.counts[key] += 1
        return self.counts[key] > SAME_A_MINUTE


def our_last_frame(trace: TracebackType | None) -> Sequence[str]:
    """The place and the code of the last frame in our code, as in the lines of the trace."""
    ours = [each for each in traceback.extract_tb(trace) if each.filename.startswith(OUR_CODE)]
    return traceback.format_list(ours[-1:])[0].split("\n")[:2] if ours else ()
