"""Which addresses results may be sent to, and the IP addresses of their servers."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from app.errors import Invalid
from app.jobs.deliveries.models import URL_LENGTH
from app.settings.delivery_targets import DeliveryTarget, find_target, split_url
from app.text import N_, Message

NONE_ALLOWED = N_("Results are not sent anywhere here: an operator sets DELIVERY_TARGETS.")
INVALID = N_(
    "This must be an address such as https://example.org/results, of at most %(most)s characters.",
    most=URL_LENGTH,
)
# Addresses that contain an IPv4 address, which a gateway sends to.
NAT64 = IPv6Network("64:ff9b::/96")


class NotSent(Exception):
    """Why nothing was sent, or no answer came."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.text)
        self.message = message


def check_url(targets: Sequence[DeliveryTarget], text: str) -> tuple[DeliveryTarget, str]:
    """The server of the list that an address belongs to, and the path; Invalid for others."""
    if not targets:
        raise Invalid(fields={"target": NONE_ALLOWED})
    found = split_url(text) if len(text) <= URL_LENGTH else None
    if found is None:
        raise Invalid(fields={"target": INVALID})
    target = find_target(targets, found[0].origin)
    if target is None:
        servers = [each.origin for each in targets]
        only = N_("Results may be sent to %(servers)s only.", servers=servers)
        raise Invalid(fields={"target": only})
    return target, found[1] or "/"


def find_addresses(target: DeliveryTarget) -> list[str]:
    """The IP addresses of a server. One that is looked up may not have a private address: whoever
    answers for its name could make us send to our own network."""
    if target.address:
        return [target.address]
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotSent(N_("There is no address for the name %(host)s.", host=target.host)) from None
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for address in addresses:
        if not is_public(address):
            text = N_(
                "%(host)s has the address %(address)s, which is not a public one.",
                host=target.host,
                address=address,
            )
            raise NotSent(text)
    return addresses


def is_public(text: str) -> bool:
    """True for an address of the internet."""
    address: IPv4Address | IPv6Address = ip_address(text)
    if isinstance(address, IPv6Address):
        if address.sixtofour or address.ipv4_mapped:
            return False
        if address in NAT64:
            address = IPv4Address(int(address) & 0xFFFFFFFF)
    return address.is_global and not address.is_multicast
