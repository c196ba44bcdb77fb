"""The running application and the current request."""

import base64
import hashlib
import hmac
import os
import socket
from dataclasses import replace

from flask import current_app, g, has_request_context, request

from app.actor import ANONYMOUS, NO_PREFERENCES, Actor, Preferences
from app.concurrency import is_closed
from app.config import Settings


def settings() -> Settings:
    value: Settings = current_app.config["SETTINGS"]
    return value


def derived_key(purpose: str) -> bytes:
    """A key of its own for each purpose, from the secret of this installation."""
    return hmac.digest(settings().secret_key.encode(), purpose.encode(), hashlib.sha256)


def mac(purpose: str, text: str) -> str:
    """The HMAC-SHA256 of a text with the key of a purpose; 43 characters of base64url."""
    digest = hmac.digest(
        derived_key(purpose), text.encode("utf-8", "surrogatepass"), hashlib.sha256
    )
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def worker_name() -> str:
    """This process as host:pid."""
    return f"{socket.gethostname()}:{os.getpid()}"


def client_is_gone() -> bool:
    """True if the client of the current request has closed its end of the connection, which counts
    as leaving, as for nginx; only gunicorn tells."""
    connection = request.environ.get("gunicorn.socket") if has_request_context() else None
    return connection is not None and is_closed(connection)


def actor() -> Actor:
    found: Actor = g.get("actor", ANONYMOUS)
    return found


def preferences() -> Preferences:
    """How the person who makes the current request wants to read pages."""
    found: Preferences = g.get("preferences", NO_PREFERENCES)
    return found


def active_jobs() -> int:
    """How many jobs of the person who makes the current request wait or run, as Redis knows."""
    found: int = g.get("active_jobs", 0)
    return found


def visitor() -> Actor:
    """A visitor who makes the current request."""
    return replace(ANONYMOUS, request_id=g.request_id, last_write=0)


def note_last_write(timestamp: int | None) -> None:
    """Note when the current request changed something (`Actor.last_write`); None if that is not
    known."""
    if "actor" in g:
        g.actor = replace(g.actor, last_write=timestamp)
