"""A record as one line, as text or as JSON."""

import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime

from flask import g, has_request_context

from app.logs import budget
from app.logs.events import EVENTS
from app.logs.traces import CUT, Traces

# The most bytes of a field after escaping.
FIELD_BYTES, MESSAGE_BYTES, ADDRESS_BYTES = 200, 500, 64
EVENT_PATH_BYTES = 120  # the whole path is in the line of the request
TRACE_LINE_BYTES = 300
USUAL_BYTES = 200  # of a line without its message
PLAIN = re.compile(r"[ !#-\[\]-~]*")  # what no code changes
QUOTED = re.compile('[ "=]')


def text_code(character: str) -> str:
    """A character of a text line: Chinese stays readable, controls become backslash codes."""
    plain = character.isprintable() and character != "\\"
    return character if plain else repr(character)[1:-1]


def field_code(character: str) -> str:
    """A character of a field of a text line, which may be in quotes."""
    return '\\"' if character == '"' else text_code(character)


def json_code(character: str) -> str:
    """A character of a JSON string: Chinese stays readable, controls become `\\u` codes."""
    plain = character.isprintable() and character not in '"\\'
    return character if plain else json.dumps(character)[1:-1]


def escape(text: str, code: Callable[[str], str], most: int) -> str:
    """A text with every character in its code, cut where it would have more bytes."""
    if len(text) <= most and PLAIN.fullmatch(text):
        return text
    pieces: list[str] = []
    size = 0
    for character in text:
        piece = code(character)
        size += len(piece.encode())
        if size > most:
            return "".join([*pieces, CUT])
        pieces.append(piece)
    return "".join(pieces)


def field_bytes(record: logging.LogRecord, name: str) -> int:
    """The most bytes of a field of a record."""
    if name == "path":
        return EVENT_PATH_BYTES if record.name == EVENTS else budget.PATH_BYTES
    return ADDRESS_BYTES if name == "address" else FIELD_BYTES


class LineFormatter(logging.Formatter):
    """Formats a record within what its request may still write: a trace is shortened."""

    code = staticmethod(text_code)

    def __init__(self) -> None:
        super().__init__()
        self.traces = Traces()

    def format(self, record: logging.LogRecord) -> str:
        most, line = budget.available(record), ""
        for rows in self.traces.read(record).shortened():
            trace = [escape(row, self.code, TRACE_LINE_BYTES) for row in rows]
            line = self.compose(record, trace, most)
            if len(line.encode()) <= most:
                break
        budget.spend(record, len(line.encode()) + 1)
        return line

    def compose(self, record: logging.LogRecord, trace: list[str], most: int) -> str:
        """The line with a message of at most about `most` bytes; the trace is escaped."""
        raise NotImplementedError


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """The fields of a record; of one without, that of the request it belongs to."""
    fields = getattr(record, "fields", None)
    if fields is None and has_request_context():
        return {"request_id": g.get("request_id", "-")}
    return dict(fields or {})


def where(record: logging.LogRecord) -> str:
    return f"{record.filename}:{record.funcName}:{record.lineno}"


def message_bytes(most: int) -> int:
    """The most bytes of a message in a line of so many."""
    return max(0, min(MESSAGE_BYTES, most - USUAL_BYTES))


class TextFormatter(LineFormatter):
    """Formats a record as: time level pid where message key=value. The message of a record with
    fields of its own is one of them. The lines of a trace are indented, so none looks like another
    record."""

    def compose(self, record: logging.LogRecord, trace: list[str], most: int) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(" ", "milliseconds")
        words = [f"{moment[:23]}Z", record.levelname, str(record.process), where(record)]
        if not hasattr(record, "fields"):
            words.append(escape(record.getMessage(), text_code, message_bytes(most)))
        fields = fields_of(record)
        words += [f"{k}={quote(v, field_bytes(record, k))}" for k, v in fields.items()]
        return "\n".join([" ".join(words), *(f"  {row}" for row in trace)])


def quote(value: object, most: int) -> str:
    """A value of a text line, in quotes if it contains a space, a quote or an equals sign."""
    text = escape(str(value), field_code, most)
    return f'"{text}"' if QUOTED.search(text) else text


class JsonFormatter(LineFormatter):
    """Formats a record as a JSON object."""

    code = staticmethod(json_code)

    def compose(self, record: logging.LogRecord, trace: list[str], most: int) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat()
        items: list[tuple[str, object, int]] = [
            ("time", moment, 64),
            ("level", record.levelname, 64),
            ("pid", record.process, 64),
            ("where", where(record), FIELD_BYTES),
            ("message", record.getMessage(), message_bytes(most)),
        ]
        fields = fields_of(record)
        items += [(name, value, field_bytes(record, name)) for name, value in fields.items()]
        pairs = [f"{json.dumps(name)}: {json_value(value, most)}" for name, value, most in items]
        if trace:
            pairs.append('"trace": "' + "\\n".join(trace) + '"')
        return "{" + ", ".join(pairs) + "}"


def json_value(value: object, most: int) -> str:
    """A value of a JSON line; what is neither number nor text is written as text."""
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    return f'"{escape(str(value), json_code, most)}"'
