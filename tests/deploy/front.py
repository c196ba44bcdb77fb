"""nginx with the configuration of the checkout, in front of the application or a small server."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import requests

from app.config import ROOT
from app.web.hooks import SECURITY_HEADERS as HEADERS
from tests import servers
from tests.conftest import need

# For nginx(server_tokens=...): a client may say which address it has.
REAL_ADDRESS = "set_real_ip_from 127.0.0.1; real_ip_header X-Address; server_tokens"
SECURITY_HEADERS = [*HEADERS, "Cache-Control", "X-Request-ID"]


class Backend(Protocol):
    """What nginx has to know of the application."""

    @property
    def port(self) -> int: ...
    @property
    def folder(self) -> Path: ...


@dataclass
class SmallServer:
    """A port behind nginx, and the folder with its files."""

    port: int
    folder: Path


def nginx_folder(folder: Path, name: str) -> Path:
    """A folder for one nginx, with the static files of the checkout."""
    path = folder / name
    (path / "instance" / "nginx").mkdir(parents=True)
    (path / "instance" / "log").mkdir()
    (path / "static").symlink_to(ROOT / "static")
    return path


def with_ports(text: str, backend: Backend) -> str:
    """nginx.conf with the port and paths of this backend."""
    return (
        text.replace("server 127.0.0.1:8000;", f"server 127.0.0.1:{backend.port};")
        .replace("alias instance/files/;", f"alias {backend.folder}/files/;")
        .replace("root instance;", f"root {backend.folder};")
    )


def on_laptop(backend: Backend, port: int) -> str:
    """nginx.conf as it is in the checkout, to try it on a laptop."""
    text = (ROOT / "nginx.conf").read_text()
    return with_ports(text, backend).replace("127.0.0.1:8080", f"127.0.0.1:{port}")


def installed(folder: Path, backend: Backend, port: int, plain_port: int = 0) -> str:
    """nginx.conf converted for a server by the command in docs/operating.md, with paths of this
    test and these ports for https and http."""
    guide = (ROOT / "docs" / "operating.md").read_text()
    command = re.search(r"sed ((?:-e '[^']+' \\?\s*)+)nginx\.conf", guide)
    assert command, "the command is not in the guide"
    expressions = re.findall(r"-e '([^']+)'", command[1])
    words = [word for text in expressions for word in ("-e", text)]
    text = subprocess.run(
        ["sed", *words, ROOT / "nginx.conf"], check=True, capture_output=True, text=True
    ).stdout
    servers.make_certificate(folder, "gazetteer.example.org")
    for old, new in (
        ("user www-data gazetteer;", ""),
        ("/run/nginx.pid", f"{folder}/tls.pid"),
        ("/var/log/nginx/", f"{folder}/tls-"),
        ("/etc/ssl/gazetteer/fullchain.pem", f"{folder}/certificate.pem"),
        ("/etc/ssl/gazetteer/privkey.pem", f"{folder}/key.pem"),
        ("listen 80 default_server;", f"listen 127.0.0.1:{plain_port or servers.free_port()};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    text = re.sub(r" *listen \[::\].*\n", "", text)
    return with_ports(text, backend)


def assert_headers_once(response: requests.Response) -> None:
    """Check that each security header is set exactly once, and that nginx hides its version."""
    for name in SECURITY_HEADERS:
        assert len(response.raw.headers.getlist(name)) == 1, (response.url, name)
    assert response.headers["Server"] == "nginx"


class Application(BaseHTTPRequestHandler):
    """Answers with the headers that it received. /missing and /short are files that nginx sends,
    of which the first does not exist; /slow gets no answer in time, /waiting one after /release,
    and with ?cut the connection ends."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def answer(self) -> None:
        if self.path == "/slow":
            time.sleep(3)
        if self.path == "/release":
            self.server.released.set()
        if self.path == "/waiting":
            self.server.released.wait(120)
        if self.path.endswith("?cut"):
            self.rfile.read(100_000)
            self.close_connection = True
            return
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(200)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        for name in ("Cache-Control", "X-Request-ID"):
            self.send_header(name, "no-store")
        if self.path in ("/missing", "/short"):
            self.send_header("X-Accel-Redirect", f"/_files/aa{self.path}.txt")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_words: Any) -> None:
        """Write nothing to the terminal."""


class Server(ThreadingHTTPServer):
    """Takes many connections at once, and says nothing about those that nginx closes."""

    request_queue_size = 500

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self.released = threading.Event()

    def handle_error(self, *_words: Any) -> None:
        """Write nothing to the terminal."""


@dataclass
class Front:
    """A running nginx."""

    base: str
    logs: Path

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.base.rpartition(":")[2])

    def log(self, pattern: str = "*") -> str:
        """Everything that it has logged, or one of its logs."""
        return "".join(path.read_text() for path in self.logs.glob(f"{pattern}.log"))


@contextmanager
def nginx(backend: Backend, **changes: str) -> Iterator[Front]:
    """nginx as on a laptop, with some words of its configuration replaced."""
    need(servers.NGINX, "nginx")
    with servers.short_folder("nginx") as folder:
        port = servers.free_port()
        text = on_laptop(backend, port)
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        with servers.nginx_server(path := nginx_folder(folder, "nginx"), text):
            yield Front(f"http://127.0.0.1:{port}", path / "instance" / "log")


def send(front: Front, method: str, path: str, address: str = "192.0.2.1", **more: str) -> int:
    """The status of a request from an address, on a connection of its own."""
    headers = {"X-Address": address, "Content-Length": "0", **more}
    connection = HTTPConnection("127.0.0.1", front.port, timeout=60)
    try:
        connection.request(method, path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()
