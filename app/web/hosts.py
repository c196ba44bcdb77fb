"""The names under which this site answers. Without this check the page of another site could have
its own name resolve to this machine (DNS rebinding), and read what visitors here may read."""

import logging
import socket
from functools import lru_cache
from ipaddress import ip_address

from flask import Flask, current_app, g, request

from app.config import Settings
from app.errors import DomainError
from app.text import N_
from app.web.urls import split_url

EXTENSION = "gazetteer-hosts"

log = logging.getLogger("gazetteer.hosts")


class UnknownHost(DomainError):
    """The header `Host` names another site, or cannot be parsed."""

    status = 400
    text = N_(
        "This site does not answer under this name. An administrator finds the name in the log "
        "and can add it to TRUSTED_HOSTS, or set TRUSTED_PROXIES behind a proxy."
    )


def known_names(settings: Settings) -> tuple[str, ...] | None:
    """The names of this site, besides IP addresses; one with a dot in front includes all names
    below it. None accepts any: behind a proxy, which has its own list, if none is set."""
    if settings.trusted_proxies and not settings.trusted_hosts:
        return None
    machine = socket.gethostname().lower()
    own = ("localhost", ".localhost", machine, f"{machine}.local", settings.host.lower())
    return (*own, *settings.trusted_hosts)


def check_host() -> None:
    """Refuse a request to another name. Only browsers matter, and they always send one."""
    sent = request.headers.get("Host")
    if not sent:
        return
    if not is_ours(sent, current_app.extensions[EXTENSION]):
        fields = {"request_id": g.request_id, "host": sent[:100]}
        log.warning("unknown host", extra={"fields": fields})
        raise UnknownHost()


@lru_cache(maxsize=100)
def is_ours(sent: str, names: tuple[str, ...] | None) -> bool:
    """True if the header names this site, or an IP address."""
    name = "" if set("@/?#") & set(sent) else split_url(f"//{sent}").hostname or ""
    name = name.rstrip(".")
    return names is None or is_ip_address(name) or matches(name, names)


def is_ip_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def matches(name: str, names: tuple[str, ...]) -> bool:
    """True if the name is in the list, or below one that begins with a dot."""
    return any(name == each or (each[0] == "." and name.endswith(each)) for each in names)


def init_app(app: Flask) -> None:
    app.extensions[EXTENSION] = known_names(app.config["SETTINGS"])
