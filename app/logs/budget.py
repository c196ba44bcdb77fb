"""How much one request may write to the logs: 2 kB in all. Logs are rotated by size, and a stranger
could otherwise push the lines of everybody else out of them."""

import logging

from flask import g, has_request_context

from app.logs.events import EVENTS

REQUESTS = "gazetteer.request"
REQUEST_BYTES = 2000
# What is reserved for the line of the request, besides its path, and for one security event.
LINE_BYTES = EVENT_BYTES = 450
PATH_BYTES = 500
OUTSIDE_BYTES = 4000  # of a line that belongs to no request
USEFUL_BYTES = 250  # a shorter line is of no use


def available(record: logging.LogRecord) -> int:
    """How many bytes a line may have. Lines of requests and security events are always written:
    their fields are bounded; and what an operator wants to see with LOG_LEVEL=DEBUG."""
    if not is_counted(record) or is_reserved(record):
        return int(getattr(record, "most", OUTSIDE_BYTES))
    return left()


def is_counted(record: logging.LogRecord) -> bool:
    """True for a line that a request writes, except for details."""
    return has_request_context() and record.levelno >= logging.INFO


def left() -> int:
    """How many bytes the present request may still write."""
    path = g.get("path_for_log", "")
    size = len(path.encode()) if path.isprintable() else PATH_BYTES  # escaped it is longer
    start = REQUEST_BYTES - LINE_BYTES - EVENT_BYTES - min(PATH_BYTES, size)
    return int(g.setdefault("log_left", start))


def is_reserved(record: logging.LogRecord) -> bool:
    """True for a line that its request has reserved room for."""
    return record.name in (REQUESTS, EVENTS)


def spend(record: logging.LogRecord, size: int) -> None:
    """Count a line that is written."""
    if not is_counted(record) or record.name == REQUESTS:
        return
    reserved = 0
    if record.name == EVENTS and not g.get("event_logged"):
        g.event_logged, reserved = True, EVENT_BYTES
    g.log_left = left() - max(0, size - reserved)


def has_room(record: logging.LogRecord) -> bool:
    """A filter that drops lines which would be cut below USEFUL_BYTES."""
    return available(record) >= USEFUL_BYTES
