"""URLs: safe redirects, the host of a request, arguments, ids in paths."""

from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from flask import current_app, request, url_for
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import IntegerConverter, Map

from app.database.cursor import MOST_ID
from app.web.declarations import declarations_of

# Arguments that are not part of a page's URL: the signature of a form, and the flag that its page
# shows a draft.
SIGNATURE, DRAFT = "f", "draft"
NEXT_LENGTH = 2000  # the most characters of a URL to redirect to


def safe_next(target: str | None, fallback: str) -> str:
    """The target of a redirect if it is a path of this site, otherwise the fallback. `//host`,
    backslashes (browsers read them as slashes) and control characters (browsers drop them) are
    rejected because they could lead to another host."""
    if not target or len(target) > NEXT_LENGTH or not target.startswith("/"):
        return fallback
    if target.startswith("//") or any(c <= " " or c in "\\\x7f" for c in target):
        return fallback
    return target


def landing_url(target: str | None, fallback: str) -> str:
    """The page to show after signing in: the requested one, that of a requested file, or that to
    which the sign-in page itself would lead."""
    target = safe_next(target, fallback)
    parts, adapter = split_url(target), current_app.create_url_adapter(request)
    try:
        endpoint, variables = adapter.match(unquote(parts.path), "GET")  # type: ignore[union-attr]
    except MethodNotAllowed:
        return fallback
    except HTTPException:  # missing, or redirects
        return target
    if endpoint == request.endpoint:
        return landing_url(parse_qs(parts.query).get("next", [""])[0], fallback)
    page = declarations_of(current_app.view_functions[endpoint]).attachment_page
    if page is None:
        return target
    url = page(**variables)
    return f"{url}?{parts.query}" if parts.query and "?" not in url else url


def split_url(text: str | None) -> SplitResult:
    """The parts of a URL that a client sent; all are empty if it cannot be parsed."""
    try:
        return urlsplit(text or "")
    except ValueError:
        return urlsplit("")


def add_argument(url: str, name: str, value: str) -> str:
    """A URL of ours with one more argument, whose value needs no encoding."""
    return f"{url}{'&' if '?' in url else '?'}{name}={value}"


def host() -> str:
    """The header `Host`; unlike `request.host` also one that Werkzeug does not accept, such as a
    name with an underscore."""
    return request.headers.get("Host", "")


def list_url(endpoint: str) -> str:
    """The URL of a list, with the filters and page that the person had there if they come from it
    (by `Referer`)."""
    plain = url_for(endpoint)
    path, target = referring_page()
    return safe_next(target, plain) if path == plain else plain


def page_before(fallback: str) -> str:
    """The URL of the page of this site that led here, to go back to it after an action."""
    path, target = referring_page()
    return safe_next(target, fallback) if accepts_get(unquote(path)) else fallback


def referring_page() -> tuple[str, str]:
    """The path of the page of this site that led here, and the path with its query; both empty if
    another site did."""
    page = split_url(request.referrer)
    if page.netloc != host():
        return "", ""
    query = own_query(page.query.encode())
    return page.path, f"{page.path}?{query}" if query else page.path


def own_query(query: bytes, names: tuple[str, ...] = (SIGNATURE, DRAFT)) -> str:
    """A query without the arguments that are not part of a page's URL."""
    others = tuple(f"{name}=".encode() for name in names)
    pairs = [pair for pair in query.split(b"&") if not pair.startswith(others)]
    return b"&".join(pairs).decode("ascii", "replace")


def this_page() -> str:
    """Path and query of the current page for `next=`, percent-encoded: that of a draft still shows
    it. For a form that was posted to a URL without GET, it is the page of the form."""
    is_read = request.method in ("GET", "HEAD")
    if is_read or accepts_get(request.path):
        names = (SIGNATURE,) if is_read else (SIGNATURE, DRAFT)
        path, query = quote_path(request.path), own_query(request.query_string, names)
        return f"{path}?{query}" if query else path
    form, target = referring_page()
    return safe_next(target, "/") if accepts_get(unquote(form)) else "/"


def without_slash() -> str:
    """The URL of the requested page without the slashes at its end, where only these are in the
    way; otherwise empty. A form is not sent on to another address."""
    path = "/" + request.path.strip("/")
    is_read = request.method in ("GET", "HEAD") and request.path.endswith("/")
    if not (is_read and request.routing_exception and accepts_get(path)):
        return ""
    query = request.query_string.decode("ascii", "replace")
    return f"{quote_path(path)}?{query}" if query else quote_path(path)


def quote_path(path: str) -> str:
    """A path for a URL, percent-encoded."""
    return quote(path, safe="/:@!$&'()*+,;=~")


def accepts_get(path: str) -> bool:
    """True if this path of our site accepts GET."""
    addresses = current_app.create_url_adapter(request)
    return addresses is not None and addresses.test(path, "GET")


class RowId(IntegerConverter):
    """The converter `int` of our rules: ASCII digits, as many as fit into a database integer.
    Werkzeug's accepts any number of digits, also of other scripts."""

    regex = r"[0-9]{1,19}"

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=MOST_ID)
