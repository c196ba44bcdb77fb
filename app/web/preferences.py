"""Language and colour scheme: cookies of their own, which outlive the session."""

from flask import has_request_context, request

from app.config import LANGUAGES
from app.current import settings


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


def colour_scheme() -> str:
    """The chosen colour scheme; auto follows the system."""
    chosen = str(request.cookies.get(cookie_name("gz_scheme"), "auto"))
    return chosen if chosen in ("light", "dark") else "auto"
