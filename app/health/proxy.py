"""Notices a proxy in front of a server whose TRUSTED_PROXIES is 0. Everybody then has the proxy's
address, so the wrong passwords of one lock out all."""

import logging

from flask import Flask, current_app, request

from app.health.rules import is_near
from app.health.services import UNTRUSTED_PROXY

log = logging.getLogger("gazetteer.proxy")


def note_proxy() -> None:
    """Log the first request of this process that such a proxy passed on."""
    if "X-Forwarded-For" not in request.headers or UNTRUSTED_PROXY in current_app.extensions:
        return
    if is_near(request.remote_addr or ""):
        current_app.extensions[UNTRUSTED_PROXY] = True
        log.warning("a proxy sends X-Forwarded-For, but TRUSTED_PROXIES is 0: set it in .env")


def init_app(app: Flask) -> None:
    if app.config["SETTINGS"].trusted_proxies == 0:
        app.before_request(note_proxy)
