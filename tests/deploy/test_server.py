"""A server deployment: MariaDB, Redis, two gunicorn workers and nginx in front, on loopback."""

import hashlib
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pymysql
import pytest
import requests

from tests import servers
from tests.conftest import need
from tests.deploy.front import (
    SECURITY_HEADERS,
    assert_headers_once,
    installed,
    nginx_folder,
    on_laptop,
)
from tests.factories import HTML, PASSWORD
from tests.files.preview.helpers import encoded, pdf, photograph
from tests.site import Site

PREVIEW_HEADERS = (
    "Content-Security-Policy",
    "Content-Type",
    "Content-Disposition",
    "Cache-Control",
    "ETag",
    "Vary",
    "X-Frame-Options",
    "X-Content-Type-Options",
    "Cross-Origin-Resource-Policy",
)
NAME = "报告 (终稿).txt"


@dataclass
class Server:
    """The running programs, and the URLs of nginx in front of them."""

    folder: Path
    instance: servers.Instance
    database: str
    front: str
    front_tls: str
    certificate: Path
    site: Site  # through nginx


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Everything running; the database did not exist before."""
    need(servers.REDIS, "redis-server or valkey-server")
    need(servers.MARIADB, "mariadbd")
    need(servers.NGINX, "nginx")
    need(servers.OPENSSL, "openssl")
    with (
        servers.short_folder("server") as folder,
        servers.mariadb_server() as database,
        servers.redis_server(folder) as redis,
        servers.started(
            folder,
            DATABASE_URL=f"{database}/made-by-us",
            REDIS_URL=redis,
            SECRET_KEY="k" * 64,
            TRUSTED_PROXIES="1",
            NGINX_SENDS_FILES="1",
        ) as instance,
    ):
        done = instance.flask("create-user", "editor", "--role", "editor", typed=PASSWORD)
        assert done.returncode == 0, done.stderr
        front, tls = servers.free_port(), servers.free_port()
        with (
            servers.nginx_server(nginx_folder(folder, "plain"), on_laptop(instance, front)),
            servers.nginx_server(nginx_folder(folder, "tls"), installed(folder, instance, tls)),
        ):
            yield Server(
                folder, instance, database, f"http://127.0.0.1:{front}",
                f"https://gazetteer.example.org:{tls}", folder / "certificate.pem",
                Site(f"http://127.0.0.1:{front}"),
            )  # fmt: skip


def add_token(server: Server) -> str:
    """Create a token for scripts on its page."""
    server.site.sign_in("editor")
    page = server.site.send("editor", "/account/tokens", {"label": "test", "password": PASSWORD})
    found = re.search(r"gz_[\w-]{40,}", page.text)
    assert found, page.text
    return found[0]


def test_the_absent_database_was_created_with_our_collation(server):
    port = int(server.database.rpartition(":")[2])
    with pymysql.connect(host="127.0.0.1", port=port, user="root") as connection:
        cursor = connection.cursor()
        cursor.execute(
            "SELECT default_collation_name FROM information_schema.schemata"
            " WHERE schema_name = 'made-by-us'"
        )
        assert cursor.fetchone() == ("utf8mb4_bin",)


def test_a_city_is_added_and_edited_over_two_workers(server):
    client = server.site.sign_in("editor")
    fields = {"province": "广东", "city": "深圳市", "number": "17"}
    server.site.send("editor", "/cities/new", fields)
    listed = client.get(f"{server.front}/cities?q=圳", timeout=60).text
    path = re.search(r'href="(/cities/\d+)"', listed)
    assert path
    server.site.send("editor", path[1], {**fields, "number": "17494398"})
    assert "17,494,398" in client.get(f"{server.front}/cities?q=圳", timeout=60).text
    assert len(workers_that_answer(server, client)) == 2


def workers_that_answer(server: Server, client: requests.Session) -> set[str]:
    """The process ids that the page "Session" shows to many concurrent requests."""

    def ask(_number: int) -> list[str]:
        page = requests.get(
            f"{server.front}/session", cookies=client.cookies, headers=HTML, timeout=60
        )
        assert page.status_code == 200
        return re.findall(r"worker (\d+)", page.text)

    with ThreadPoolExecutor(16) as pool:
        return {worker for workers in pool.map(ask, range(100)) for worker in workers}


def test_a_hundred_megabytes_go_up_and_come_down_unchanged(server):
    # Decimal megabytes, just below the limit; text, to match the file extension.
    content = (b"0123456789abcdef" * 62_500) * 100
    assert len(content) == 100_000_000
    headers = {"Authorization": f"Bearer {add_token(server)}"}
    response = requests.post(
        f"{server.front}/upload", files={"file": (NAME, content)}, headers=headers, timeout=100
    )
    assert response.status_code == 200, response.text
    assert response.text.startswith("file uploaded successfully")
    response = requests.get(
        f"{server.front}/download", params={"filename": NAME}, headers=headers, timeout=100
    )
    assert hashlib.sha256(response.content).digest() == hashlib.sha256(content).digest()
    assert "filename*=UTF-8''%E6%8A%A5" in response.headers["Content-Disposition"]
    assert_headers_once(response)
    # nginx sent it, with the application's ETag, and supports ranges.
    part = requests.get(
        response.url,
        headers={**headers, "Range": "bytes=16-31", "If-Range": response.headers["ETag"]},
        timeout=60,
    )
    assert (part.status_code, part.content) == (206, b"0123456789abcdef")
    assert part.headers["ETag"] == response.headers["ETag"]
    several = requests.get(response.url, headers={**headers, "Range": "bytes=0-1,4-5"}, timeout=60)
    assert (several.status_code, several.content) == (200, response.content), "as without nginx"
    same = requests.get(
        response.url, headers={**headers, "If-None-Match": response.headers["ETag"]}, timeout=60
    )
    assert (same.status_code, same.content) == (304, b"")
    stored = next((server.instance.folder / "files").glob("*/*.txt"))
    hidden = f"{server.front}/_files/{stored.parent.name}/{stored.name}"
    assert requests.get(hidden, headers=headers, timeout=60).status_code == 404


def test_previews_keep_their_headers_behind_nginx(server):
    headers = {"Authorization": f"Bearer {add_token(server)}"}
    data = encoded(photograph(300, 200), "PNG")
    files = [("file", ("harbour.png", data)), ("file", ("report.pdf", pdf()))]
    sent = requests.post(f"{server.front}/upload", files=files, headers=headers, timeout=60)
    assert sent.status_code == 200
    client = server.site.sign_in("editor")
    listed = client.get(f"{server.front}/files?q=harbour.png", timeout=60).text
    found = re.search(r"/files/(\d+)/picture/64\?v=\w+", listed)
    assert found
    for path in (found[0], f"/files/{int(found[1]) + 1}/preview/x"):
        ours = requests.get(server.instance.base + path, headers=headers, timeout=60)
        theirs = requests.get(server.front + path, headers=headers, timeout=60)
        assert (ours.status_code, theirs.status_code) == (200, 200)
        assert_headers_once(theirs)
        for name in PREVIEW_HEADERS:
            assert theirs.headers[name] == ours.headers[name], name
        assert theirs.headers["Content-Length"] == str(len(theirs.content))
    assert theirs.content == pdf()
    part = requests.get(theirs.url, headers={**headers, "Range": "bytes=0-3"}, timeout=60)
    assert (part.status_code, part.content) == (206, b"%PDF")


def test_every_kind_of_response_has_each_header_once(server):
    page = requests.get(f"{server.front}/login", headers=HTML, timeout=60)
    static = re.search(r"/static/([0-9a-f]{12})/gazetteer\.css", page.text)
    assert static
    for path, status, caching in (
        ("/login", 200, "no-store"),
        ("/nothing-here", 404, "no-store"),
        ("/pi/100", 200, None),
        (static[0], 200, "public, max-age=31536000, immutable"),
        (f"{static[0]}x", 404, "no-store"),
        (static[0].replace(static[1], "0123456789ab"), 200, "no-cache"),
        ("/static/errors/502.html", 200, "no-store"),
    ):
        response = requests.get(server.front + path, headers=HTML, timeout=60)
        assert response.status_code == status, path
        assert_headers_once(response)
        assert response.headers["Cache-Control"] == caching or caching is None
    ours = requests.get(server.instance.base + static[0], timeout=60)
    theirs = requests.get(server.front + static[0], timeout=60)
    assert ours.content == theirs.content
    for name in SECURITY_HEADERS[:-1]:
        assert ours.headers[name] == theirs.headers[name]
    assert requests.request("TRACE", server.front, timeout=60).status_code == 405


def test_pages_of_the_last_release_get_its_static_files(server):
    """A page of the last release may be open while the workers already run the next one."""
    last = server.instance.folder / "static" / "0fedcba98765"
    last.mkdir()
    (last / "gazetteer.css").write_text("/* of the last release */")
    for base in (server.front, server.instance.base):
        response = requests.get(f"{base}/static/{last.name}/gazetteer.css", timeout=60)
        assert response.text == "/* of the last release */"
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_nginx_explains_its_own_refusals(server):
    url = f"{server.front}/login"
    response = requests.post(url, data=b"x" * 9_000_000, headers=HTML, timeout=60)
    assert response.status_code == 413
    assert "Nothing was saved" in response.text
    assert "内容过大" in response.text
    assert_headers_once(response)
    response = requests.post(url, data=b"x" * 9_000_000, timeout=60)
    assert response.json() == {"error": "Too large. Nothing was saved.", "status": 413}


def test_an_import_reaches_the_application_which_names_its_limit(server):
    """By its headers: nothing of it has to be sent."""
    server.site.sign_in("editor")
    host, _colon, port = server.front.rpartition("/")[2].partition(":")
    client = HTTPConnection(host, int(port), timeout=60)
    client.putrequest("POST", "/cities/import")
    cookie = f"gz={server.site.cookie('editor')}"
    for name, value in {**HTML, "Cookie": cookie, "Content-Length": str(201 << 20)}.items():
        client.putheader(name, value)
    client.endheaders()
    response = client.getresponse()
    assert response.status == 413
    assert "At most 200 MB can be sent here at once." in response.read().decode()
    client.close()


def test_a_client_cannot_forge_its_address(server):
    forged = {
        "X-Forwarded-For": "192.0.2.7",
        "X-Real-IP": "192.0.2.7",
        "Forwarded": "for=192.0.2.7;proto=https;host=evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "4711",
        "X-Forwarded-Prefix": "/evil",
        "X-Request-ID": "forged-by-a-client",
    }
    response = requests.get(f"{server.front}/cities", headers={**HTML, **forged}, timeout=60)
    assert "evil" not in response.text
    assert response.headers["X-Request-ID"] != "forged-by-a-client"
    assert "Strict-Transport-Security" not in response.headers
    log = server.instance.folder / "log" / "web.log"  # supervisor writes it, with a delay
    request_id = response.headers["X-Request-ID"]
    servers.wait_until(lambda: request_id in log.read_text(), "the request is logged")
    assert "192.0.2.7" not in log.read_text()


def test_tls_as_the_guide_installs_it(server):
    need(servers.CURL, "curl")
    name, port = server.front_tls.removeprefix("https://").split(":")
    response = subprocess.run(
        ["curl", "--silent", "--include", "--http1.1", "--noproxy", "*",
         "--resolve", f"{name}:{port}:127.0.0.1", "--cacert", server.certificate,
         f"{server.front_tls}/login"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert response.startswith("HTTP/1.1 200")
    assert response.count("Strict-Transport-Security: max-age=31536000; includeSubDomains") == 1
    cookie = re.search(r"Set-Cookie: (.*)", response)
    assert cookie
    assert "HttpOnly" in cookie[1]
    # Requests for another host name get no response.
    other = subprocess.run(
        ["curl", "--silent", "--insecure", "--noproxy", "*", f"https://127.0.0.1:{port}/login"],
        check=False, capture_output=True,
    )  # fmt: skip
    assert other.returncode != 0


def test_nginx_explains_that_the_application_is_down(server):
    """The last test of the module: it stops the application, and every process of it exits."""
    server.instance.stop()
    assert server.instance.processes() == []
    response = requests.get(f"{server.front}/cities", headers=HTML, timeout=60)
    assert response.status_code == 502
    assert "Gazetteer is being restarted" in response.text
    assert "暂时无法使用" in response.text
    assert_headers_once(response)
    assert requests.get(f"{server.front}/cities", timeout=60).json()["status"] == 502
    # nginx still sends static files.
    file = next((server.instance.folder / "static").glob("*/mark.svg"))
    url = f"{server.front}/static/{file.parent.name}/mark.svg"
    assert requests.get(url, timeout=60).content == file.read_bytes()
    assert requests.get(f"{server.front}/setup/secret?of=ours", timeout=60).status_code == 502
    folder = server.folder / "plain" / "instance" / "log"
    log = (folder / "nginx.log").read_text()
    assert " GET /cities 502 " in log
    assert " GET /setup/... 502 " in log
    errors = (folder / "nginx-error.log").read_text()
    assert "/cities" in errors
    assert "secret" not in log + errors
