"""Who asks: a browser, a script that reads JSON, or one that names nothing."""

import re

from flask import request

# These addresses answer JSON whoever asks, refusals too.
ALWAYS_JSON = re.compile(r"/(pi|fib)(/|$)")


def wants_page() -> bool:
    """Whether a browser asks: only browsers name text/html. Scripts get JSON or plain text."""
    if ALWAYS_JSON.match(request.path):
        return False
    accept = request.accept_mimetypes
    return "text/html" in accept.values() and (accept["text/html"] >= accept["application/json"])


def takes_anything() -> bool:
    """Whether the asker names no wish at all, and is no script with a token either."""
    asked = "Accept" in request.headers or "Authorization" in request.headers
    return not (asked or ALWAYS_JSON.match(request.path))
