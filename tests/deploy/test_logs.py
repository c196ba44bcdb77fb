"""What requests write to the log of real web processes, and events to the security log."""

import itertools
import os
import signal
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
    with socket.create_connection((str(address.hostname), address.port or 0), 60) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


numbers = itertools.count()


def texts(folder: Path, base: str) -> list[str]:
    """The log of the process up to now, and the security log. Lines of requests are written with a
    delay, so another request is sent, and what was written before its line is the log."""
    path = f"/up-to-here-{next(numbers)}"
    send(base, b"GET %b HTTP/1.1\r\n%b\r\n" % (path.encode(), HEAD))
    log = folder / "web.log"
    servers.wait_until(lambda: f" path={path} " in log.read_text(), "the request is logged")
    lines = [
        line for line in log.read_text().splitlines(keepends=True) if "/up-to-here" not in line
    ]
    security = (folder / "instance" / "log").glob("security-*.log")
    process = "".join(line for line in lines if "/up-to-here" not in line)
    return [process, *(path.read_text() for path in security)]


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_request_writes_at_most_2_kb_and_nothing_secret(site, request_):
    folder, base = site
    before = sum(len(text.encode()) for text in texts(folder, base))
    for _request in range(3):
        assert send(base, request_).startswith(b"HTTP/1.1 ")
    after = "".join(texts(folder, base))
    assert before < len(after.encode()) <= before + 3 * 2000
    assert "secret" not in after.lower().replace("secret_key", "")


def test_events_are_in_the_security_log_alone(site):
    folder, base = site
    send(base, REQUESTS["a wrong token"])
    process, security = texts(folder, base)
    assert "event=token-refused" in security
    assert "event=" not in process


def test_the_last_requests_are_logged_when_the_process_ends(site):
    folder, base = site
    for number in range(20):
        send(base, b"GET /last-%d HTTP/1.1\r\n%b\r\n" % (number, HEAD))
    master = int((folder / "instance" / "gunicorn.pid").read_text())
    [worker] = servers.children(master)
    os.kill(worker, signal.SIGTERM)  # another one starts
    log = folder / "web.log"
    servers.wait_until(lambda: f"Worker exiting (pid: {worker})" in log.read_text(), "it has ended")
    found = [line for line in log.read_text().splitlines() if " path=/last-" in line]
    assert [line.partition(" path=")[2].split()[0] for line in found] == [
        f"/last-{number}" for number in range(20)
    ]
