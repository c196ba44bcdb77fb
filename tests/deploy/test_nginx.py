"""nginx.conf: its own errors and logs, and what the application gets."""

import json
import re
import socket
from collections.abc import Iterator

import pytest
import requests

from app.config import ROOT
from tests.deploy.front import SECURITY_HEADERS, assert_headers_once, send
from tests.factories import HTML
from tests.html import Page

SECRET = "IjEi.Zm9v.c2VjcmV0"


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


@pytest.mark.parametrize("path", ["/upload?cut", "/cities/import?cut"])
def test_an_upload_that_the_application_cuts_is_502(front, path):
    for headers, text in ((HTML, "暂时无法使用"), ({}, '"status": 502')):
        body = b"x" * 20_000_000
        response = requests.post(front.base + path, data=body, headers=headers, timeout=60)
        assert response.status_code == 502
        assert text in response.text
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
        ("/jobs/new/digest", 3_000_000, 200),
        ("/jobs/new/cities.export", 3_000_000, 200),
        ("/schedules/new/digest", 3_000_000, 200),
        ("/schedules/12/edit", 3_000_000, 200),
        ("/schedules/12/edit", 5_000_000, 413),
        ("/schedules/12/pause", 140_000, 413),
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
    f"http://gazetteer.example.org/setup/{SECRET}",
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


def test_every_error_page_is_there_in_both_languages():
    config = (ROOT / "nginx.conf").read_text()
    pages = re.findall(r"error_page .* /static/errors/(\d+)\.(\$error_type|html);", config)
    assert len(pages) > 5
    for status, kind in pages:
        page = Page((ROOT / f"static/errors/{status}.html").read_text())
        assert page.one("h1").text
        assert page.one("section[lang=zh-CN] h2").text
        if kind != "html":
            answer = json.loads((ROOT / f"static/errors/{status}.json").read_text())
            assert answer["status"] == int(status)
            assert answer["error"].endswith(".")


START = "Host: a\r\nAccept: text/html\r\nContent-Length: 0\r\nConnection: close\r\n"
STATIC = "/static/0123456789ab/a.css"


@pytest.mark.parametrize(
    ("request_line", "status", "ours"),
    [
        ("GE T /", 400, True),
        ("GET /%zz", 400, True),
        ("GET /%00", 400, True),
        ("GET /../x", 400, True),
        ("nonsense", 400, True),
        ("GET / HTTP/1.1\r\nHost: b", 400, True),
        ("GET / HTTP/1.1\r\nA: " + "b" * 9000, 400, True),
        ("GET / HTTP/1.1\r\n" + "A: b\r\n" * 6000 + "A: b", 400, True),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked", 400, True),
        ("TRACE /", 405, True),
        (f"POST {STATIC}", 405, True),
        ("DELETE /static/errors/502.html", 405, True),
        ("PUT /_files/aa/x", 404, True),
        (f"GET {STATIC} HTTP/1.1\r\nRange: bytes=999-", 416, True),
        ("GET /short HTTP/1.1\r\nRange: bytes=999-", 416, True),
        (f"GET {STATIC} HTTP/1.1\r\nIf-Match: 1", 412, False),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: other", 501, False),
        ("GET / HTTP/9.9", 505, False),
    ],
)
def test_every_refusal_of_nginx_has_each_header_once(
    application, front, request_line, status, ours
):
    """What no browser sends has no page of ours, but the headers all the same."""
    for path in ("static/0123456789ab/a.css", "files/aa/short.txt"):
        (application.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (application.folder / path).write_text("short")
    line, _, headers = request_line.partition("\r\n")
    more = f"{headers}\r\n" if headers else ""
    line = line if "HTTP/" in line or line == "nonsense" else f"{line} HTTP/1.1"
    with socket.create_connection(("127.0.0.1", front.port), 60) as client:
        client.sendall(f"{line}\r\n{more}{START}\r\n".encode())
        with client.makefile("rb") as file:
            head, _, body = file.read().decode().partition("\r\n\r\n")
    assert head.split()[1] == str(status)
    for name in {*SECURITY_HEADERS, "Cache-Control", "X-Request-ID"}:
        assert head.lower().count(f"\n{name.lower()}:") == 1, name
    assert "nginx/" not in head + body
    assert ours == ("zh-CN" in body or f'"status": {status}' in body)
