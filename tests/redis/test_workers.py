"""Single flight over the web processes: many ask for a value that is missing, and one computes."""

import os
import signal
import socket
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from tests import servers

pytestmark = pytest.mark.deploy

REQUEST = b"GET /value HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
ALL = 1000


class Web:
    """Two web processes."""

    def __init__(self, base, folder, store):
        self.base, self.folder, self.store = base, folder, store

    @property
    def workers(self):
        return servers.children(int((self.folder / "gunicorn.pid").read_text()))

    def ask(self):
        """A connection on which the value was asked for."""
        address = urlsplit(self.base)
        connection = socket.create_connection((address.hostname, address.port), 240)
        connection.sendall(REQUEST)
        return connection

    @property
    def asked(self):
        """How many requests each process has got."""
        return {int(pid): int(count) for pid, count in self.store.hgetall("asked").items()}

    def wait_for(self, count):
        servers.wait_until(lambda: sum(self.asked.values()) == count, "all ask")


@pytest.fixture
def start(app, site_environment, store, tmp_path):
    """Starts the processes; a lock expires after so many seconds if its holder was killed."""
    folder, target = app.config["SETTINGS"].instance, "tests.redis.wsgi:app"

    @contextmanager
    def start(lease):
        more = {"WEB_WORKERS": "2", "REDIS_TIMEOUT_MS": "10000", "LEASE_SECONDS": str(lease)}
        with servers.gunicorn_server(
            {**site_environment, **more}, tmp_path / "web.log", target
        ) as base:
            web = Web(base, folder, store)
            servers.wait_until(lambda: len(web.workers) == 2, "both run")
            yield web

    return start


def read(connection):
    """The response; nothing if the process was killed."""
    with connection, suppress(ConnectionResetError):
        return b"".join(iter(lambda: connection.recv(65_536), b""))
    return b""


def is_value(response):
    return response.startswith(b"HTTP/1.1 200 ") and response.endswith(b"\r\n\r\nthe value")


def test_of_a_thousand_requests_one_computes(start, store):
    with start(lease=60) as web:
        connections = [web.ask() for _ in range(ALL)]
        web.wait_for(ALL)
        assert set(web.asked) == web.workers
        assert store.get("computed") == "1"
        store.set("go", "1")
        assert all(is_value(read(connection)) for connection in connections)
    assert store.get("computed") == "1"


def test_another_process_takes_over_from_a_killed_one(start, store):
    """Only the requests of the killed one get no response."""
    with start(lease=5) as web:
        connections = [web.ask() for _ in range(ALL)]
        web.wait_for(ALL)
        killed = int(store.get("computing"))
        os.kill(killed, signal.SIGKILL)
        servers.wait_until(lambda: store.get("computed") == "2", "another one computes")
        assert int(store.get("computing")) != killed
        store.set("go", "1")
        responses = [read(connection) for connection in connections]
    assert responses.count(b"") == web.asked[killed]
    assert sum(map(is_value, responses)) == ALL - web.asked[killed]
    assert store.get("computed") == "2"
