"""The running application and the current request."""

import os
import socket
from dataclasses import replace

from flask import current_app, g

from app.actor import ANONYMOUS, Actor
from app.config import Settings


def settings() -> Settings:
    value: Settings = current_app.config["SETTINGS"]
    return value


def worker_name() -> str:
    """This process as host:pid."""
    return f"{socket.gethostname()}:{os.getpid()}"


def actor() -> Actor:
    found: Actor = g.get("actor", ANONYMOUS)
    return found


def visitor() -> Actor:
    """A visitor who makes the current request."""
    return replace(ANONYMOUS, request_id=g.request_id)
