"""The log: one line per event on standard error, as text or as JSON (LOG_FORMAT=json).

Times are UTC. Passwords, tokens and session ids are never logged. Control characters that a client
sent are escaped, so that nobody can forge a line.
"""

import json
import logging
import sys
from datetime import UTC, datetime

from flask import g, has_request_context, request

from app.config import Settings

events = logging.getLogger("gazetteer.events")


def event(what: str, level: int = logging.INFO, **about: object) -> None:
    """Log a security event: who did what from where. Callers pass names, roles and ids, never a
    password, token, session id or raw input."""
    fields: dict[str, object] = {"event": what}
    if has_request_context():
        who = g.get("actor")
        fields["request_id"] = g.get("request_id", "-")
        fields["address"] = request.remote_addr
        fields["person"] = (who.name or "-") if who else "-"
        fields["path"] = g.get("path_for_log", "-")
    events.log(level, what, extra={"fields": {**fields, **about}}, stacklevel=2)


def quote(value: object) -> str:
    """A value of a text line, in quotes if it contains a space, a quote or an equals sign."""
    text = escape(str(value))
    return json.dumps(text, ensure_ascii=False) if any(c in ' "=' for c in text) else text


def escape(text: str) -> str:
    """Replace control characters by backslash codes; Chinese stays readable."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class TextFormatter(logging.Formatter):
    """Formats a record as: time level pid where message, or key=value pairs if it has fields."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(" ", "milliseconds")
        if fields:
            rest = " ".join(f"{k}={quote(v)}" for k, v in fields.items())
        else:
            rest = escape(record.getMessage())
        where = f"{record.filename}:{record.funcName}:{record.lineno}"
        line = f"{moment[:23]}Z {record.levelname} {record.process} {where} {rest}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "pid": record.process,
            "where": f"{record.filename}:{record.funcName}:{record.lineno}",
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure(settings: Settings) -> None:
    """Send all logs of this process to standard error in the configured format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # Alembic logs every check of the schema revision.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Gunicorn's own lines have the same format in a worker.
    gunicorn = logging.getLogger("gunicorn.error")
    gunicorn.handlers.clear()
    gunicorn.propagate = True
