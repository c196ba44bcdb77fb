"""What the client is and how its reader wants pages: a page or JSON, https, language, time zone,
rows of a page, colour scheme. What a person has chosen counts before the cookies of the browser."""

from flask import g, has_request_context, request
from flask_babel import refresh
from werkzeug.wrappers import Response

from app.actor import Preferences
from app.config import LANGUAGES
from app.current import preferences, settings
from app.database.keyset import PAGE_SIZE, PAGE_SIZES
from app.text import parse_integer
from app.times import find_zone
from app.web.declarations import declared

# The names of lasting cookies.
LANGUAGE, SCHEME, ROWS, ZONE = "gz_language", "gz_scheme", "gz_rows", "gz_zone"


def wants_page() -> bool:
    """True for browsers, which accept text/html. Scripts get JSON or plain text."""
    if declared().always_json:
        return False
    accept = request.accept_mimetypes
    return "text/html" in accept.values() and (accept["text/html"] >= accept["application/json"])


def accepts_anything() -> bool:
    """True if the client sent neither Accept nor Authorization."""
    asked = "Accept" in request.headers or "Authorization" in request.headers
    return not (asked or declared().always_json)


def shows_pages() -> bool:
    """True for browsers, and for a client that names nothing; scripts with a token get JSON."""
    return wants_page() or accepts_anything()


def seen_secure() -> bool:
    """True if the browser uses https, by the request or by SECURE=1."""
    return settings().secure or request.is_secure


def cookie_name(name: str) -> str:
    """Over https the name has the prefix `__Host-`: only this host can set such a cookie."""
    return f"__Host-{name}" if seen_secure() else name


def set_lasting_cookie(response: Response, name: str, value: str) -> None:
    """Set a cookie that outlives the session by a year."""
    response.set_cookie(
        cookie_name(name),
        value,
        max_age=365 * 86_400,
        secure=seen_secure(),
        httponly=True,
        samesite="Lax",
    )


def delete_lasting_cookie(response: Response, name: str) -> None:
    """Delete a lasting cookie; with other attributes browsers would not."""
    secure = seen_secure()
    response.delete_cookie(cookie_name(name), secure=secure, httponly=True, samesite="Lax")


def use_preferences(chosen: Preferences) -> None:
    """Answer the rest of this request as its person wants."""
    g.preferences = chosen
    refresh()


def cookie(name: str) -> str:
    """A lasting cookie of the browser; empty if it has none."""
    return str(request.cookies.get(cookie_name(name), ""))


def language() -> str:
    """The chosen language, else the best match of Accept-Language, else the default."""
    if not has_request_context():
        return settings().default_language
    for chosen in (preferences().language, cookie(LANGUAGE)):
        if chosen in LANGUAGES:
            return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or settings().default_language


def time_zone() -> str:
    """The chosen time zone, else that of the browser, which static/js/zone.js stores in a cookie,
    else that of the site."""
    names = (preferences().time_zone, cookie(ZONE)) if has_request_context() else ()
    found = (find_zone(name) for name in names if name)
    return next((zone for zone in found if zone), settings().time_zone)


def page_size() -> int:
    """The chosen number of rows of a page."""
    if not has_request_context():
        return PAGE_SIZE
    chosen = preferences().page_size or parse_integer(cookie(ROWS), 1, max(PAGE_SIZES))
    return chosen if chosen in PAGE_SIZES else PAGE_SIZE


def colour_scheme() -> str:
    """The chosen colour scheme; auto follows the system."""
    chosen = cookie(SCHEME)
    return chosen if chosen in ("light", "dark") else "auto"
