"""Content negotiation: does the client want a page or JSON?"""

from flask import request

from app.web.declarations import declared


def wants_page() -> bool:
    """True for browsers, which accept text/html. Scripts get JSON or plain text."""
    if declared().always_json:
        return False
    accept = request.accept_mimetypes
    return "text/html" in accept.values() and (accept["text/html"] >= accept["application/json"])


def shows_pages() -> bool:
    """True for browsers, and for a client that names nothing; scripts with a token get JSON."""
    return wants_page() or accepts_anything()


def accepts_anything() -> bool:
    """True if the client sent neither Accept nor Authorization."""
    asked = "Accept" in request.headers or "Authorization" in request.headers
    return not (asked or declared().always_json)
