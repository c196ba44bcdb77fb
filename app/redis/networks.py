"""The networks that a rate limit counts a client's address under.

A subscriber of IPv6 has 2^64 addresses at least, so these are counted by /64, and by /48, which is
what many providers assign to one customer.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

UNKNOWN = "unknown"  # all addresses that cannot be read count as one
SUBSCRIBER, SITE = 64, 48
NAT64 = ip_network("64:ff9b::/96")  # IPv4 clients of a server that speaks IPv6 only (RFC 6052)


def networks(address: str) -> tuple[str, ...]:
    """The networks of an address, the narrowest first: an IPv4 address is its own and only one."""
    read = read_address(address)
    if read is None:
        return (UNKNOWN,)
    if isinstance(read, IPv4Address):
        return (str(read),)
    return tuple(str(ip_network((read, length), strict=False)) for length in (SUBSCRIBER, SITE))


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """An address as servers and proxies write it: `192.0.2.1:5060`, `[2001:db8::1]:443`,
    `fe80::1%eth0`. Its port and zone are cut off; an IPv4 address within an IPv6 one counts as
    itself."""
    text = text.strip(' "')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
