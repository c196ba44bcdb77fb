"""Who sees the results of the single checks."""

from ipaddress import ip_address

from app.actor import Actor


def may_see_details(actor: Actor, address: str) -> bool:
    """True for requests from this machine, with a token, or by an administrator."""
    return is_local(address) or actor.by_token or actor.is_admin


def is_local(address: str) -> bool:
    """True if the client address is this machine. It is empty for a unix socket, which is always
    local; a proxy may give an invalid one, which is not."""
    if not address:
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
