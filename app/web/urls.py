"""Addresses: where to go on to, where a request came from, ids in paths."""

from urllib.parse import quote, unquote, urlsplit

from flask import current_app, request, url_for
from werkzeug.routing import IntegerConverter

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
