"""The running application and the current request."""

import os
import socket

from flask import current_app, g

from app.actor import ANONYMOUS, Actor
from app.config import Settings


def settings() -> Settings:
    """The settings of the running application."""
    value: Settings = current_app.config["SETTINGS"]
    return value


def worker_name() -> str:
    """This process as host:pid."""
    return f"{socket.gethostname()}:{os.getpid()}"


def actor() -> Actor:
    """The actor of the current request; ANONYMOUS for visitors."""
    found: Actor = g.get("actor", ANONYMOUS)
    return found
