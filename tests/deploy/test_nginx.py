"""nginx.conf: its own errors, limits, logs and TLS, in front of a small server of the test."""

import json
import re
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from app.web.hooks import SECURITY_HEADERS
from tests import servers
from tests.conftest import need
from tests.deploy.front import assert_headers_once, installed, nginx_folder, on_laptop
from tests.factories import HTML

SECRET = "IjEi.Zm9v.c2VjcmV0"
HOST = "gazetteer.example.org"


class Application(BaseHTTPRequestHandler):
    """Answers with the headers that it received; /missing is a file that nginx cannot read, and
    /slow gets no answer."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        if self.path == "/slow":
            time.sleep(3)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(200)
        for name, value in SECURITY_HEADERS.items():
            self.send_header(name, value)
        for name in ("Cache-Control", "X-Request-ID"):
            self.send_header(name, "no-store")
        if self.path == "/missing":
            self.send_header("X-Accel-Redirect", "/_files/aa/missing.txt")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_words: Any) -> None:
        """Write nothing to the terminal."""


class Server(ThreadingHTTPServer):
    """Takes many connections at once, and says nothing about those that nginx closes."""

    request_queue_size = 500

    def handle_error(self, *_words: Any) -> None:
        """Write nothing to the terminal."""


@dataclass
class Backend:
    """A port behind nginx, and the folder with its files."""

    port: int
    folder: Path


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


@pytest.fixture(scope="module")
def application() -> Iterator[Backend]:
    """The small server."""
    with (
        servers.short_folder("backend") as folder,
        Server(("127.0.0.1", 0), Application) as server,
    ):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Backend(server.server_port, folder)
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def front(application: Backend) -> Iterator[Front]:
    """nginx in front of the small server; a client may say which address it has."""
    realip = "set_real_ip_from 127.0.0.1; real_ip_header X-Address; "
    with nginx(
        application,
        **{"server_tokens": f"{realip} server_tokens", "read_timeout 60s": "read_timeout 1s"},
    ) as front:
        yield front


@pytest.fixture(scope="module")
def down() -> Iterator[Front]:
    """nginx in front of a port on which nobody listens."""
    with servers.short_folder("backend") as folder, nginx(Backend(1, folder)) as front:
        yield front


def large(size: int) -> Iterator[bytes]:
    """A body of unknown length."""
    for _ in range(size // 100_000):
        yield b"x" * 100_000


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/cities", b""),
        ("POST", "/login", b"x" * 100_000),
        ("POST", "/upload", b"x" * 100_000),
        ("POST", "/upload", b"x" * 20_000_000),
        ("POST", "/upload/", b"x" * 20_000_000),
        ("POST", "/upload", large(20_000_000)),
        ("POST", "/cities/import", b"x" * 20_000_000),
        ("POST", "/cities/import/", b"x" * 20_000_000),
        ("POST", "/setup/x", b"x" * 100_000),
    ],
)
def test_whatever_is_sent_while_the_application_is_away_is_502(down, method, path, body):
    for headers, text in ((HTML, "暂时无法使用"), ({}, '"status": 502')):
        body = large(20_000_000) if isinstance(body, Iterator) else body
        response = requests.request(
            method, down.base + path, data=body, headers=headers, timeout=60
        )
        assert response.status_code == 502
        assert text in response.text
        assert response.headers["Retry-After"] == "2"
        assert_headers_once(response)


@pytest.mark.parametrize(
    ("path", "headers", "status", "text"),
    [
        ("/_files/aa/x.txt", {}, 404, "找不到页面"),
        ("/missing", {}, 404, "找不到页面"),
        ("/static/errors/", {}, 404, "找不到页面"),
        ("/static/errors/nothing", {}, 404, "找不到页面"),
        ("/login", {"Cookie": "a=" + "x" * 9000}, 400, "无法读取该请求"),
        ("/slow", {}, 504, "没有及时响应"),
    ],
)
def test_the_errors_of_nginx_have_our_page_and_headers(front, path, headers, status, text):
    page = requests.get(front.base + path, headers={**HTML, **headers}, timeout=60)
    assert page.status_code == status
    assert text in page.text
    assert_headers_once(page)
    response = requests.get(front.base + path, headers=headers, timeout=60)
    assert response.status_code == status
    assert response.json()["status"] == status
    assert_headers_once(response)


def test_an_address_that_is_too_long_is_explained(front):
    response = requests.get(f"{front.base}/cities?q={'x' * 9000}", headers=HTML, timeout=60)
    assert response.status_code == 414
    assert "地址过长" in response.text
    assert_headers_once(response)


def test_ordinary_forms_have_a_limit_of_their_own(front):
    for path, size, status in (
        ("/login", 120_000, 200),
        ("/login", 140_000, 413),
        ("/cities/import", 20_000_000, 200),
        ("/upload", 20_000_000, 200),
    ):
        response = requests.post(front.base + path, data=b"x" * size, timeout=60)
        assert response.status_code == status, (path, size)


def test_the_application_gets_the_port_from_the_host_only(front):
    for host in ("gazetteer.example.org", "gazetteer.example.org:18443"):
        headers = {"Host": host, "X-Forwarded-Port": "4711"}
        received = requests.get(front.base, headers=headers, timeout=60).json()
        assert received["Host"] == received["X-Forwarded-Host"] == host
        assert "X-Forwarded-Port" not in received


def send(front: Front, method: str, path: str, address: str = "192.0.2.1", **more: str) -> int:
    """The status of a request from an address, on a connection of its own."""
    headers = {"X-Address": address, "Content-Length": "0", **more}
    connection = HTTPConnection("127.0.0.1", front.port, timeout=60)
    try:
        connection.request(method, path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def flood(front: Front, method: str, path: str, addresses: list[str]) -> Counter[int]:
    """The number of answers by status when each address sends a request at the same time."""
    with ThreadPoolExecutor(len(addresses)) as pool:
        return Counter(pool.map(lambda address: send(front, method, path, address), addresses))


@pytest.mark.parametrize(
    ("flooding", "same", "other"),
    [
        (["192.0.2.7"] * 200, "192.0.2.7", "192.0.2.8"),
        ([f"2001:db8:1:a::{i:x}" for i in range(200)], "2001:db8:1:a:ffff::", "2001:db8:1:b::1"),
        ([f"2001:db8::{i:x}" for i in range(200)], "2001:db8::a:0:0:0", "2001:db8:0:1::"),
    ],
)
def test_forms_are_limited_for_each_network(front, flooding, same, other):
    answers = flood(front, "POST", "/login", flooding)
    assert set(answers) == {200, 429}
    assert answers[200] >= 120
    assert send(front, "POST", "/cities/new", other) == 200
    assert send(front, "GET", "/cities", same) == 200
    assert send(front, "POST", "/upload", same) == 200


def test_requests_in_progress_are_limited_for_each_network(front):
    answers = flood(front, "GET", "/slow", ["198.51.100.1"] * 230)
    assert set(answers) == {504, 429}
    assert answers[504] == 200


def test_a_team_behind_one_address_is_not_refused(front):
    """Forty people who each load ten pages one after another, and a folder of uploads."""

    def work(number: int) -> Counter[int]:
        method, path = ("POST", "/upload") if number % 2 else ("GET", "/cities")
        return Counter(send(front, method, path, "198.51.100.7") for _ in range(10))

    with ThreadPoolExecutor(40) as pool:
        assert sum(pool.map(work, range(40)), Counter()) == {200: 400}


def test_static_files_and_health_checks_are_not_limited(front):
    for path in ("/healthz", "/readyz", "/static/0123456789ab/gazetteer.css"):
        for _ in range(5):
            answers = flood(front, "GET", path, ["198.51.100.9"] * 150)
            assert set(answers) == {200}


def test_a_refusal_has_our_page_and_is_only_in_the_access_log(front):
    def ask(accept: dict[str, str]) -> requests.Response:
        headers = {"X-Address": "203.0.113.1", **accept}
        return requests.post(f"{front.base}/login?of=ours", headers=headers, timeout=60)

    with ThreadPoolExecutor(200) as pool:
        responses = pool.map(ask, [HTML, {}] * 100)
    refusals = {response.text: response for response in responses if response.status_code == 429}
    assert len(refusals) == 2
    for response in refusals.values():
        assert response.headers["Retry-After"] == "2"
        assert_headers_once(response)
    page, answer = sorted(refusals)
    assert "请求过多" in page
    assert json.loads(answer)["status"] == 429
    assert " POST /login 429 " in front.log("nginx")
    assert "limiting" not in front.log("nginx-error")
    assert "of=ours" not in front.log()


SPELLINGS = [
    f"/setup/{SECRET}",
    f"/setup/x/{SECRET}",
    f"/setup;/{SECRET}",
    f"//setup/{SECRET}",
    f"/SETUP/{SECRET}",
    f"/Setup/{SECRET}/",
    f"/x/../setup/{SECRET}",
    f"/./setup/{SECRET}",
    f"/%73etup/{SECRET}",
    f"/s%65tu%70%2f{SECRET}",
    f"/%53%45%54%55%50/{SECRET}",
    f"/%2573etup/{SECRET}",
    f"/setup//{SECRET}?next=/",
    f"/setup%5c{SECRET}",
    f"http://{HOST}/setup/{SECRET}",
]


@pytest.mark.parametrize("path", SPELLINGS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_set_up_link_is_in_no_log(down, method, path):
    assert send(down, method, path) == 502
    assert f" {method} /setup/... 502 " in down.log("nginx")
    assert send(down, method, "/cities") == 502
    assert "/cities" in down.log("nginx-error"), "other requests are"
    assert SECRET not in down.log()


def test_a_path_in_the_access_log_is_cut(down):
    assert send(down, "GET", "/cities/" + "x" * 5000) == 502
    line = next(line for line in down.log("nginx").splitlines() if "xxx" in line)
    assert len(line) < 700


@dataclass
class Tls:
    """nginx as the guide installs it."""

    folder: Path
    port: int
    plain: str

    def curl(self, path: str, *words: str) -> str:
        """The head and body of a response, or an empty text if there is none."""
        return subprocess.run(
            ["curl", "--silent", "--include", "--noproxy", "*", *words,
             "--resolve", f"{HOST}:{self.port}:127.0.0.1",
             "--cacert", self.folder / "certificate.pem", f"https://{HOST}:{self.port}{path}"],
            check=False, capture_output=True, text=True, timeout=60,
        ).stdout  # fmt: skip


@pytest.fixture(scope="module")
def tls(application: Backend) -> Iterator[Tls]:
    """nginx with TLS in front of the small server."""
    for program, name in (
        (servers.NGINX, "nginx"),
        (servers.OPENSSL, "openssl"),
        (servers.CURL, "curl"),
    ):
        need(program, name)
    with servers.short_folder("tls") as folder:
        port, plain = servers.free_port(), servers.free_port()
        text = installed(folder, application, port, plain)
        with servers.nginx_server(nginx_folder(folder, "nginx"), text):
            yield Tls(folder, port, f"http://127.0.0.1:{plain}")


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_other_hosts_get_no_answer_over_a_connection_for_ours(tls, version):
    assert tls.curl("/login", version).split()[1] == "200"
    for host in ("evil.example", "127.0.0.1", f"{HOST}.evil.example", f"x.{HOST}"):
        response = tls.curl("/login", version, "--header", f"Host: {host}")
        assert response.split()[1] == "421", host
        assert "evil" not in response


def test_the_errors_of_nginx_have_hsts_over_tls(tls):
    for path in ("/_files/aa/x", "/missing", "/static/errors/502.html", "/static/errors/x"):
        assert tls.curl(path).lower().count("strict-transport-security: max-age=31536000") == 1


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 301),
        ("HEAD", {}, 301),
        ("GET", {"Authorization": "Bearer gz_x"}, 403),
        ("HEAD", {"Authorization": "Bearer gz_x"}, 403),
        ("GET", {"authorization": "basic eDp5"}, 403),
        ("POST", {}, 403),
        ("POST", {"Authorization": "Bearer gz_x"}, 403),
        ("PUT", {}, 403),
        ("DELETE", {"Authorization": "Bearer gz_x"}, 403),
    ],
)
def test_secrets_sent_over_plain_http_are_refused(tls, method, headers, status):
    response = requests.request(
        method, f"{tls.plain}/files/1?a=b", headers=headers, allow_redirects=False, timeout=60
    )
    assert response.status_code == status
    if status == 301:
        assert response.headers["Location"] == f"https://{HOST}/files/1?a=b"
    else:
        assert "Location" not in response.headers
        assert method == "HEAD" or "Use https" in response.text


def handshake(tls: Tls, *words: str) -> bool:
    """True if a TLS handshake with these options succeeds."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{tls.port}", "-servername", HOST, *words],
        stdin=subprocess.DEVNULL, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return bool(re.search(r"Cipher is (?!\(NONE\))", done.stdout))


def test_tls_has_the_curves_and_versions_of_the_intermediate_profile(tls):
    for curve in ("X25519", "P-256", "P-384"):
        assert handshake(tls, "-groups", curve), curve
    for curve in ("X448", "P-521"):
        assert not handshake(tls, "-groups", curve), curve
    assert handshake(tls, "-tls1_3")
    assert handshake(tls, "-tls1_2")
    assert not handshake(tls, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")


def test_a_request_that_is_not_http_is_refused(front):
    with socket.create_connection(("127.0.0.1", front.port)) as client:
        client.sendall(b"nonsense\r\n\r\n")
        head = client.recv(65536).decode()
    assert head.startswith("HTTP/1.1 400")
    assert head.count("Content-Security-Policy") == 1
