"""The security log: `INSTANCE/log/security-YYYY-MM-DD.log`, a file for each day of UTC.

Web workers and commands write to the same file, each event with one call of the system, so lines
are never mixed. The file is opened for each event, so a new day needs no signal, and whatever
happens to a file, the next event is written.
"""

import logging
import os
import re
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from flask import has_app_context

from app.current import settings
from app.logs.events import events
from app.logs.lines import JsonFormatter, TextFormatter
from app.times import now

FILE = re.compile(r"security-(\d{4}-\d{2}-\d{2})\.log")


class SecurityLog(logging.Handler):
    """Writes events to the file of their day. What cannot be written goes to standard error, and
    never fails a request."""

    def __init__(self) -> None:
        super().__init__()
        self.formatters = {"text": TextFormatter(), "json": JsonFormatter()}
        self.fallback = logging.StreamHandler(sys.stderr)
        self.fallback.setFormatter(self.formatters["text"])

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.write(record)
        except Exception:
            self.fallback.emit(record)

    def write(self, record: logging.LogRecord) -> None:
        """Append the event to its file, whose folder may be missing."""
        if not has_app_context():
            raise RuntimeError("no application, so no folder")
        line = self.formatters[settings().log_format].format(record)
        path = day_file(datetime.fromtimestamp(record.created, UTC).date())
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, f"{line}\n".encode(errors="replace"))
        finally:
            os.close(file)


def folder() -> Path:
    return settings().instance / "log"


def day_file(day: date) -> Path:
    """The file of a day."""
    return folder() / f"security-{day.isoformat()}.log"


def open_security_log() -> None:
    """Have this process write its events to the files of the application that they happen in."""
    if not any(isinstance(handler, SecurityLog) for handler in events.handlers):
        events.addHandler(SecurityLog())
        events.setLevel(logging.INFO)


def delete_old_days() -> int:
    """Delete the files of days that are over for longer than SECURITY_LOG_DAYS, on this host;
    returns how many."""
    first = now().date() - timedelta(days=settings().security_log_days)
    deleted = 0
    for path in folder().glob("security-*.log"):
        found = FILE.fullmatch(path.name)
        if found and found[1] < first.isoformat():
            path.unlink(missing_ok=True)
            deleted += 1
    return deleted
