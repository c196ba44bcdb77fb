"""What requests write to the log of real web processes, and events to the security log."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app import create_app
from app.config import Settings
from tests import servers
from tests.applications import environment, migrate

pytestmark = pytest.mark.deploy

HEAD = b"Host: localhost\r\nConnection: close\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
REQUESTS = {
    "a page": b"GET /login HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a long path": b"GET /" + b"%01" * 2600 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a long query": b"GET /login?secret=" + b"q" * 7000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a line too long": b"GET /setup/secret" + b"x" * 9000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "no version": b"GET /setup/secret" + b"x" * 8000 + b"\r\n" + HEAD + b"\r\n",
    "a method of its own": b"SECRET" * 1000 + b" / HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a bad header": b"GET /login HTTP/1.1\r\nsecret secret" + b"x" * 7000 + b": 1\r\n\r\n",
    "a bad host": b"GET /login HTTP/1.1\r\nHost: a..b" + b"x" * 7000
    + b"\r\nConnection: close\r\n\r\n",
    "a bad referrer": b"POST /nope HTTP/1.1\r\nReferer: http://[" + b"x" * 7000 + b"\r\n" + HEAD
    + b"Content-Length: 0\r\nAccept: text/html\r\n\r\n",
    "a wrong token": b"GET /cities HTTP/1.1\r\nAuthorization: Bearer secret" + b"x" * 7000 + b"\r\n"
    + HEAD + b"\r\n",
    "a form without a token": b"POST /login HTTP/1.1\r\n" + HEAD + FORM
    + b"Content-Length: 9\r\n\r\nname=boss",
}  # fmt: skip


@pytest.fixture(scope="module")
def site(redis_url: str) -> Iterator[tuple[Path, str]]:
    """A folder and the URL of a web process over it."""
    with servers.short_folder("logs") as folder:
        env = {**environment(folder, redis_url), "WEB_WORKERS": "1"}
        (folder / "instance").mkdir()
        migrate(create_app(Settings.load(env)))
        with servers.gunicorn_server(env, folder / "web.log") as base:
            yield folder, base


def send(base: str, request: bytes) -> bytes:
    """Send raw bytes and read the response to its end."""
    address = urlsplit(base)
    with socket.create_connection((str(address.hostname), address.port or 0), 10) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def texts(folder: Path) -> list[str]:
    """The log of the process and the security log."""
    logs = [folder / "web.log", *(folder / "instance" / "log").glob("security-*.log")]
    return [log.read_text() for log in logs]


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_request_writes_at_most_2_kb_and_nothing_secret(site, request_):
    folder, base = site
    before = sum(len(text.encode()) for text in texts(folder))
    for _request in range(3):
        assert send(base, request_).startswith(b"HTTP/1.1 ")
    after = "".join(texts(folder))
    assert before < len(after.encode()) <= before + 3 * 2000
    assert "secret" not in after.lower().replace("secret_key", "")


def test_events_are_in_the_security_log_alone(site):
    folder, base = site
    send(base, REQUESTS["a wrong token"])
    process, security = texts(folder)
    assert "event=token-refused" in security
    assert "event=" not in process
