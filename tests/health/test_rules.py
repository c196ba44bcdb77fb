"""Who sees the results of the single checks."""

import pytest

from app.actor import ANONYMOUS, Actor, Role, Via
from app.health.rules import has_property, may_see_details

VIEWER = Actor(1, "Ada", Role.VIEWER)
ELSEWHERE = "192.0.2.9"


@pytest.mark.parametrize(
    ("actor", "address", "details"),
    [
        (ANONYMOUS, "127.0.0.1", True),
        (ANONYMOUS, "::1", True),
        (ANONYMOUS, "", True),
        (ANONYMOUS, "not an address", False),
        (ANONYMOUS, ELSEWHERE, False),
        (VIEWER, ELSEWHERE, False),
        (Actor(1, "Ada", Role.VIEWER, Via.TOKEN, token_id=1), ELSEWHERE, True),
        (Actor(2, "Grace", Role.EDITOR), ELSEWHERE, False),
        (Actor(3, "Zoe", Role.ADMIN), ELSEWHERE, True),
    ],
)
def test_details_are_for_this_machine_tokens_and_administrators(actor, address, details):
    assert may_see_details(actor, address) is details


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("", True), ("127.0.0.1", True), ("::1", True), ("10.1.2.3", True), ("172.17.0.1", True),
        ("192.168.1.1", True), ("fd00::1", True), ("fe80::1", True), ("::ffff:10.1.2.3", True),
        ("8.8.8.8", False), ("2606:4700::1", False), ("not an address", False),
    ],
)  # fmt: skip
def test_proxies_are_on_this_machine_or_in_a_private_network(address, near):
    assert has_property(address, "is_private") is near
