"""The lines of a process on its standard error."""

import logging
import select
from collections.abc import Iterable, Iterator
from logging.handlers import BufferingHandler
from typing import TextIO

import gevent
from gevent.monkey import is_module_patched

from app.logs.budget import REQUESTS

FLUSH_SECONDS = 0.05
MOST_RECORDS = 100  # so many take some 3 ms to format
# Processes write to the same pipe, and a longer write may be mixed with those of others.
BLOCK_BYTES = select.PIPE_BUF


class LineStream(BufferingHandler):
    """Writes lines in their order. In a gevent process those of requests are collected for
    FLUSH_SECONDS, and formatted and written together, so that no request waits for that, and
    supervisor, which reads them, does not wake up for each. Any other line is written at once,
    after those before it."""

    def __init__(self, stream: TextIO, formatter: logging.Formatter) -> None:
        super().__init__(MOST_RECORDS)
        self.stream = stream
        self.is_flush_due = False
        self.setFormatter(formatter)

    def shouldFlush(self, record: logging.LogRecord) -> bool:
        can_wait = record.name == REQUESTS and is_module_patched("time")
        if not can_wait or super().shouldFlush(record):
            return True
        if not self.is_flush_due:
            self.is_flush_due = True
            gevent.spawn_later(FLUSH_SECONDS, self.flush_when_due)
        return False

    def flush_when_due(self) -> None:
        self.is_flush_due = False
        self.flush()

    def flush(self) -> None:
        """Write what was collected; also called when the process exits."""
        self.acquire()
        try:
            records, self.buffer = self.buffer, []
            self.write(records)
        finally:
            self.release()

    def write(self, records: list[logging.LogRecord]) -> None:
        try:
            for block in blocks(self.lines(records)):
                self.stream.write(block)
            self.stream.flush()
        except Exception:  # the other end of the pipe has gone
            if records:
                self.handleError(records[-1])

    def lines(self, records: Iterable[logging.LogRecord]) -> Iterator[str]:
        for record in records:
            try:
                yield f"{self.format(record)}\n"
            except Exception:
                self.handleError(record)


def blocks(lines: Iterable[str]) -> Iterator[str]:
    """Lines joined to texts of at most BLOCK_BYTES, or of one line."""
    block: list[str] = []
    size = 0
    for line in lines:
        added = len(line.encode(errors="replace"))
        if block and size + added > BLOCK_BYTES:
            yield "".join(block)
            block, size = [], 0
        block.append(line)
        size += added
    yield "".join(block)
