"""The real programs, as an operator runs them."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.conftest import need
from tests.deploy.front import REAL_ADDRESS, Application, Front, Server, SmallServer, nginx

# In an env file. How several are replaced one after another, test_gunicorn.py shows with a small
# application: ours takes a second of computing in each.
ONE_WORKER = "WEB_WORKERS=1\n"


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


@pytest.fixture(scope="package")
def running() -> Iterator[servers.Instance]:
    """A running instance that tests share. They may change its settings and its number of workers,
    and leave all programs running."""
    need(servers.REDIS, "redis-server or valkey-server")
    with servers.short_folder("deploy") as path:
        (path / "env").write_text(ONE_WORKER)
        with servers.started(path) as instance:
            yield instance


@pytest.fixture(scope="module")
def application() -> Iterator[SmallServer]:
    """The small server."""
    with (
        servers.short_folder("backend") as folder,
        Server(("127.0.0.1", 0), Application) as server,
    ):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield SmallServer(server.server_port, folder)
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def front(application: SmallServer) -> Iterator[Front]:
    """nginx in front of the small server; a client may say which address it has."""
    changes = {"server_tokens": REAL_ADDRESS, "read_timeout 60s": "read_timeout 1s"}
    with nginx(application, **changes) as front:
        yield front


@pytest.fixture(scope="module")
def down() -> Iterator[Front]:
    """nginx in front of a port on which nobody listens."""
    with servers.short_folder("backend") as folder, nginx(SmallServer(1, folder)) as front:
        yield front
