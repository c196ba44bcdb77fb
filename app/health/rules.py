"""Who sees the results of the single checks, and what Redis is warned of."""

from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address

from babel.dates import format_timedelta

from app.actor import Actor
from app.times import now

GOOD_POLICIES = ("volatile-ttl", "noeviction")


def ago(moment: datetime) -> str:
    """How long ago something was, in English as all of a report."""
    passed = moment - now()
    return format_timedelta(passed, "minute", threshold=1, add_direction=True, locale="en")


def may_see_details(actor: Actor, address: str) -> bool:
    """True for requests from this machine, with a token, or by an administrator."""
    return has_property(address, "is_loopback") or actor.by_token or actor.is_admin


def has_property(address: str, name: str) -> bool:
    """True if a client address is_loopback (this machine) or is_private (where proxies are). It is
    empty for a unix socket, which is always local; a proxy may give an invalid one, which is
    not."""
    if not address:
        return True
    try:
        return bool(getattr(ip_address(address), name))
    except ValueError:
        return False


def warn_of_memory(memory: Mapping[str, object]) -> list[str]:
    """What is wrong with the memory settings of a Redis, given its INFO: it must have a limit, and
    must not end sessions while it could delete cached texts."""
    if not memory.get("maxmemory"):
        return ["Redis has no memory limit (maxmemory)"]
    policy = memory.get("maxmemory_policy")
    if policy in GOOD_POLICIES:
        return []
    return [f"Redis ends sessions when it is full (maxmemory-policy {policy}); set volatile-ttl"]
