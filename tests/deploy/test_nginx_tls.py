"""nginx.conf as the guide installs it: TLS, hosts, plain http."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests import servers
from tests.conftest import need
from tests.deploy.front import SmallServer, assert_headers_once, installed, nginx_folder

HOST = "gazetteer.example.org"


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
def tls(application: SmallServer) -> Iterator[Tls]:
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


def test_plain_http_on_the_port_of_https_is_refused(tls):
    response = requests.get(f"http://127.0.0.1:{tls.port}/login", timeout=60)
    assert response.status_code == 400
    assert_headers_once(response)


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
