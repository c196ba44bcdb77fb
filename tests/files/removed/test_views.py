"""The pages of removed files."""

import pytest

from app.files import services
from app.times import now
from tests.factories import HTML, OPERATOR
from tests.files.helpers import PDF, REPORT, Script
from tests.html import Page

LIST, EMPTY = "/files/removed", "/files/removed/empty"


@pytest.fixture
def gone(app, as_role):
    """A file of a script that an editor removed; returns that browser."""
    Script(app, name="林梅").upload((REPORT, PDF))
    editor = as_role("editor")
    editor.submit("/files/1/remove", page="/files")
    editor.get("/files")
    return editor


def test_the_list_says_who_removed_a_file_and_restores_it(gone):
    page = Page(gone.get(LIST))
    assert page.texts("tbody :is(.main, .sub)") == [REPORT, "林梅"]
    assert page.text("tbody .by").endswith("editor")
    assert page.links(".crumbs a") == ["/files"]
    headers = {**HTML, "Referer": f"http://localhost{LIST}"}
    response = gone.submit("/files/1/restore", page=LIST, headers=headers)
    assert (response.status_code, response.location) == (303, LIST)
    assert Page(gone.get(LIST)).text(".notice") == f"{REPORT} was restored."


def test_the_former_address_leads_to_the_list(gone):
    assert gone.get("/files?removed=1").location == LIST
    assert gone.get("/files?removed=1&q=a%20b").location == f"{LIST}?q=a+b"


def test_others_see_the_files_that_they_may_restore(gone, as_role):
    page = Page(as_role("viewer").get(LIST))
    assert not page.has("tbody")
    assert page.text(".empty") == "None of your files can be restored."


def test_an_administrator_empties_the_list_after_a_question(gone, as_role):
    admin = as_role("admin")
    assert EMPTY in Page(admin.get(LIST)).links(".head-actions a")
    assert EMPTY not in Page(gone.get(LIST)).links(".head-actions a")
    page = Page(admin.get(EMPTY))
    assert page.text(".lead").startswith("1 removed file can no longer be restored")
    assert page.text(".btn-danger") == "Delete 1 file permanently"
    response = admin.submit(EMPTY, {"until": page.one("[name=until]")["value"]})
    assert (response.status_code, response.location) == (303, LIST)
    page = Page(admin.get(LIST))
    assert page.text(".notice") == "1 removed file was deleted permanently."
    assert page.has(".empty")
    assert gone.submit("/files/1/restore", page=LIST).status_code == 404


def test_the_page_of_a_removed_file_says_so_and_restores_it(gone):
    [link] = Page(gone.get(LIST)).links("tbody .main a")
    response = gone.get(link)
    assert response.status_code == 404
    page = Page(response)
    assert (page.text("h1"), page.links(".crumbs a")) == (REPORT, ["/files", LIST])
    assert page.text(".notice") == (
        "editor removed this file just now . It can be restored for 30 days after its removal."
    )
    assert "PDF document" in page.texts("main dd")
    feed = [text.split(" this file")[0] for text in page.texts(".side .feed > li")]
    assert feed == ["E You removed", "林 林梅 uploaded"]
    assert not page.has("main [href*='/download'], main img, main iframe, main .preview")
    for address in ("/files/1", "/files/1/preview/x"):
        assert gone.get(address).status_code == 404
    press_restore(gone, page, link)


def test_an_earlier_version_has_the_page_of_the_removed_file(app, as_role):
    script = Script(app)
    for text in (b"one", b"two"):
        script.upload(("a.txt", text))
    editor = as_role("editor")
    editor.submit("/files/2/remove", page="/files")
    assert Page(editor.get(LIST)).text("tbody .main").endswith("version 2")
    page = Page(editor.get("/files/1/details"))
    assert len(page.texts(".side .feed > li")) == 3
    editor.submit(page.one(".head-actions form")["action"].partition("?")[0], page="/files")
    assert Page(editor.get("/files/2/details")).texts(".versions b") == ["2", "1"]


def test_only_who_may_restore_it_gets_the_page_of_a_removed_file(app, gone, as_role, browser):
    script = Script(app, name="林梅")
    assert script.get("/files/1/details", Accept="text/html").status_code == 404
    for client in (as_role("viewer"), gone):
        headers = HTML if client is not gone else {"Accept": "application/json"}
        response = client.get("/files/1/details", headers=headers)
        assert response.status_code == 404
        assert REPORT not in response.text
    assert browser.get("/files/1/details").location.startswith("/login")
    as_role("admin").submit(EMPTY, {"until": now().isoformat()})
    assert REPORT not in gone.get("/files/1/details").text


