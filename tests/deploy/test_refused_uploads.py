"""Uploads that the application refuses without reading them, through nginx and without it."""

import socket
from collections import Counter
from collections.abc import Iterator

import pytest
import requests

from tests import servers
from tests.deploy.front import Front, nginx
from tests.factories import HTML

JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def site(running: servers.Instance) -> Iterator[Front]:
    """nginx in front of the application."""
    with nginx(running) as front:
        yield front


@pytest.mark.parametrize("size", [1_000, 70_000, 200_000, 5_000_000, 25_000_000])
@pytest.mark.parametrize("path", ["/upload", "/cities/import"])
def test_a_refused_upload_gets_its_answer_through_nginx(site, path, size):
    """Not 502, because the connection to nginx was cut while it was still sending."""
    statuses: Counter[int] = Counter()
    for headers in (HTML, JSON) * 3:
        files = {"file": ("a.txt", b"x" * size)}
        response = requests.post(
            site.base + path, files=files, headers=headers, allow_redirects=False, timeout=60
        )
        statuses[response.status_code] += 1
        # The connection that nginx keeps to the application can be used by the next request.
        assert requests.get(f"{site.base}/healthz", timeout=60).status_code == 200
    assert statuses == {303: 3, 401: 3}


@pytest.mark.parametrize(
    ("length", "says"), [("1000", "keep-alive"), ("70000", "close"), ("9000000000", "close")]
)
def test_a_connection_with_a_long_unread_rest_is_closed(running, length, says):
    head = f"POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", running.port), 60) as client:
        client.sendall(head.encode() + b"x" * min(int(length), 100_000))
        with client.makefile("rb") as file:
            assert file.readline().split()[1] == b"401"
            lines = iter(file.readline, b"\r\n")
            headers = {
                name.lower(): text.strip() for name, _, text in (x.partition(b":") for x in lines)
            }
            assert headers[b"connection"] == says.encode()
            file.read(int(headers[b"content-length"]))
            if says == "close":
                assert file.read() == b""
            else:
                client.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                assert file.readline().split()[1] == b"200"
