"""The page of a folder."""

import pytest

from app.database.engine import db
from app.files.models import File
from tests.factories import Browser
from tests.files.helpers import PDF, Script, parts
from tests.html import Page

ROWS = "[data-fresh=list] tbody tr"


@pytest.fixture
def script(app):
    script = Script(app, name="林梅")
    for path in ("survey/2026/报告 #1?.pdf", "survey/plan.pdf", "survey 2/other.pdf", "top.pdf"):
        script.upload((path, PDF), field="folder")
    return script


def test_a_folder_shows_where_it_is_and_what_is_in_it(script, as_role):
    page = Page(as_role("editor").get("/files/folders/survey"))
    assert page.text("h1") == "survey"
    assert page.text("title").startswith("survey")
    assert page.text(".head .quiet") == "2 files, 112 B".replace("112", str(2 * len(PDF)))
    assert page.texts(".crumbs a") == ["Files"]
    assert page.links(".crumbs a") == ["/files"]
    assert page.texts(f"{ROWS} .main") == ["2026", "plan.pdf"]
    assert page.texts(f"{ROWS} .n") == ["1 file", f"{len(PDF)} B"]
    assert page.texts(f"{ROWS} .sub") == ["林梅", "林梅"]
    assert page.links(f"{ROWS} .main a") == ["/files/folders/survey/2026", "/files/2/details"]
    assert page.one("[name=into]")["value"] == "survey"


def test_folders_further_down_have_a_longer_breadcrumb(script, as_role):
    page = Page(as_role("viewer").get("/files/folders/survey/2026/"))
    assert page.links(".crumbs a") == ["/files", "/files/folders/survey"]
    assert page.texts(f"{ROWS} .main") == ["报告 #1?.pdf"]


def test_a_search_in_a_folder_says_where_files_are(script, as_role):
    page = Page(as_role("viewer").get("/files/folders/survey?q=pdf&sort=name"))
    assert page.texts(f"{ROWS} .split") == ["plan.pdf", "报告 #1?.pdf"]
    assert page.links(f"{ROWS} .main .place a") == [
        "/files/folders/survey",
        "/files/folders/survey/2026",
    ]
    assert page.one("[type=search]")["placeholder"] == "Search in survey"
    assert page.links("a.chip") == ["/files/folders/survey?sort=name"]


@pytest.mark.parametrize("path", ["surve", "SURVEY", "survey/x", "survey%5F2", "..", "%00"])
def test_other_paths_are_missing(script, as_role, path):
    assert as_role("viewer").get(f"/files/folders/{path}").status_code == 404


def test_an_upload_on_a_folder_s_page_goes_there(app, as_role):
    browser = as_role("editor")
    browser.submit("/upload", {"file": parts(("a.txt", b"1")), "into": "x/y"}, page="/files")
    browser.submit("/upload", {"folder": parts(("z/b.txt", b"2")), "into": "x"}, page="/files")
    browser.submit("/upload", {"file": parts(("a.txt", b"3")), "into": "/x/y/"}, page="/files")
    with app.app_context():
        stored = [(file.path, file.version, file.sent_name) for file in db.session.query(File)]
    assert stored == [("x/y/a.txt", 1, None), ("x/z/b.txt", 1, None), ("x/y/a.txt", 2, None)]
    assert Page(browser.get("/files/folders/x")).texts(f"{ROWS} .main") == ["y", "z"]


def test_an_invalid_folder_is_refused_for_each_file(app):
    script = Script(app)
    form = b"".join(
        b"--x\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + data + b"\r\n"
        for head, data in (
            (b'name="file"; filename="a.txt"', b"1"),
            (b'name="into"', b"a/../b"),
        )
    )
    response = script.upload_form(form + b"--x--\r\n")
    assert response.status_code == 422
    assert response.text.splitlines() == [
        "file uploaded Fail",
        "a.txt\trefused\t“..” is not a valid name.",
    ]


def test_an_action_leads_back_to_the_folder(script, as_role):
    browser: Browser = as_role("editor")
    here = {"Referer": "http://localhost/files/folders/survey?sort=name", "Accept": "text/html"}
    data = {"csrf_token": browser.token("/files")}
    response = browser.client.post("/files/2/remove", data=data, headers=here)
    assert response.location == "/files/folders/survey?sort=name"


def test_removing_a_file_on_its_page_leads_to_its_folder(script, as_role):
    browser: Browser = as_role("editor")
    headers = {"Referer": "http://localhost/files/2/details", "Accept": "text/html"}
    response = browser.submit("/files/2/remove", page="/files", headers=headers)
    assert response.location == "/files/folders/survey"


@pytest.mark.parametrize(
    ("came", "back"),
    [
        ("/files?q=surv&sort=name", "/files?q=surv&sort=name"),
        ("/files/folders/survey?sort=name", "/files"),  # the page of what is removed
        ("/", "/files"),
    ],
)
def test_removing_a_selection_leads_back_to_the_list(script, as_role, came, back):
    browser: Browser = as_role("editor")
    headers = {"Referer": f"http://localhost{came}", "Accept": "text/html"}
    question = Page(browser.get("/files/remove?folder=1", headers=headers))
    assert question.text("h1") == "Remove survey?"
    data = {"next": question.one("main [name=next]")["value"]}
    response = browser.submit("/files/remove?folder=1", data, page="/files")
    assert response.location == back
    [undo] = Page(browser.get(back)).all(".notice button")
    headers = {"Referer": f"http://localhost{back}", "Accept": "text/html"}
    response = browser.submit(undo["formaction"], page="/files", headers=headers)
    assert response.location == back


def test_undoing_a_version_on_the_page_of_the_file_comes_back_to_it(script, as_role):
    browser: Browser = as_role("editor")
    script.upload(("survey/plan.pdf", PDF + b"2"), field="folder")
    undo = Page(browser.get("/files/5/details")).all(".side button[formaction$=undo]")[0]
    headers = {"Referer": "http://localhost/files/5/details", "Accept": "text/html"}
    response = browser.submit(undo["formaction"], page="/files", headers=headers)
    assert response.location == "/files/2/details"
    assert browser.get(response.location).status_code == 200


def test_an_empty_folder_says_so_in_one_box(script, as_role):
    browser = as_role("editor")
    browser.submit("/files/2/remove", page="/files")
    browser.submit("/files/1/remove", page="/files")
    assert Page(browser.get("/files/folders/survey/2026")).text(".empty-note") == (
        "This folder is empty."
    )
    assert not Page(browser.get("/files/folders/survey/2026")).has(".empty")
    assert Page(as_role("viewer").get("/files/folders/survey/2026")).has(".empty")
