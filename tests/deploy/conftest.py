"""The real programs, as an operator runs them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.conftest import need


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Add the marker `deploy` to every test here."""
    for item in items:
        if "tests/deploy" in item.nodeid:
            item.add_marker(pytest.mark.deploy)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for an instance, with a path short enough for sockets."""
    need(servers.REDIS, "redis-server or valkey-server")
    with servers.short_folder("deploy") as path:
        yield path


@pytest.fixture(scope="module")
def running() -> Iterator[servers.Instance]:
    """A running instance that the tests of a module share."""
    need(servers.REDIS, "redis-server or valkey-server")
    with servers.short_folder("deploy") as path, servers.started(path) as instance:
        yield instance
