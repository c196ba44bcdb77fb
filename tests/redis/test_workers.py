"""Many ask the web processes for values that are missing: one computes each, if somebody waits."""

import os
import signal
import socket
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from tests import servers

pytestmark = pytest.mark.deploy

REQUEST = "GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
ALL = 1000
TURNS, GONE = 4, 20


class Web:
    """The web processes."""

    def __init__(self, base, folder, store):
        self.base, self.folder, self.store = base, folder, store

    @property
    def workers(self):
        return servers.children(int((self.folder / "gunicorn.pid").read_text()))

    def ask(self, path="/value/key"):
        """A connection on which a value was asked for."""
        address = urlsplit(self.base)
        connection = socket.create_connection((address.hostname, address.port), 240)
        connection.sendall(REQUEST.format(path).encode())
        return connection

    @property
    def asked(self):
        """How many requests each process has got."""
        return {int(pid): int(count) for pid, count in self.store.hgetall("asked").items()}

    def wait_for(self, count):
        servers.wait_until(lambda: sum(self.asked.values()) == count, "all ask")


@pytest.fixture
def start(app, site_environment, store, tmp_path):
    """Starts so many processes; a lock expires after so many seconds if its holder was killed."""
    folder, target = app.config["SETTINGS"].instance, "tests.redis.wsgi:app"

    @contextmanager
    def start(lease, workers=2):
        more = {
            "WEB_WORKERS": str(workers),
            "REDIS_TIMEOUT_MS": "10000",
            "LEASE_SECONDS": str(lease),
        }
        with servers.gunicorn_server(
            {**site_environment, **more}, tmp_path / "web.log", target
        ) as base:
            web = Web(base, folder, store)
            servers.wait_until(lambda: len(web.workers) == workers, "all run")
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
    """Another process takes over from a killed one: only its requests get no response."""
    with start(lease=5) as web:
        connections = [web.ask() for _ in range(ALL)]
        web.wait_for(ALL)
        assert set(web.asked) == web.workers
        assert store.get("computed") == "1"
        store.set("go", "1")
        assert all(is_value(read(connection)) for connection in connections)
        assert store.get("computed") == "1"

        store.delete("go", "asked")
        connections = [web.ask("/value/another") for _ in range(ALL)]
        web.wait_for(ALL)
        assert store.get("computed") == "2"
        killed = int(store.get("computing"))
        os.kill(killed, signal.SIGKILL)
        servers.wait_until(lambda: store.get("computed") == "3", "another one computes")
        assert int(store.get("computing")) != killed
        store.set("go", "1")
        responses = [read(connection) for connection in connections]
    assert responses.count(b"") == web.asked[killed]
    assert sum(map(is_value, responses)) == ALL - web.asked[killed]
    assert store.get("computed") == "3"


def test_requests_of_clients_that_have_gone_take_no_turn(start, store):
    with start(lease=60, workers=1) as web:
        computing = [web.ask(f"/value/{number}?search") for number in range(TURNS)]
        servers.wait_until(lambda: store.get("computed") == str(TURNS), "all turns are taken")
        gone = [web.ask(f"/value/gone-{number}?search") for number in range(GONE)]
        web.wait_for(TURNS + GONE)
        waiting = web.ask("/value/waiting?search")
        web.wait_for(TURNS + GONE + 1)
        for connection in gone:
            connection.close()
        store.set("go", "1")
        assert all(is_value(read(connection)) for connection in [*computing, waiting])
    assert store.get("computed") == str(TURNS + 1)
