"""Language and colour scheme: cookies of their own, which outlive the session."""

from flask import has_request_context, request

from app.config import LANGUAGES
from app.current import settings


def seen_secure() -> bool:
    """True if the browser uses https: because we see it, or SECURE=1 says so."""
    return settings().secure or request.is_secure


def cookie_name(name: str) -> str:
    """Over https with the prefix `__Host-`: browsers accept such a cookie from this host only."""
    return f"__Host-{name}" if seen_secure() else name


def language() -> str:
    """The chosen language, else the one the browser asks for, else the default."""
    if not has_request_context():
        return settings().default_language
    chosen = request.cookies.get(cookie_name("gz_language"))
    if chosen in LANGUAGES:
        return str(chosen)
    wished = request.accept_languages.best_match(LANGUAGES)
    return str(wished or settings().default_language)


def colour_scheme() -> str:
    """The chosen colour scheme; auto follows the system."""
    chosen = str(request.cookies.get(cookie_name("gz_scheme"), "auto"))
    return chosen if chosen in ("light", "dark") else "auto"
