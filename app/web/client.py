"""What the client is and prefers: a page or JSON, https, and by cookies that outlive the session a
language and a colour scheme."""

from flask import has_request_context, request
from werkzeug.wrappers import Response

from app.config import LANGUAGES
from app.current import settings
from app.web.declarations import declared


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


def language() -> str:
    """The chosen language, else the best match of Accept-Language, else the default."""
    if not has_request_context():
        return settings().default_language
    chosen = request.cookies.get(cookie_name("gz_language"))
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or settings().default_language


def colour_scheme() -> str:
    """The chosen colour scheme; auto follows the system."""
    chosen = str(request.cookies.get(cookie_name("gz_scheme"), "auto"))
    return chosen if chosen in ("light", "dark") else "auto"