def test_the_address_of_a_removed_folder_leads_to_its_files(app, as_role):
    for path in ("plans/2026/a.txt", "plans/b.txt", "c.txt"):
        Script(app).upload((path, b"text"), field="folder")
    editor = as_role("editor")
    assert editor.get("/files/folders/plans").status_code == 200
    [plans] = Page(editor.get("/files/folders/plans")).links(".menu-panel a[href*=remove]")
    editor.submit(plans, page="/files")
    editor.get("/files")
    response = editor.get("/files/folders/plans")
    assert response.status_code == 404
    page = Page(response)
    assert page.text(".notice").startswith(
        "This folder was removed. It can be restored for 30 days after its removal. "
        "2 files that were in it can be restored."
    )
    [link] = page.links(".notice a")
    assert len(Page(editor.get(link)).all("tbody tr")) == 2
    for client, headers in ((as_role("viewer"), HTML), (editor, {"Accept": "application/json"})):
        response = client.get("/files/folders/plans", headers=headers)
        assert (response.status_code, "restored" in response.text) == (404, False)
    press_restore(editor, page, "/files/folders/plans")
    assert len(Page(editor.get("/files/folders/plans")).all("tbody tr")) == 2


def press_restore(client, page, address):
    """Press Restore on the page of something removed, which leads back to its address."""
    button = page.one(".head-actions form")["action"].partition("?")[0]
    headers = {**HTML, "Referer": f"http://localhost{address}"}
    response = client.submit(button, page=address, headers=headers)
    assert (response.status_code, response.location) == (303, address)
    assert client.get(address).status_code == 200


def test_the_address_of_a_removed_empty_folder_restores_it(app, as_role):
    editor, address = as_role("editor"), "/files/folders/plans"
    editor.submit("/files/new-folder", {"name": "plans"})
    editor.submit("/files/remove?folder=1", page="/files")
    editor.get("/files")
    response = editor.get(address)
    page = Page(response)
    assert response.status_code == 404
    assert page.text(".notice") == (
        "This folder was removed. It can be restored for 30 days after its removal."
    )
    assert as_role("viewer").get(address).text.count("was removed") == 0
    press_restore(editor, page, address)


def test_the_address_of_a_removed_empty_folder_says_that_a_file_has_it(app, as_role):
    editor, address = as_role("editor"), "/files/folders/plans"
    editor.submit("/files/new-folder", {"name": "plans"})
    editor.submit("/files/remove?folder=1", page="/files")
    editor.get("/files")
    Script(app).upload(("plans", b"text"))
    [link] = Page(editor.get("/files/removed/folders")).links("tbody .main a")[:1]
    assert link == address
    response = editor.get(address)
    page = Page(response)
    assert response.status_code == 404
    assert page.text(".notice") == ("This folder was removed. There is a file with this name now.")
    assert page.links(".notice a") == ["/files/1/details"]
    assert not page.has(".head-actions form")


def test_the_address_of_a_version_that_was_removed_alone_leads_to_the_current_one(app, as_role):
    script, editor = Script(app), as_role("editor")
    for text in (b"one", b"two"):
        script.upload(("a.txt", text))
    undo = Page(editor.get("/files/2/details")).one(".feed [formaction$='/undo']")["formaction"]
    editor.submit(undo, page="/files")
    for client in (editor, as_role("viewer")):
        response = client.get("/files/2/details", headers=HTML)
        assert (response.status_code, response.location) == (302, "/files/1/details")
    editor.submit("/files/1/remove", page="/files")
    script.upload(("a.txt", b"three"))
    for number in (1, 2):
        assert editor.get(f"/files/{number}/details", headers=HTML).status_code == 404


def test_what_the_command_line_removed_says_so_in_the_list_and_on_its_page(app, as_role):
    Script(app).upload(("a.txt", b"text"))
    with app.app_context():
        services.remove_file(OPERATOR, 1)
    editor = as_role("editor")
    assert Page(editor.get(LIST)).text("tbody .by").endswith("Command line")
    notice = Page(editor.get("/files/1/details", headers=HTML)).text(".notice")
    assert notice.startswith("Command line removed this file")
