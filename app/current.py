"""The running application and the current request."""

import os
import socket

from flask import current_app, g

from app.actor import ANONYMOUS, Actor
from app.config import Settings


def settings() -> Settings:
    """The settings of the current application."""
    value: Settings = current_app.config["SETTINGS"]
    return value


def worker_name() -> str:
    """The host and process that answers."""
    return f"{socket.gethostname()}:{os.getpid()}"


def actor() -> Actor:
    """Who makes the current request; ANONYMOUS for visitors."""
    found: Actor = g.get("actor", ANONYMOUS)
    return found
