"""The pages: the list, one file, removing and restoring; for every role."""

import pytest

from app.auth import services as auth
from app.database.engine import db
from app.database.keyset import SEARCH_LENGTH
from app.files.models import File
from app.web import client
from tests.factories import HTML, OPERATOR, PASSWORD, Browser
from tests.files.helpers import PDF, PNG, REPORT, Script, make_person, store
from tests.html import Page

ROWS = "[data-fresh=list] tbody tr"
NOTICE = ".notice"


@pytest.fixture
def script(app):
    script = Script(app, name="林梅")
    script.upload((REPORT, PDF))
    script.upload(("survey/<b>north.png", PNG), field="folder")
    return script


def test_the_list_shows_names_owners_sums_and_links(script, as_role):
    page = Page(as_role("editor").get("/files"))
    assert page.text(".head .quiet").startswith("2 files, ")
    assert page.texts(f"{ROWS} .main") == ["survey", REPORT]
    assert page.texts(f"{ROWS} .sub") == ["林梅", "林梅"]
    assert page.links(f"{ROWS} .main a") == ["/files/folders/survey", "/files/1/details"]


def test_viewers_see_no_zone_and_no_buttons(script, as_role):
    for_writing = ("[data-drop]", "[formaction$='/remove']", "[href='/files/removed']",
                   "script[src$='js/upload.js']", "[webkitdirectory]")  # fmt: skip
    viewer, editor = (Page(as_role(role).get("/files")) for role in ("viewer", "editor"))
    assert len(viewer.all(ROWS)) == len(editor.all(ROWS)) == 2
    assert [selector for selector in for_writing if viewer.has(selector)] == []
    assert [selector for selector in for_writing if not editor.has(selector)] == []


@pytest.mark.parametrize(
    "path", ["/files", "/files/1", "/files/1/details", "/files/scripts", "/upload_success"]
)
def test_visitors_are_redirected_to_sign_in(script, browser, path):
    assert browser.get(path).location == f"/login?next={path}"


def test_an_empty_list_explains_itself(as_role):
    page = as_role("viewer").get
    assert "No files yet" in Page(page("/files")).text(".empty")
    assert "No files need to be checked." in Page(page("/files?check=1")).text(".empty")


@pytest.mark.parametrize(
    ("query", "found"),
    [("q=终", 1), ("q=NORTH", 1), ("q=survey/", 1), ("q=nothing", 0), ("q=%25", 0), ("q=%00", 2),
     ("sort=name&order=desc", 2), ("sort=x&order=y&page=z", 2)],
)  # fmt: skip
def test_search_order_and_page_are_in_the_address(script, as_role, query, found):
    response = as_role("viewer").get(f"/files?{query}")
    assert response.status_code == 200
    assert len(Page(response).all(ROWS)) == found


def test_the_search_term_is_in_quotation_marks(script, as_role):
    page = Page(as_role("viewer").get("/files?q=survey"))
    assert page.text("a.chip").endswith("“survey”")


def test_pages_of_50(app, script, as_role, monkeypatch):
    monkeypatch.setattr(client, "PAGE_SIZE", 1)
    browser = as_role("viewer")
    page = Page(browser.get("/files"))
    assert page.text(".pager > .figure") == "1–1 of 2"
    [following] = page.links("[rel=next]")
    page = Page(browser.get(following))
    assert page.text(".pager > .figure") == "2–2 of 2"
    assert page.has("[rel=prev]")
    assert page.links(".pager a")[0] == "/files"


def test_details_show_the_digest_and_versions(app, script, as_role):
    script.upload((REPORT, PDF + b"second"))
    browser = as_role("viewer")
    page = Page(browser.get("/files/1/details"))
    assert page.text(".notice.caution").startswith("This is version 1. There is a newer version.")
    assert page.links(".notice.caution a") == ["/files/3/details"]
    page = Page(browser.get("/files/3/details"))
    assert not page.has(".notice")
    assert page.text(".head .quiet") == "51 B, version 2"
    assert script.get("/files/3").headers["ETag"] == f'"{page.text("#sha256")}"'
    assert page.links(".versions a") == ["/files/3", "/files/1/details", "/files/1"]
    assert page.texts(".versions b") == ["2", "1"]
    assert page.text(".versions [aria-current]").startswith("2 this version (current)")
    assert not page.has("[formaction$='/current']")


def test_the_page_of_a_file_shows_facts_and_the_way_back(app, script, as_role):
    page = Page(as_role("viewer").get("/files/2/details"))
    facts = dict(zip(page.texts(".facts dt"), page.texts(".facts dd"), strict=True))
    assert (facts["Uploaded by"], facts["Kind"]) == ("林梅", "PNG picture")
    assert page.has(".facts time[title]")
    assert page.texts(".crumbs a") == ["Files", "survey"]
    assert page.links(".head a.btn-primary") == ["/files/2"]
    assert not page.has(".head .menu")
    page = Page(as_role("editor").get("/files/2/details"))
    assert page.one(".head .menu form")["action"].startswith("/files/2/remove")
    assert "uploaded this file" in page.text(".side .feed:not(.versions)")


