"""The pages of removed files."""

import pytest

from tests.factories import HTML
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
    assert page.text(".empty") == "None of your files were removed in the last 30 days."


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
