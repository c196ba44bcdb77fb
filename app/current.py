"""The running application and the current request."""

import base64
import hashlib
import hmac
import os
import socket
from dataclasses import replace
from select import POLLRDHUP

from flask import current_app, g, has_request_context, request
from gevent.monkey import get_original

from app.actor import ANONYMOUS, NO_PREFERENCES, Actor, Preferences
from app.config import Settings

# The system's own: gevent's would let other requests run.
poll = get_original("select", "poll")


def settings() -> Settings:
    value: Settings = current_app.config["SETTINGS"]
    return value


def mac(purpose: str, text: str) -> str:
    """The HMAC-SHA256 of a text with the secret of this installation, under a key of its own for
    each purpose; 43 characters of base64url."""
    key = hmac.digest(settings().secret_key.encode(), purpose.encode(), hashlib.sha256)
    digest = hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def worker_name() -> str:
    """This process as host:pid."""
    return f"{socket.gethostname()}:{os.getpid()}"


def client_is_gone() -> bool:
    """True if the client of the current request has closed its connection; only gunicorn tells."""
    connection = request.environ.get("gunicorn.socket") if has_request_context() else None
    if connection is None:
        return False
    look = poll()
    look.register(connection, POLLRDHUP)
    return bool(look.poll(0))


def actor() -> Actor:
    found: Actor = g.get("actor", ANONYMOUS)
    return found


def preferences() -> Preferences:
    """How the person who makes the current request wants to read pages."""
    found: Preferences = g.get("preferences", NO_PREFERENCES)
    return found


def visitor() -> Actor:
    """A visitor who makes the current request."""
    return replace(ANONYMOUS, request_id=g.request_id, last_write=0)


def note_last_write(timestamp: int | None) -> None:
    """Note when the current request changed something (`Actor.last_write`); None if that is not
    known."""
    if "actor" in g:
        g.actor = replace(g.actor, last_write=timestamp)