def test_an_earlier_version_is_made_current(app, script, as_role):
    script.upload((REPORT, PDF + b"second"))
    browser = as_role("editor")
    page = Page(browser.get("/files/3/details"))
    assert page.one(".versions button")["formaction"] == "/files/1/current"
    response = browser.submit("/files/1/current", page="/files/3/details")
    assert (response.status_code, response.location) == (303, "/files/4/details")
    page = Page(browser.get("/files/4/details"))
    assert page.text(NOTICE) == "This is the current version again, as version 3."
    assert page.texts(".versions b") == ["3", "2", "1"]
    assert "made an earlier version of this file current" in page.text(".side .feed:not(.versions)")
    assert script.get(f"/download/{REPORT}").data == PDF
    # The version with the same content offers nothing.
    assert page.one(".versions button")["formaction"] == "/files/3/current"
    again = browser.submit("/files/1/current", page="/files/4/details")
    assert again.status_code == 409
    viewer = as_role("viewer")
    assert viewer.submit("/files/3/current", page="/account").status_code == 403


def test_removing_shows_a_notice_with_undo(app, script, as_role):
    browser = as_role("editor")
    response = browser.submit("/files/1/remove", page="/files")
    assert (response.status_code, response.location) == (303, "/files")
    page = Page(browser.get("/files"))
    assert page.text(NOTICE) == f"{REPORT} was removed. Undo"
    assert page.one(f"{NOTICE} button")["formaction"] == "/files/1/restore"
    assert browser.get("/files/1").status_code == 404
    assert Page(browser.get("/files/removed")).texts("tbody .main") == [REPORT]
    response = browser.submit("/files/1/restore", page="/files")
    assert response.status_code == 303
    assert Page(browser.get("/files")).text(NOTICE) == f"{REPORT} was restored."
    assert script.get("/files/1").data == PDF


@pytest.mark.parametrize(
    ("came", "back"),
    [
        ("http://localhost/files?q=%E6%8A%A5&sort=name", "/files?q=%E6%8A%A5&sort=name"),
        ("http://localhost/files/1/details", "/files"),
        ("http://localhost//evil.example", "/files"),
    ],
)
def test_removing_and_restoring_return_to_the_same_list(script, as_role, came, back):
    browser, headers = as_role("editor"), {**HTML, "Referer": came}
    response = browser.submit("/files/1/remove", page="/files", headers=headers)
    assert (response.status_code, response.location) == (303, back)
    response = browser.submit("/files/1/restore", page="/files", headers=headers)
    # The page of the file is there again.
    again = "/files/1/details" if came.endswith("details") else back
    assert (response.status_code, response.location) == (303, again)


def test_the_page_of_removed_files_shows_the_undo_period(app, as_role, make_app):
    as_role("editor")
    editor = Browser(make_app(REMOVED_DAYS="3"))
    editor.begin_session("editor")
    page = Page(editor.get("/files/removed"))
    assert page.text(".lead") == "Removed files can be restored for 3 days."
    assert page.text(".empty") == "There are no files to restore."


def test_restoring_below_a_newer_version_is_reported(script, as_role):
    browser = as_role("editor")
    browser.submit("/files/1/remove", page="/files")
    script.upload((REPORT, PDF))
    assert Page(browser.get("/files/removed")).texts("tbody .main") == [REPORT]
    assert browser.submit("/files/1/restore", page="/files").status_code == 303
    page = Page(browser.get("/files"))
    assert page.text(NOTICE).startswith(f"{REPORT} was restored as version 1.")
    assert "version 2 is the current one" in page.text(NOTICE)
    assert page.links(f"{NOTICE} a") == ["/files/3/details"]


def test_a_former_editor_removes_and_restores_their_own_file(app, script):
    with app.app_context():
        assert auth.set_role(OPERATOR, script.person_id, "viewer")
    viewer = Browser(app)
    viewer.sign_in("林梅", PASSWORD)
    page = Page(viewer.get("/files"))
    assert page.has("[formaction='/files/1/remove']")
    assert not page.has("[data-drop]")
    assert Page(viewer.get("/files/1/details")).has("form[action^='/files/1/remove?']")
    assert viewer.submit("/files/1/remove", page="/files").status_code == 303
    assert Page(viewer.get("/files/removed")).texts("tbody .main") == [REPORT]
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
    assert browser.submit(path, page="/login").location == "/login?next=/&why=ended"
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


def test_the_search_box_cuts_what_is_longer_than_what_is_searched_for(as_role):
    box = Page(as_role("viewer").get("/files")).one("input[name=q]")
    assert box["maxlength"] == str(SEARCH_LENGTH)


@pytest.mark.parametrize(
    ("flaw", "english", "chinese"),
    [
        (
            "name",
            "Its original name, a:b, is not allowed here.",
            "它原来的名称“a:b”不符合这里的规则。",
        ),
        ("size", "It is larger than an upload may be.", "文件大于上传限制。"),
        (
            "content",
            "Its type is not allowed, or its content is of another type.",
            "不允许这种文件类型，或者文件内容与类型不符。",
        ),
    ],
)
def test_the_page_of_a_file_shows_what_is_to_be_checked(app, as_role, flaw, english, chinese):
    with app.app_context():
        file = db.session.get(File, store(make_person(app, "Ada"), "a.pdf").id)
        file.flaw, file.sent_name = flaw, "a:b"
        db.session.commit()
        path = f"/files/{file.id}/details"
    viewer = as_role("viewer")
    assert Page(viewer.get(path)).text(".notice") == english
    assert (
        Page(viewer.client.get(path, headers={"Accept-Language": "zh"})).text(".notice") == chinese
    )
