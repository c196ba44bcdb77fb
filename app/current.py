"""The running application and the current request."""

import os
import socket

from flask import current_app

from app.config import Settings


def settings() -> Settings:
    """The settings of the current application."""
    value: Settings = current_app.config["SETTINGS"]
    return value


def worker_name() -> str:
    """The host and process that answers."""
    return f"{socket.gethostname()}:{os.getpid()}"
