"""Bodies that nobody reads, sent to gunicorn without nginx: the client gets its response, and the
connection ends without stopping other requests."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from app import create_app
from app.config import Settings
from app.web.posts.bodies import LINGER_BYTES
from tests import servers
from tests.applications import environment, migrate

pytestmark = pytest.mark.deploy

FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
ENDLESS = "Content-Length: 9000000000\r\n"


@pytest.fixture(scope="module")
def base(redis_url: str) -> Iterator[str]:
    """One worker, which answers everybody."""
    with servers.short_folder("bodies") as folder:
        env = {**environment(folder, redis_url), "WEB_WORKERS": "1"}
        (folder / "instance").mkdir()
        migrate(create_app(Settings.load(env)))
        with servers.gunicorn_server(env, Path(folder) / "web.log") as url:
            yield url


def connect(base: str, request: str, *headers: str) -> socket.socket:
    """Send the head of a request."""
    parts = urlsplit(base)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=60)
    head = f"{request} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n{''.join(headers)}\r\n"
    connection.sendall(head.encode())
    return connection


def status(connection: socket.socket) -> int:
    """The status of the response, which comes although the body does not."""
    return int(connection.recv(65536).split()[1])


def send_until_it_ends(connection: socket.socket, sent: list[int]) -> None:
    """Go on sending, whatever the response, until the connection ends."""
    with suppress(OSError):
        while True:
            sent[0] += connection.send(b"a=1&" * 4096)


REQUESTS = [
    ("POST /login", FORM, 413),
    ("POST /cities/new", FORM, 303),
    ("POST /upload", "Content-Type: multipart/form-data; boundary=b\r\n", 303),
    ("POST /nothing-here", FORM, 404),
    ("GET /healthz", FORM, 200),
    ("PUT /login", FORM, 405),
]


@pytest.mark.parametrize(("request_line", "kind", "expected"), REQUESTS)
def test_the_head_alone_gets_the_response_and_the_end(request_line, kind, expected, base):
    connection = connect(base, request_line, kind, ENDLESS)
    assert status(connection) == expected
    while connection.recv(65536):  # fails after 20 s if the connection stays open
        pass
    connection.close()


@pytest.mark.parametrize(("request_line", "kind", "expected"), REQUESTS)
def test_who_goes_on_sending_stops_nobody(request_line, kind, expected, base):
    connection, sent = connect(base, request_line, kind, ENDLESS), [0]
    sender = threading.Thread(target=send_until_it_ends, args=(connection, sent))
    sender.start()
    assert status(connection) == expected
    assert requests.get(f"{base}/healthz", timeout=60).status_code == 200
    sender.join(20)
    assert not sender.is_alive()
    # The kernel has buffers of some megabytes.
    assert sent[0] < 64_000_000
    connection.close()


@pytest.mark.parametrize("length", [LINGER_BYTES // 2, LINGER_BYTES * 2])
def test_who_sends_a_byte_now_and_then_is_not_waited_for(length, base):
    connection = connect(base, "POST /nothing-here", FORM, f"Content-Length: {length}\r\n")
    assert status(connection) == 404
    connection.settimeout(0.1)

    def has_ended() -> bool:
        with suppress(TimeoutError):
            connection.sendall(b"a")
            return not connection.recv(65536)
        return False

    with suppress(ConnectionError):
        servers.wait_until(has_ended, "the connection ends")
    connection.close()


def test_a_short_rest_leaves_the_connection_open(base):
    body = b"a" * (LINGER_BYTES // 2)
    connection = HTTPConnection(str(urlsplit(base).hostname), urlsplit(base).port, timeout=60)
    for _request in range(3):
        connection.putrequest("POST", "/nothing-here")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        response = connection.getresponse()
        assert response.status == 404
        response.read()
        connection.send(body)
    connection.close()


@pytest.mark.parametrize(
    "chunks",
    [
        b"x\r\n",
        b"5\r\nabc",
        b"5\r\nabcdefgh\r\n0\r\n\r\n",
        b"-1\r\n\r\n",
        b"0\r\nx\r\n\r\n",
        b"5;\n",
    ],
)
def test_malformed_chunks_are_a_bad_request(chunks, base):
    connection = connect(base, "POST /login", FORM, "Transfer-Encoding: chunked\r\n")
    connection.sendall(chunks)
    connection.shutdown(socket.SHUT_WR)
    assert status(connection) == 400
    connection.close()
