"""Small HTTP helpers that packages share."""

import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import gevent
from flask import current_app, has_request_context, request
from flask_babel import format_datetime, format_decimal, format_timedelta, get_locale
from flask_babel import gettext as _
from gevent.monkey import is_module_patched

from app.config import Settings
from app.errors import DomainError, Invalid


def settings() -> Settings:
    """The settings of the current application."""
    value: Settings = current_app.config["SETTINGS"]
    return value


def safe_next(target: str | None, fallback: str) -> str:
    """A path of this site to go on to, or the fallback. Never another host: `//host`, `/\\host`
    and control characters, which browsers drop, do not pass."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return fallback
    if any(ord(c) < 33 or c == "\\" for c in target):
        return fallback
    parts = urlsplit(target)
    return fallback if parts.scheme or parts.netloc else target


def fail(form: Any, error: DomainError) -> int:
    """Write a refusal beside the fields it names, the rest above the form; returns the status."""
    fields = error.fields if isinstance(error, Invalid) else {}
    for name, text in fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, text]
    if not fields or any(name not in form for name in fields):
        form.form_errors.append(error.message)
    return error.status


def this_page() -> str:
    """The path and query asked for, for `next=`."""
    query = request.query_string.decode("ascii", "replace")
    return f"{request.path}?{query}" if query else request.path


def whole_number(text: str, low: int, high: int) -> int | None:
    """A number of plain ASCII digits within bounds, or None; `int()` would also take full-width
    digits, signs, blanks and underscores."""
    if not (text.isascii() and text.isdigit()) or len(text) > 20:
        return None
    return int(text) if low <= int(text) <= high else None


def worker_name() -> str:
    """The host and process that answers."""
    return f"{socket.gethostname()}:{os.getpid()}"


def off_hub(work: Callable[..., Any], *args: Any) -> Any:
    """Run work that holds the processor but releases Python's lock (hashing) in a thread, so that
    this worker's other requests go on. Outside of gevent it is simply called."""
    if not is_module_patched("threading"):
        return work(*args)
    return gevent.get_hub().threadpool.apply(work, args)


def language() -> str:
    """The chosen language, else the browser's wish, else (and for commands) the default."""
    if not has_request_context():
        return settings().default_language
    chosen = request.cookies.get("gz_language")
    if chosen in ("en", "zh"):
        return chosen
    wished = request.accept_languages.best_match(["en", "zh"])
    return str(wished or settings().default_language)


def scheme() -> str:
    """The chosen colour scheme; auto follows the system."""
    chosen = request.cookies.get("gz_scheme", "auto")
    return chosen if chosen in ("light", "dark") else "auto"


def ago(moment: datetime | None) -> str:
    """How long ago, in words."""
    if moment is None:
        return ""
    past = datetime.now(UTC) - moment
    if past.total_seconds() < 60:
        return str(_("just now"))
    return str(format_timedelta(-past, add_direction=True, threshold=1.2))


def exact(moment: datetime | None) -> str:
    """Date and time in the reader's language and the configured time zone."""
    return "" if moment is None else str(format_datetime(moment, "medium"))


def number(value: int | None) -> str:
    """Digits in groups."""
    return "" if value is None else str(format_decimal(value))


def size(count: int) -> str:
    """Bytes in decimal units: 2.4 MB."""
    amount, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            break
        amount /= 1000
    return f"{format_decimal(round(amount, 1 if unit != 'B' else 0))} {unit}"


def html_lang() -> str:
    """The language as HTML names it."""
    return "zh-CN" if str(get_locale()).startswith("zh") else "en"
