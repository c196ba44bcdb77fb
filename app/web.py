"""Small HTTP helpers that packages share."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from flask import current_app, has_request_context, request, url_for
from flask_babel import format_datetime, format_decimal, format_timedelta, get_locale
from flask_babel import gettext as _
from werkzeug.routing import IntegerConverter

from app.config import LANGUAGES
from app.current import settings
from app.errors import DomainError, Invalid

NEXT_LONGEST = 2000  # characters of an address to go on to


def safe_next(target: str | None, fallback: str) -> str:
    """A path of this site to go on to, or the fallback. Never another host: `//host`, any
    backslash (browsers read it as a slash) and control characters (they drop them) do not pass."""
    if not target or len(target) > NEXT_LONGEST or not target.startswith("/"):
        return fallback
    if target.startswith("//") or any(c <= " " or c in "\\\x7f" for c in target):
        return fallback
    return target


def came_from(endpoint: str) -> str:
    """The list of that endpoint as the person left it, with its filters and page; the plain list
    when they come from another page or another site."""
    plain = url_for(endpoint)
    parts = urlsplit(request.referrer or "")
    if parts.netloc != request.host or parts.path != plain:
        return plain
    return safe_next(f"{plain}?{parts.query}" if parts.query else plain, plain)


def sent_from_here() -> bool:
    """Whether the browser says that a page of this site sent the request: in `Sec-Fetch-Site`, or,
    where it knows or sends none, in `Origin` or `Referer`."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    origin = request.headers.get("Origin") or request.referrer or ""
    return urlsplit(origin).netloc == request.host


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
    """The path and query of the page one is on, percent-encoded as they came, for `next=`. Where a
    form was sent to an address that cannot be opened, that is the page the form stood on."""
    path = quote(request.path, safe="/:@!$&'()*+,;=~")
    query = request.query_string.decode("ascii", "replace")
    if request.method in ("GET", "HEAD") or can_be_opened(request.path):
        return f"{path}?{query}" if query else path
    sender = urlsplit(request.referrer or "")
    if sender.netloc != request.host or not can_be_opened(unquote(sender.path)):
        return "/"
    return safe_next(f"{sender.path}?{sender.query}" if sender.query else sender.path, "/")


def can_be_opened(path: str) -> bool:
    """Whether GET is answered at a path of this site."""
    addresses = current_app.create_url_adapter(request)
    return addresses is not None and addresses.test(path, "GET")


class RowId(IntegerConverter):
    """The `int` of our addresses: plain ASCII digits, no more than a database's integer holds.
    Werkzeug's own also takes digits of other scripts, and any number of them."""

    regex = r"[0-9]{1,18}"


def seen_secure() -> bool:
    """Whether the browser reaches us over https: seen, or promised by SECURE=1."""
    return settings().secure or request.is_secure


def cookie_name(name: str) -> str:
    """Over https the prefix `__Host-`: browsers then take such a cookie from this host alone."""
    return f"__Host-{name}" if seen_secure() else name


def language() -> str:
    """The chosen language, else the browser's wish, else the default; commands have no browser."""
    if not has_request_context():
        return settings().default_language
    chosen = request.cookies.get(cookie_name("gz_language"))
    if chosen in LANGUAGES:
        return str(chosen)
    wished = request.accept_languages.best_match(LANGUAGES)
    return str(wished or settings().default_language)


def scheme() -> str:
    """The chosen colour scheme; auto follows the system."""
    chosen = str(request.cookies.get(cookie_name("gz_scheme"), "auto"))
    return chosen if chosen in ("light", "dark") else "auto"


def ago(moment: datetime | None) -> str:
    """How long ago, in words."""
    if moment is None:
        return ""
    past = datetime.now(UTC) - moment
    if past.total_seconds() < 60:
        return str(_("just now"))
    return str(format_timedelta(-past, granularity="minute", add_direction=True, threshold=1.2))


def exact(moment: datetime | None) -> str:
    """Date and time in the reader's language and the configured time zone."""
    return "" if moment is None else str(format_datetime(moment, "medium"))


def number(value: int | None) -> str:
    """Digits in groups."""
    return "" if value is None else str(format_decimal(value))


def size(count: int) -> str:
    """Bytes as the original and file managers count them: 1 KB is 1,024 bytes."""
    amount, unit = float(count), "B"
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if amount < 1024 or unit == "TB":
            break
        amount /= 1024
    return f"{format_decimal(round(amount, 1 if unit != 'B' else 0))} {unit}"


def html_lang() -> str:
    """The language as HTML names it."""
    return "zh-CN" if str(get_locale()).startswith("zh") else "en"
