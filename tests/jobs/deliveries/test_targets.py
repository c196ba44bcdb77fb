"""Which servers are listed, which addresses belong to them, and which IP addresses are refused."""

import pytest

from app.errors import Invalid
from app.jobs.deliveries.targets import NotSent, check_url, find_addresses, is_public
from app.settings.delivery_targets import DeliveryTarget, delivery_targets
from app.settings.environment import SettingError

LISTED = delivery_targets(
    {
        "DELIVERY_TARGETS": "example.org, https://Example.org:8443,"
        "http://intake.lan:8080=10.0.0.5, https://10.0.0.6, http://[::1]:81,"
    }
)


def test_the_setting_lists_servers():
    assert list(LISTED) == [
        DeliveryTarget("https", "example.org", 443),
        DeliveryTarget("https", "example.org", 8443),
        DeliveryTarget("http", "intake.lan", 8080, "10.0.0.5"),
        DeliveryTarget("https", "10.0.0.6", 443, "10.0.0.6"),
        DeliveryTarget("http", "[::1]", 81, "::1"),
    ]
    assert [target.origin for target in LISTED] == [
        "https://example.org",
        "https://example.org:8443",
        "http://intake.lan:8080",
        "https://10.0.0.6",
        "http://[::1]:81",
    ]
    assert delivery_targets({}) == ()


@pytest.mark.parametrize(
    "text",
    [
        "ftp://example.org", "https://", "https://example.org/path", "user@example.org", "a b",
        "example.org:0", "example.org:65536", "example.org=lan", "example.org=", "*.example.org",
    ],
)  # fmt: skip
def test_a_wrong_server_is_reported(text):
    with pytest.raises(SettingError, match="DELIVERY_TARGETS"):
        delivery_targets({"DELIVERY_TARGETS": text})


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("https://example.org/a?b=%20&c", "https://example.org", "/a?b=%20&c"),
        ("HTTPS://EXAMPLE.org:443/A", "https://example.org", "/A"),
        ("https://example.org", "https://example.org", "/"),
        ("http://intake.lan:8080/x", "http://intake.lan:8080", "/x"),
        ("http://[::1]:81/", "http://[::1]:81", "/"),
    ],
)
def test_addresses_of_listed_servers(url, origin, path):
    target, found = check_url(LISTED, url)
    assert (target.origin, found) == (origin, path)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "https://example.org:444/", "https://www.example.org/",
        "https://example.org.evil.net/", "https://example.org@evil.net/",
        "https://evil.net\\@example.org/", "https://evil.net#@example.org/",
        "https://example.org/\r\nHost: evil", "https://example.org/ x", "https://example.org/é",
        "https://example.org?x", "//example.org/", "example.org/", "javascript:alert(1)",
        "https://example.org./", "https://10.0.0.5/", "http://10.0.0.5:8080/",
        "https://example.org/" + "x" * 500,
    ],
)  # fmt: skip
def test_other_addresses_are_refused(url):
    with pytest.raises(Invalid) as refusal:
        check_url(LISTED, url)
    assert list(refusal.value.fields) == ["target"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fd00::1", "ff02::1",
        "::ffff:10.0.0.1", "::ffff:8.8.8.8", "2002:a00:1::1", "64:ff9b::a00:1",
    ],
)  # fmt: skip
def test_private_addresses(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_addresses(address):
    assert is_public(address)


def test_a_name_with_a_private_address_is_refused(app):
    with pytest.raises(NotSent) as refusal, app.app_context():
        find_addresses(DeliveryTarget("https", "localhost", 443))
    assert refusal.value.message.text.endswith("which is not a public one.")
    assert refusal.value.message.values["host"] == "localhost"


def test_a_listed_address_is_not_looked_up():
    assert find_addresses(LISTED[2]) == ["10.0.0.5"]


def test_a_name_that_does_not_exist_is_reported():
    with pytest.raises(NotSent) as refusal:
        find_addresses(DeliveryTarget("https", "a" * 64 + ".invalid", 443))
    assert refusal.value.message.text == "There is no address for the name %(host)s."
