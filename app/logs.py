"""The log: one line an event to standard error, as text or as JSON (LOG_FORMAT=json).

Times are UTC. No password, token or session id is ever written; control characters in what a
client sent are escaped, so that nobody can forge a line.
"""

import json
import logging
import sys
from datetime import UTC, datetime

from flask import g, has_request_context, request

from app.config import Settings

events = logging.getLogger("gazetteer.events")


def event(what: str, level: int = logging.INFO, **about: object) -> None:
    """Write a line to the security log: who did what from where. Callers pass names, roles and ids
    of rows, never a password, a token, a session id or what somebody typed."""
    fields: dict[str, object] = {"event": what}
    if has_request_context():
        asker = g.get("actor")
        fields["request_id"] = g.get("request_id", "-")
        fields["address"] = request.remote_addr
        fields["person"] = (asker.name or "-") if asker else "-"
        fields["path"] = g.get("path_for_log", "-")
    events.log(level, what, extra={"fields": {**fields, **about}}, stacklevel=2)


def value(content: object) -> str:
    """A value of a text line: in quotes if a space, a quote or = in it could be read as the
    beginning of another value."""
    text = escaped(str(content))
    return json.dumps(text, ensure_ascii=False) if any(c in ' "=' for c in text) else text


def escaped(text: str) -> str:
    """Control characters as backslash codes; Chinese stays readable."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class TextFormatter(logging.Formatter):
    """time level where message key=value ..."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(" ", "milliseconds")
        if fields:
            rest = " ".join(f"{k}={value(v)}" for k, v in fields.items())
        else:
            rest = escaped(record.getMessage())
        where = f"{record.filename}:{record.funcName}:{record.lineno}"
        line = f"{moment[:23]}Z {record.levelname} {record.process} {where} {rest}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

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
    """Send all logs of this process to standard error in the chosen form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # Its lines about every look at the tables' revision would fill the log.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # In a worker gunicorn's own lines take the same form.
    gunicorn = logging.getLogger("gunicorn.error")
    gunicorn.handlers.clear()
    gunicorn.propagate = True
