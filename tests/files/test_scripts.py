"""The page "For scripts", and its lines run unchanged, against a real server."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from app.auth import queries
from tests import servers
from tests.conftest import need
from tests.factories import Browser, add_person, add_token
from tests.files.helpers import PDF, Script, some_text
from tests.html import Page


@pytest.fixture
def server(app, tmp_path, site_environment) -> Iterator[str]:
    """gunicorn over the database, Redis and files of `app`."""
    settings = {**site_environment, "HOME": str(tmp_path), "WEB_WORKERS": "1"}
    with servers.gunicorn_server(settings, tmp_path / "web.log") as base:
        yield base


def example(page: str, name: str) -> str:
    return Page(page).one(f"#{name} > code").text


def test_viewers_get_the_lines_for_downloads_only(as_role):
    page = Page(as_role("viewer").get("/files/scripts"))
    assert page.has("#curl-download")
    assert not page.has("#curl-upload")


def test_behind_a_proxy_the_lines_name_the_outer_address(make_app):
    app = make_app(TRUSTED_PROXIES="1")
    with app.app_context():
        add_person("editor", "editor")
    browser = Browser(app)
    browser.client.environ_base |= {
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_HOST": "files.example",
        "HTTP_REFERER": "https://files.example/",
    }
    browser.sign_in("editor")
    page = browser.get("/files/scripts")
    assert "https://files.example/upload" in Page(page).text("#curl-upload")


def test_the_limits_are_those_of_the_settings(make_app):
    app = make_app(UPLOAD_EXTENSIONS="txt,zip", UPLOAD_MAX_MB="3")
    with app.app_context():
        add_person("viewer")
    browser = Browser(app)
    browser.sign_in("viewer")
    panel = Page(browser.get("/files/scripts")).all(".panel")[-1].text
    assert "A file can have at most 3 MB. Allowed file types: txt, zip." in panel


def test_every_file_type_is_a_sentence_of_its_own(as_role):
    panel = Page(as_role("viewer").get("/files/scripts")).all(".panel")[-1].text
    assert "A file of any type can have at most 100 MB." in panel
    page = as_role("editor").get("/files")
    assert "Up to 100 MB each" in page.text


# Run unchanged


@pytest.fixture
def typed(app, server, tmp_path, as_role):
    """Run a line of the page in a folder with a report and a survey."""
    folder = tmp_path / "work"
    (folder / "survey" / "北 north").mkdir(parents=True)
    (folder / "report.pdf").write_bytes(PDF)
    (folder / "survey" / "a.txt").write_bytes(b"one\n")
    (folder / "survey" / "北 north" / "报告 (终稿).txt").write_bytes(some_text(100_000))
    as_role("editor")
    with app.app_context():
        token = add_token(queries.find_person("editor").id)
    page = as_role("editor").get("/files/scripts").text.replace("http://localhost", server)

    def run(name: str, program: str) -> str:
        command = ["bash", "-ec"] if program == "bash" else [sys.executable, "-c"]
        done = subprocess.run(
            [*command, example(page, name)], cwd=folder, capture_output=True, text=True, timeout=60,
            env={**os.environ, "GAZETTEER_TOKEN": token},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    run.folder = folder
    return run


def uploaded(output: str) -> list[str]:
    return sorted(line.split("\t")[0] for line in output.splitlines() if "\tkept\t" in line)


def in_survey(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.glob("survey/**/*.txt")]


@pytest.mark.deploy
def test_the_lines_for_curl(typed):
    need(servers.CURL, "curl")
    output = typed("curl-folder", "bash")
    assert uploaded(output) == ["survey/a.txt", "survey/北 north/报告 (终稿).txt"]
    output = typed("curl-upload", "bash")
    assert output.startswith("file uploaded successfully\nreport.pdf\tkept\t3\t")
    output = typed("curl-download", "bash")
    assert output.split()[::2] == [hashlib.sha256(PDF).hexdigest()] * 2
    typed("curl-by-number", "bash")
    assert (typed.folder / "copy.pdf").read_bytes() in in_survey(typed.folder), "number 1"
    assert (typed.folder / "report.pdf").read_bytes() == PDF, "what was uploaded is as it was"


@pytest.mark.deploy
def test_the_lines_for_python(typed):
    output = typed("python-upload", "python")
    assert uploaded(output) == ["report.pdf", "survey/a.txt", "survey/北 north/报告 (终稿).txt"]
    assert typed("python-download", "python") == "the same\n"
    assert (typed.folder / "copy.pdf").read_bytes() == PDF


# As scripts of the original do, with and without the one header more


@pytest.mark.deploy
def test_a_refused_large_upload_gets_a_response_and_not_a_broken_connection(app, server):
    large = {"file": ("a.txt", some_text(10_000_000) * 3)}
    response = requests.post(f"{server}/upload", files=large, timeout=30)
    assert (response.status_code, response.text) == (401, "Please sign in, or send a token.\n")
    viewer = Script(app, role="viewer")
    headers = {"Authorization": viewer.headers["Authorization"]}
    response = requests.post(f"{server}/upload", files=large, headers=headers, timeout=30)
    assert response.status_code == 403
    assert response.text.startswith("file uploaded Fail\n")
    response = requests.get(f"{server}/upload", files=large, headers=headers, timeout=30)
    assert response.status_code == 405
    assert "POST" in response.text


@pytest.mark.deploy
def test_a_broken_download_is_resumed(app, server):
    script = Script(app)
    data = some_text(300_000)
    script.upload(("data.txt", data))
    headers = {"Authorization": script.headers["Authorization"]}
    with requests.get(f"{server}/files/1", headers=headers, stream=True, timeout=30) as response:
        etag = response.headers["ETag"]
        got = response.raw.read(100_000)
    rest = {**headers, "Range": f"bytes={len(got)}-", "If-Range": etag}
    response = requests.get(f"{server}/files/1", headers=rest, timeout=30)
    assert response.status_code == 206
    assert got + response.content == data
