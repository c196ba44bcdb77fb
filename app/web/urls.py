"""URLs: where to redirect to, where a request came from, ids in paths."""

from urllib.parse import quote, unquote, urlsplit

from flask import current_app, request, url_for
from werkzeug.routing import IntegerConverter

NEXT_LONGEST = 2000  # characters of a URL to redirect to


def safe_next(target: str | None, fallback: str) -> str:
    """The target if it is a path of this site, otherwise the fallback. Never another host:
    `//host`, backslashes (browsers read them as slashes) and control characters (browsers drop
    them) are refused."""
    if not target or len(target) > NEXT_LONGEST or not target.startswith("/"):
        return fallback
    if target.startswith("//") or any(c <= " " or c in "\\\x7f" for c in target):
        return fallback
    return target


def came_from(endpoint: str) -> str:
    """The URL of a list as the person left it, with its filters and page; without them if they come
    from another page or site."""
    plain = url_for(endpoint)
    parts = urlsplit(request.referrer or "")
    if parts.netloc != request.host or parts.path != plain:
        return plain
    return safe_next(f"{plain}?{parts.query}" if parts.query else plain, plain)


def sent_from_here() -> bool:
    """True if the browser says that a page of this site sent the request: in `Sec-Fetch-Site`, or
    without that header in `Origin` or `Referer`."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    origin = request.headers.get("Origin") or request.referrer or ""
    return urlsplit(origin).netloc == request.host


def this_page() -> str:
    """Path and query of the current page for `next=`, percent-encoded as they came. If a form was
    posted to a URL that has no GET, it is the page with the form."""
    path = quote(request.path, safe="/:@!$&'()*+,;=~")
    query = request.query_string.decode("ascii", "replace")
    if request.method in ("GET", "HEAD") or can_be_opened(request.path):
        return f"{path}?{query}" if query else path
    sender = urlsplit(request.referrer or "")
    if sender.netloc != request.host or not can_be_opened(unquote(sender.path)):
        return "/"
    return safe_next(f"{sender.path}?{sender.query}" if sender.query else sender.path, "/")


def can_be_opened(path: str) -> bool:
    """True if a path of this site answers GET."""
    addresses = current_app.create_url_adapter(request)
    return addresses is not None and addresses.test(path, "GET")


class RowId(IntegerConverter):
    """The converter `int` of our rules: ASCII digits, as many as fit an integer of the database.
    Werkzeug's own accepts digits of other scripts too, and any number of them."""

    regex = r"[0-9]{1,18}"
