"""The same client counts as one, however a server or proxy writes its address."""

import pytest

from app.redis.networks import UNKNOWN, networks
from app.redis.rate_limit import WIDER, Limit, per_network

SITE = ("2001:db8:1:2::/64", "2001:db8:1::/48")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", ("192.0.2.1",)),
        ("192.0.2.1:5060", ("192.0.2.1",)),
        ("::ffff:192.0.2.1", ("192.0.2.1",)),
        ("::ffff:c000:201", ("192.0.2.1",)),
        ("[::ffff:192.0.2.1]:443", ("192.0.2.1",)),
        ("64:ff9b::192.0.2.1", ("192.0.2.1",)),
        (" 192.0.2.1 ", ("192.0.2.1",)),
        ("2001:db8:1:2::1", SITE),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", SITE),
        ("2001:0db8:0001:0002::1", SITE),
        ("[2001:db8:1:2::1]", SITE),
        ("[2001:db8:1:2::1]:443", SITE),
        ('"[2001:db8:1:2::1]:443"', SITE),
        ("2001:db8:1:2::1%eth0", SITE),
        ("[2001:db8:1:2::1%25eth0]:443", SITE),
        ("::1", ("::/64", "::/48")),
        ("fe80::1%eth0", ("fe80::/64", "fe80::/48")),
    ],
)
def test_an_address_in_any_notation(address, expected):
    assert networks(address) == expected


@pytest.mark.parametrize(
    "address",
    ["", "unknown", "_hidden", "192.0.2.256", "192.0.2", "1", "[]", "[", "]:80", ":", "%eth0",
     "a" * 5000, "2001:db8::1::1", "192.0.2.1, 192.0.2.2", "\x00", "１９２.0.2.1"],
)  # fmt: skip
def test_what_is_not_an_address_counts_as_one(address):
    assert networks(address) == (UNKNOWN,)


def test_a_wider_network_may_have_more():
    assert per_network(20, "x", "2001:db8::1") == (
        Limit(20, "x:2001:db8::/64"),
        Limit(20 * WIDER, "x:2001:db8::/48"),
    )
    assert per_network(20, "x", "192.0.2.1") == (Limit(20, "x:192.0.2.1"),)
