"""Notices a proxy in front of a server whose TRUSTED_PROXIES is 0. Everybody then has the proxy's
address, so the wrong passwords of one lock out all."""

import logging
import time

from flask import Flask, current_app, request

from app.health.rules import is_near
from app.health.services import UNTRUSTED_PROXY

log = logging.getLogger("gazetteer.proxy")


def note_proxy() -> None:
    """Note a request that such a proxy passed on, and log the first one of this process."""
    address = request.remote_addr or ""
    if "X-Forwarded-For" not in request.headers or not is_near(address):
        return
    if UNTRUSTED_PROXY not in current_app.extensions:
        log.warning("a proxy sends X-Forwarded-For, but TRUSTED_PROXIES is 0: set it in .env")
    current_app.extensions[UNTRUSTED_PROXY] = (time.monotonic(), address or "a unix socket")


def init_app(app: Flask) -> None:
    if app.config["SETTINGS"].trusted_proxies == 0:
        app.before_request(note_proxy)
