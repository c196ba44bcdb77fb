"""The pages: the list, one file, removing and bringing back; each by everybody."""

import re
from html import unescape

import pytest

from app.auth import services as auth
from app.files import listing, purging
from tests.factories import HTML, OPERATOR, PASSWORD, Browser
from tests.files.helpers import PDF, PNG, REPORT, Script


@pytest.fixture
def script(app):
    script = Script(app, name="林梅")
    script.upload((REPORT, PDF))
    script.upload(("survey/<b>north.png", PNG), field="folder")
    return script


def test_the_list_shows_names_owners_sums_and_links(script, as_role):
    page = as_role("editor").get("/files").text
    assert REPORT in page
    assert "林梅" in page
    assert "2 files · " in page
    assert 'href="/files/1"' in page
    assert "&lt;b&gt;north.png" in page
    assert "<b>north" not in page


def test_viewers_see_no_zone_and_no_buttons(script, as_role):
    page = as_role("viewer").get("/files").text
    assert REPORT in page
    for word in ("data-drop", "/remove", "js/upload.js", "removed=1"):
        assert word not in page
    page = as_role("editor").get("/files").text
    for word in ("data-drop", "/remove", "js/upload.js", "removed=1", "webkitdirectory"):
        assert word in page


@pytest.mark.parametrize(
    "path", ["/files", "/files/1", "/files/1/details", "/files/scripts", "/upload_success"]
)
def test_visitors_are_redirected_to_sign_in(script, browser, path):
    assert browser.get(path).location == f"/login?next={path}"


def test_an_empty_list_explains_itself(as_role):
    assert "No files yet" in as_role("viewer").get("/files").text


@pytest.mark.parametrize(
    ("query", "found"),
    [("q=终", 1), ("q=NORTH", 1), ("q=survey/", 1), ("q=nothing", 0), ("q=%25", 0), ("q=%00", 2),
     ("sort=name&order=desc", 2), ("sort=x&order=y&page=z", 2)],
)  # fmt: skip
def test_search_order_and_page_are_in_the_address(script, as_role, query, found):
    answer = as_role("viewer").get(f"/files?{query}")
    assert answer.status_code == 200
    assert answer.text.count('/details"') == found


def test_the_search_term_is_in_quotation_marks(script, as_role):
    assert "“survey”" in as_role("viewer").get("/files?q=survey").text


def test_pages_of_50(app, script, as_role, monkeypatch):
    monkeypatch.setattr(listing, "PAGE_SIZE", 1)
    browser = as_role("viewer")
    page = browser.get("/files").text
    assert "1–1 of 2" in page
    assert 'rel="next"' in page
    following = re.search(r'href="([^"]+)" rel="next"', page)[1]
    page = browser.get(unescape(following)).text
    assert "2–2 of 2" in page
    assert 'rel="prev"' in page
    assert re.search(r'href="/files"[^>]*>First<', page)


def test_details_show_the_digest_and_versions(app, script, as_role):
    script.upload((REPORT, PDF + b"second"))
    browser = as_role("viewer")
    page = browser.get("/files/1/details").text
    assert "There is a newer version" in page
    page = browser.get("/files/3/details").text
    assert "There is a newer version" not in page
    assert script.get("/files/3").headers["ETag"].strip('"') in page
    assert 'href="/files/1/details"' in page


def test_removing_shows_a_notice_with_undo(app, script, as_role):
    browser = as_role("editor")
    answer = browser.submit("/files/1/remove", page="/files")
    assert (answer.status_code, answer.location) == (303, "/files")
    page = browser.get("/files").text
    assert f"{REPORT} is removed." in page
    assert 'formaction="/files/1/restore"' in page
    assert browser.get("/files/1").status_code == 404
    assert REPORT in browser.get("/files?removed=1").text
    answer = browser.submit("/files/1/restore", page="/files")
    assert answer.status_code == 303
    assert f"{REPORT} is back." in browser.get("/files").text
    assert script.get("/files/1").data == PDF


@pytest.mark.parametrize(
    ("came", "back"),
    [
        ("http://localhost/files?q=%E6%8A%A5&sort=name", "/files?q=%E6%8A%A5&sort=name"),
        ("http://localhost/files/1/details", "/files"),
        ("http://evil.example/files?q=x", "/files"),
        ("http://localhost//evil.example", "/files"),
    ],
)
def test_removing_and_restoring_return_to_the_same_list(script, as_role, came, back):
    browser, headers = as_role("editor"), {**HTML, "Referer": came}
    for action in ("remove", "restore"):
        answer = browser.submit(f"/files/1/{action}", page="/files", headers=headers)
        assert (answer.status_code, answer.location) == (303, back)


def test_the_page_of_removed_files_shows_the_undo_period(script, as_role, monkeypatch):
    monkeypatch.setattr(purging, "UNDO_DAYS", 3)
    page = as_role("editor").get("/files?removed=1").text
    assert "can be restored for 3 days" in page
    assert "No files were removed in the last 3 days" in page


def test_restoring_below_a_newer_version_is_reported(script, as_role):
    browser = as_role("editor")
    browser.submit("/files/1/remove", page="/files")
    script.upload((REPORT, PDF))
    assert REPORT in browser.get("/files?removed=1").text
    assert browser.submit("/files/1/restore", page="/files").status_code == 303
    page = browser.get("/files").text
    assert f"{REPORT} was restored as version 1." in page
    assert "version 2 is the current one" in page
    assert 'href="/files/3/details"' in page


def test_a_former_editor_removes_and_restores_their_own_file(app, script):
    with app.app_context():
        assert auth.set_role(OPERATOR, script.person_id, "viewer")
    viewer = Browser(app)
    viewer.sign_in("林梅", PASSWORD)
    page = viewer.get("/files").text
    assert "/files/1/remove" in page
    assert "data-drop" not in page
    assert "/files/1/remove" in viewer.get("/files/1/details").text
    assert viewer.submit("/files/1/remove", page="/files").status_code == 303
    assert REPORT in viewer.get("/files?removed=1").text
    assert viewer.submit("/files/1/restore", page="/files").status_code == 303
    assert script.get("/files/1").data == PDF


@pytest.mark.parametrize("action", ["remove", "restore"])
def test_writing_is_for_editors_by_post_with_a_token(app, script, as_role, browser, action):
    path = f"/files/1/{action}"
    viewer, editor = as_role("viewer"), as_role("editor")
    assert viewer.submit(path, page="/files").status_code == 403
    assert editor.client.post(path, headers=HTML).status_code == 400
    assert editor.submit("/files/99/" + action, page="/files").status_code == 404
    assert editor.get(path).status_code == 405
    assert browser.submit(path, page="/login").location == "/login"
    assert script.client.post(path).status_code == 401, "nobody, and no browser"
    assert script.get("/files/1").status_code == 200


def test_removing_twice_is_404(script, as_role):
    editor = as_role("editor")
    assert editor.submit("/files/1/remove", page="/files").status_code == 303
    assert editor.submit("/files/1/remove", page="/files").status_code == 404


@pytest.mark.parametrize("path", ["/files/99/details", "/files/x/details", "/files/99999999999999"])
def test_a_missing_file_is_404(script, as_role, path):
    assert as_role("viewer").get(path).status_code == 404


def test_the_page_of_a_removed_file_is_404(script, as_role):
    editor = as_role("editor")
    editor.submit("/files/1/remove", page="/files")
    assert editor.get("/files/1/details").status_code == 404


def test_pages_are_not_stored(script, as_role):
    for path in ("/files", "/files/1/details", "/files/scripts"):
        assert as_role("editor").get(path).headers["Cache-Control"] == "no-store"
