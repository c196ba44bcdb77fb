"""The log of a web process or the clock on standard error."""

import logging
import sys

from app.config import Settings
from app.logs.budget import has_room
from app.logs.events import EVENTS
from app.logs.lines import JsonFormatter, TextFormatter
from app.logs.stream import LineStream

GUNICORN = "gunicorn.error"
FAILED, INVALID = "Error handling request", "Invalid request from"
FAILED_BYTES = 1000  # the line of the request may be written too


def configure(settings: Settings) -> None:
    """Send all logs of this process but the security events to standard error in the configured
    format."""
    formatter = JsonFormatter() if settings.log_format == "json" else TextFormatter()
    handler = LineStream(sys.stderr, formatter)
    handler.addFilter(lambda record: record.name != EVENTS)
    handler.addFilter(has_room)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # Alembic logs every check of the schema revision.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Gunicorn's own lines have the same format in a worker.
    gunicorn = logging.getLogger(GUNICORN)
    gunicorn.handlers.clear()
    gunicorn.addFilter(hide_request)
    gunicorn.propagate = True


def hide_request(record: logging.LogRecord) -> bool:
    """A filter of gunicorn's lines about a request, which contain what the client sent: up to 8 kB
    of its address, with query or secrets, or of a header."""
    if str(record.msg).startswith(FAILED):
        record.msg, record.args, record.most = FAILED, (), FAILED_BYTES
    elif str(record.msg).startswith(INVALID):
        record.msg, record.args = record.getMessage().partition("'")[0].partition('"')[0], ()
    return True
