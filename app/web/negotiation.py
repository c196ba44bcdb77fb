"""What a client can read: a page, JSON, or anything."""

from flask import request

from app.web.declarations import declared


def wants_page() -> bool:
    """True for a browser: only browsers name text/html. Scripts get JSON or plain text."""
    if declared().always_json:
        return False
    accept = request.accept_mimetypes
    return "text/html" in accept.values() and (accept["text/html"] >= accept["application/json"])


def takes_anything() -> bool:
    """True if the client sent neither Accept nor Authorization."""
    asked = "Accept" in request.headers or "Authorization" in request.headers
    return not (asked or declared().always_json)
