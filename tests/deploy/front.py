"""nginx in front of the application, with the configuration of the checkout."""

import re
import subprocess
from pathlib import Path
from typing import Protocol

import requests

from app.config import ROOT
from tests import servers

SECURITY_HEADERS = [
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Permissions-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "X-Frame-Options",
    "Cache-Control",
    "X-Request-ID",
]


class Backend(Protocol):
    """What nginx has to know of the application."""

    @property
    def port(self) -> int: ...
    @property
    def folder(self) -> Path: ...


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
