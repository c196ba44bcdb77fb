"""The servers that results may be sent to: the setting DELIVERY_TARGETS."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from app.settings.environment import SettingError

PORTS = {"http": 80, "https": 443}
# Host names in lower or upper case, IPv6 addresses in brackets; a path of visible ASCII characters
# without a fragment.
URL = re.compile(
    r"(https?)://([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?(/[!\"$-~]*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class DeliveryTarget:
    """A server. `address` is set if it is not looked up, and then it may be a private one."""

    scheme: str
    host: str
    port: int
    address: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port, as addresses of this server begin."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """Host and port as they are in the header Host."""
        return self.host if self.port == PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def server_name(self) -> str:
        """The host as the certificate names it."""
        return self.host.strip("[]")


def split_url(text: str) -> tuple[DeliveryTarget, str] | None:
    """The server and the path of an address; None for an invalid one, and for one with a user name
    or a fragment."""
    found = URL.fullmatch(text)
    if found is None:
        return None
    scheme, host = found[1].lower(), found[2].lower()
    port = int(found[3] or PORTS[scheme])
    return (DeliveryTarget(scheme, host, port), found[4] or "") if 0 < port < 65536 else None


def find_target(targets: Iterable[DeliveryTarget], origin: str) -> DeliveryTarget | None:
    """The server of the setting that addresses with this origin belong to."""
    return next((target for target in targets if target.origin == origin), None)


def delivery_targets(env: Mapping[str, str]) -> tuple[DeliveryTarget, ...]:
    """Parse the setting: host, https://host:port or http://host:port, with =ADDRESS behind a name
    that is not looked up; separated by commas."""
    words = [word.strip() for word in env.get("DELIVERY_TARGETS", "").split(",")]
    return tuple(parse_target(word) for word in words if word)


def parse_target(word: str) -> DeliveryTarget:
    url, equals, address = word.partition("=")
    found = split_url(url if "://" in url else f"https://{url}")
    if found is None or found[1] or (equals and not is_address(address)):
        raise SettingError(
            "DELIVERY_TARGETS must be servers such as example.org, https://example.org:8443 or"
            f" http://intake.lan:8080=10.0.0.5, not {word!r}."
        )
    target = found[0]
    if not equals and is_address(target.server_name):
        address = target.server_name
    return DeliveryTarget(target.scheme, target.host, target.port, address)


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
