"""POST /upload, as the page's own script and browsers without one use it."""

from contextlib import ExitStack, nullcontext

import pytest
from urllib3 import encode_multipart_formdata

from app.files.storage import purging
from app.files.upload import results
from app.files.upload import services as uploads
from tests import servers
from tests.factories import HTML, PASSWORD, Browser, at_once
from tests.files.helpers import (
    JSON,
    PDF,
    REPORT,
    Script,
    all_connections_taken,
    files_dir,
    on_disk,
    parts,
    without_connection,
)
from tests.html import Page

# The page's own script


def test_the_page_script_reads_json(app, as_role):
    browser = as_role("editor")
    token = browser.token("/files")
    response = browser.client.post(
        "/upload",
        data={"file": parts((REPORT, PDF), ("b.gif", b"x"))},
        headers={**JSON, "X-CSRFToken": token},
    )
    assert response.status_code == 207
    first, second = response.json["files"]
    assert (first["path"], first["kept"], first["url"]) == (REPORT, True, "/files/1")
    assert (second["kept"], second["status"]) == (False, 422)


def test_nothing_is_stored_without_the_csrf_token(app, as_role):
    browser = as_role("editor")
    for headers in (JSON, HTML, {"Accept": "*/*"}):
        data = {"file": parts((REPORT, PDF))}
        response = browser.client.post("/upload", data=data, headers=headers)
        assert response.status_code == 400
    assert on_disk(files_dir(app)) == []


# A browser without JavaScript


def test_a_browser_is_redirected_to_the_page_of_results(app, as_role):
    browser = as_role("editor")
    files = parts((REPORT, PDF), ("b.gif", b"x"))
    response = browser.submit("/upload", {"file": files}, page="/files")
    assert response.status_code == 303
    assert response.location.startswith("/upload_success?batch=")
    page = Page(browser.get(response.location))
    assert page.text("title") == "Upload finished · Gazetteer"
    assert page.text("h1") == "Upload finished"
    assert page.texts("main h2") == ["1 file failed", "1 file uploaded"]
    failed, uploaded = page.texts("table.cards tbody tr")
    assert failed.startswith("b.gif The content is not a .gif file.")
    assert uploaded.startswith(REPORT)
    assert page.has("a[href='/files#upload']")
    assert len(Page(browser.get(response.location)).all(".main")) == 2, "also after a reload"
    others = Page(as_role("viewer").get(response.location))
    assert not others.has(".main"), "another's is not shown"


@pytest.mark.parametrize(
    ("files", "status", "words"),
    [
        ([], 422, "No file was selected"),
        ([("a.gif", b"x")], 422, "The content is not a .gif file."),
        ([("a.txt", b"x" * ((1 << 20) + 1))], 413, "1 MB"),
    ],
)
def test_a_browser_is_shown_why_nothing_was_stored(make_app, files, status, words):
    app = make_app(UPLOAD_MAX_MB="1")
    Script(app)
    browser = Browser(app)
    browser.sign_in("editor's script", PASSWORD)
    fields = [("csrf_token", browser.token("/files")), *[("file", file) for file in files]]
    body, kind = encode_multipart_formdata(fields)
    response = browser.client.post("/upload", data=body, content_type=kind, headers=HTML)
    assert response.status_code == status
    assert words in Page(response).text("main")
    assert Page(response).text("h1") == "Upload failed"


def test_a_browser_is_shown_the_results_when_redis_goes_down(make_app, monkeypatch):
    real_store = uploads.store
    with servers.short_folder("own") as folder, ExitStack() as redis:
        app = make_app(REDIS_URL=redis.enter_context(servers.redis_server(folder)))
        Script(app)
        browser = Browser(app)
        browser.sign_in("editor's script", PASSWORD)

        def store_and_lose_redis(*args):
            redis.close()
            return real_store(*args)

        monkeypatch.setattr(uploads, "store", store_and_lose_redis)
        response = browser.submit("/upload", {"file": parts((REPORT, PDF))}, page="/files")
    assert response.status_code == 200
    assert Page(response).text("main h2") == "1 file uploaded"
    assert Page(response).text(".main") == REPORT
    assert len(on_disk(files_dir(app))) == 1


def test_a_visitor_is_redirected_to_sign_in(browser):
    response = browser.client.post("/upload", data={"file": parts(("a.txt", b"x"))}, headers=HTML)
    assert (response.status_code, response.location) == (303, "/login?next=/upload&why=ended")
    assert browser.get("/upload_success").status_code == 303


@pytest.mark.parametrize("query", ["", "?batch=", "?batch=guess", "?batch=\u6587"])
def test_the_success_page_without_an_upload_leads_to_the_form(as_role, query):
    page = Page(as_role("viewer").get(f"/upload_success{query}"))
    assert "shown here for 10 minutes" in page.text(".empty")
    assert page.has("a[href='/files#upload']")


def test_the_success_page_names_the_time_that_is_set(as_role, monkeypatch):
    monkeypatch.setattr(results, "RESULT_MINUTES", 3)
    page = Page(as_role("viewer").get("/upload_success"))
    assert "shown here for 3 minutes" in page.text(".empty")


def test_an_upload_does_not_overwrite_the_session(app, as_role, monkeypatch):
    browser = as_role("editor")
    real_store, statuses = uploads.store, []
    cookie = browser.client.get_cookie("gz")

    def store_value():
        other = Browser(app)
        other.client.set_cookie(cookie.key, cookie.value)
        data = {"key": "colour", "value": "green"}
        return other.submit("/session/set", data, page="/session").status_code

    def store_slowly(*args):
        statuses.extend(at_once(app, store_value))
        return real_store(*args)

    monkeypatch.setattr(uploads, "store", store_slowly)
    response = browser.submit("/upload", {"file": parts((REPORT, PDF))}, page="/files")
    assert (response.status_code, statuses) == (303, [303])
    assert "green" in browser.get("/session").text


def test_some_files_have_another_result_when_all_connections_are_taken(app, monkeypatch):
    """Those of the second transaction of a form."""
    monkeypatch.setattr(uploads, "ROWS", 2)
    insert_versions, calls = uploads.insert_versions, []

    def insert_without_connection(*args):
        calls.append(args)
        with all_connections_taken() if len(calls) == 2 else nullcontext():
            return insert_versions(*args)

    monkeypatch.setattr(uploads, "insert_versions", insert_without_connection)
    files = [(f"{number}.txt", b"x") for number in range(5)]
    response = Script(app).upload(*files, **JSON)
    assert (response.status_code, response.headers["Retry-After"]) == (207, "2")
    assert [file.get("retry_after") for file in response.json["files"]] == [None, None, 2, 2, None]
    assert [(file["kept"], file.get("status")) for file in response.json["files"]] == [
        (True, None), (True, None), (False, 503), (False, 503), (True, None),
    ]  # fmt: skip
    assert len(on_disk(files_dir(app))) == 3


def test_an_upload_succeeds_although_nothing_could_be_purged(app, monkeypatch):
    monkeypatch.setattr(purging, "purge_removed", without_connection(purging.purge_removed))
    assert Script(app).upload(("a.txt", b"1")).status_code == 200
