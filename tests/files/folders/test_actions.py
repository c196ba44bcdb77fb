"""The pages on which folders are made, and files and folders moved and removed."""

import pytest

from app.database.engine import db
from app.files.models import File
from tests.factories import entries
from tests.files.helpers import PDF, Script
from tests.html import Page, text_of

ROWS = "[data-fresh=list] tbody tr"
NOTICE = ".notice"


@pytest.fixture
def script(app):
    script = Script(app, name="林梅")
    for path in ("survey/2026/a.pdf", "survey/plan.pdf", "top.pdf"):
        script.upload((path, PDF), field="folder")
    return script


def test_a_new_folder_is_made_where_one_is(script, as_role):
    browser = as_role("editor")
    page = Page(browser.get("/files/folders/survey"))
    [address] = [each for each in page.links(".head-actions a") if "new-folder" in each]
    assert address == "/files/new-folder?in=survey"
    assert Page(browser.get(address)).links(".crumbs a") == ["/files", "/files/folders/survey"]
    response = browser.submit(address, {"name": " maps "})
    assert (response.status_code, response.location) == (303, "/files/folders/survey/maps")
    assert Page(browser.get(response.location)).text(NOTICE) == "maps was created."
    refused = browser.submit(address, {"name": "maps"})
    assert refused.status_code == 422
    page = Page(refused)
    assert page.text("#name-error") == "Error: There is already a folder maps in survey."
    assert page.one("#name")["value"] == "maps"
    assert browser.get("/files/new-folder?in=nowhere").status_code == 404


def test_a_folder_is_renamed_and_its_permanent_address_follows(script, as_role):
    browser = as_role("editor")
    page = Page(browser.get("/files/folders/survey"))
    assert page.links(".head-actions .menu-panel a") == [
        "/files/move?folder=1", "/files/remove?folder=1",
    ]  # fmt: skip
    form = Page(browser.get("/files/move?folder=1"))
    assert (form.one("#name")["value"], form.one("#folder")["value"]) == ("survey", "")
    response = browser.submit("/files/move?folder=1", {"name": "Survey", "folder": ""})
    assert response.location == "/files"
    assert Page(browser.get("/files")).text(NOTICE) == "survey is now called Survey. Undo"
    assert browser.get("/folders/1").location == "/files/folders/Survey"
    assert browser.get("/files/folders/survey").status_code == 404
    assert script.get("/download/plan.pdf").data == script.get("/files/2").data == PDF


def test_a_selection_is_moved_and_shown_where_it_went(script, as_role):
    browser = as_role("editor")
    page = Page(browser.get("/files"))
    assert [box["name"] for box in page.all(f"{ROWS} .pick-row input")] == ["folder", "file"]
    assert page.one("#selection")["action"] == "/files/move"
    address = "/files/move?file=3&folder=2"
    form = Page(browser.get(address))
    assert not form.has("#name")
    assert form.text("h1") == "Move 1 folder and 1 file"
    assert form.texts(".plain-list li") == ["survey/2026", "top.pdf"]
    refused = browser.submit(address, {"folder": "nowhere"})
    assert refused.status_code == 422
    assert Page(refused).text("#folder-error") == "Error: There is no folder nowhere."
    assert Page(refused).text("main form [name=create]") == "Create the folder and move"
    assert not form.has("main form [name=create]")
    response = browser.submit(address, {"folder": "old", "create": "1"})
    assert response.location == "/files/folders/old"
    page = Page(browser.get(response.location))
    assert page.text(NOTICE) == "1 folder and 1 file were moved."
    assert page.texts(f"{ROWS} .main") == ["2026", "top.pdf"]
    for selected, said in (
        (address, "Nothing was changed."),
        ("/files/move?file=3&file=1", "1 file was moved."),
    ):
        browser.submit(selected, {"folder": "old"})
        assert Page(browser.get("/files/folders/old")).text(NOTICE) == said


def test_a_folder_is_removed_after_asking_and_comes_back(script, as_role):
    browser = as_role("editor")
    page = Page(browser.get("/files/remove?folder=1"))
    assert page.text("h1") == "Remove survey?"
    assert page.text("p.lead").startswith("2 files are removed for everybody. Removed files can be")
    response = browser.submit("/files/remove?folder=1")
    assert response.location == "/files"
    page = Page(browser.get("/files"))
    assert page.text(NOTICE) == "1 folder and 2 files were removed. Undo"
    assert page.texts(f"{ROWS} .main") == ["top.pdf"]
    undo = page.one(f"{NOTICE} button")["formaction"]
    response = browser.submit(undo, page="/files")
    assert response.location == "/files"
    assert (
        Page(browser.get("/files/folders/survey")).text(NOTICE)
        == "1 folder and 2 files were restored."
    )
    assert browser.submit(undo, page="/files").status_code == 404


def test_an_empty_folder_is_removed(script, as_role):
    browser = as_role("editor")
    browser.submit("/files/new-folder", {"name": "empty"})
    asked = Page(browser.get("/files/remove?folder=3")).text("p.lead")
    assert asked == "This folder is empty. Removed folders can be restored for 30 days."
    browser.submit("/files/remove?folder=3")
    assert Page(browser.get("/files")).text(NOTICE) == "1 folder was removed. Undo"


def test_two_empty_folders_are_removed_and_come_back(script, as_role):
    browser = as_role("editor")
    for name in ("empty", "bare"):
        browser.submit("/files/new-folder", {"name": name})
    page = Page(browser.get("/files/remove?folder=3&folder=4"))
    assert page.text("h1") == "Remove 2 folders?"
    assert page.text("p.lead").startswith("These folders are empty.")
    browser.submit("/files/remove?folder=3&folder=4")
    page = Page(browser.get("/files"))
    assert page.text(NOTICE) == "2 folders were removed. Undo"
    undo = page.one(f"{NOTICE} button")["formaction"]
    browser.submit(undo, page="/files")
    page = Page(browser.get("/files"))
    assert page.text(NOTICE) == "2 folders were restored."
    assert page.texts(f"{ROWS} .main")[:2] == ["bare", "empty"]
    assert browser.get("/folders/3").location == "/files/folders/empty"
    assert browser.submit(undo, page="/files").status_code == 404


@pytest.mark.parametrize("path", ["/files/move", "/files/remove"])
def test_who_may_not_is_refused_before_the_form(script, as_role, path):
    viewer, editor = as_role("viewer"), as_role("editor")
    assert viewer.get(f"{path}?folder=1").status_code == 403
    assert viewer.get(f"{path}?file=1").status_code == 403
    assert editor.get(f"{path}?file=99").status_code == 404
    assert editor.get(f"{path}?file=3&file=x").status_code == 404
    assert editor.get(path).status_code == 422
    too_many = editor.get(path + "?" + "&".join(["file=3"] * 201))
    assert too_many.status_code == 422
    assert "At most 200 can be selected at once." in too_many.text
    assert viewer.get("/files/new-folder").status_code == 403


def undoable(app, admin):
    """The entries about moves and new folders, in their order."""
    with app.app_context():
        found = entries("file", "folder")
        return [each.id for each in found if each.action.partition(".")[2] in ("move", "create")][
            3:
        ]


def test_moves_are_undone_from_the_history(app, script, as_role):
    admin = as_role("admin")
    admin.submit("/files/move?file=3", {"name": "best.pdf", "folder": "survey"})
    admin.submit("/files/move?folder=1", {"name": "Survey", "folder": ""})
    admin.submit("/files/new-folder", {"name": "empty"})
    for entry_id in undoable(app, admin)[::-1]:
        assert admin.submit(f"/history/{entry_id}/undo", page="/files").status_code == 303
    with app.app_context():
        assert [file.path for file in db.session.query(File)] == [
            "survey/2026/a.pdf", "survey/plan.pdf", "top.pdf",
        ]  # fmt: skip
    assert Page(admin.get("/files")).texts(f"{ROWS} .main") == ["survey", "top.pdf"]


def test_a_move_back_is_refused_where_something_else_is(app, script, as_role):
    admin = as_role("admin")
    admin.submit("/files/move?file=3", {"name": "best.pdf", "folder": ""})
    script.upload(("top.pdf", PDF))
    [entry_id] = undoable(app, admin)[:1]
    response = admin.submit(f"/history/{entry_id}/undo", page="/files")
    assert response.status_code == 409
    assert "There is already a file top.pdf in Files." in response.text
    assert script.get("/files/3").data == PDF


def test_the_feed_says_how_many_were_moved_removed_and_restored(script, as_role):
    browser = as_role("editor")
    browser.submit("/files/new-folder", {"name": "old"})
    browser.submit("/files/move?file=2&file=3&folder=1", {"folder": "old"})
    browser.submit("/files/remove?folder=3")
    undo = Page(browser.get("/files")).one(f"{NOTICE} button")["formaction"]
    browser.submit(undo, page="/files")
    browser.submit("/files/move?file=1&file=2", {"folder": ""})
    text = Page(browser.get("/")).text("main")
    for sentence in (
        "You moved the folder old/survey together with 1 file",
        "You removed the folder old and 2 more together with 3 files",
        "You restored the folder old and 2 more together with 3 files",
        "You moved plan.pdf and 1 more",
    ):
        assert sentence in text


def test_a_move_is_not_offered_for_undoing_after_its_folder_was_renamed(script, as_role):
    browser = as_role("editor")
    browser.submit("/files/move?file=3", {"name": "top.pdf", "folder": "survey"})
    assert Page(browser.get("/files/3/details")).has(".feed [formaction$='/undo']")
    browser.submit("/files/move?folder=1", {"name": "Survey", "folder": ""})
    assert not Page(browser.get("/files/3/details")).has(".feed [formaction$='/undo']")


MOVES = {
    "renamed": ({"name": "Top.pdf", "folder": ""}, "top.pdf is now called Top.pdf."),
    "moved": ({"name": "top.pdf", "folder": "survey"}, "top.pdf was moved to survey."),
    "renamed and moved": (
        {"name": "b.pdf", "folder": "survey"},
        "top.pdf was moved to survey and is now called b.pdf.",
    ),
}


@pytest.mark.parametrize("how", MOVES)
def test_a_move_says_what_changed_and_is_undone_from_its_notice(script, as_role, how):
    browser, (form, notice) = as_role("editor"), MOVES[how]
    response = browser.submit("/files/move?file=3", form)
    page = Page(browser.get(response.location))
    assert page.text(NOTICE) == f"{notice} Undo"
    row = Page(browser.get("/files/3/details")).all(".side .feed > li")[0]
    assert f"You {how} this file" in text_of(row)
    was = [text_of(old) for old in row.select("del")]
    assert was == [
        f"before: {old}"
        for name, old in (("name", "top.pdf"), ("folder", "(empty)"))
        if form[name] not in (old, "")
    ]
    browser.submit(page.one(f"{NOTICE} button")["formaction"], page="/files")
    name_back = "top.pdf has its former name again."
    back = name_back if how == "renamed" else "top.pdf was moved back."
    assert Page(browser.get("/files")).text(NOTICE) == back
    assert script.get("/download/top.pdf").status_code == 200
    row = Page(browser.get("/files/3/details")).all(".side .feed > li")[0]
    undone = "gave this file its former name back" if how == "renamed" else "moved this file back"
    assert f"You {undone}" in text_of(row)


def test_a_folder_is_renamed_and_moved_and_called_a_folder(script, as_role):
    browser = as_role("admin")
    browser.submit("/files/new-folder", {"name": "CON"})
    browser.submit("/files/move?folder=1", {"name": "Survey", "folder": "CON"})
    page = Page(browser.get("/files"))
    assert page.text(NOTICE) == "survey was moved to CON and is now called Survey. Undo"
    feed = Page(browser.get("/")).texts(".feed > li > span:not([class])")
    assert feed[:2] == [
        "You renamed and moved the folder CON/Survey", "You created the folder CON",
    ]  # fmt: skip
    assert "Folder renamed and moved" in Page(browser.get("/history")).text("main")
    browser.submit(page.one(f"{NOTICE} button")["formaction"], page="/files")
    [newest, *_others] = Page(browser.get("/")).texts(".feed > li > span:not([class])")
    assert newest == "You moved the folder survey back"


def test_what_stays_where_it_is_was_not_moved(script, as_role):
    browser = as_role("editor")
    browser.submit("/files/move?file=3", {"name": "top.pdf", "folder": ""})
    assert Page(browser.get("/files")).text(NOTICE) == "Nothing was changed."


def test_the_notice_says_the_name_as_it_is_stored(script, as_role):
    browser = as_role("editor")
    browser.submit("/files/move?file=3", {"name": " b.pdf. ", "folder": ""})
    assert Page(browser.get("/files")).text(NOTICE) == "top.pdf is now called b.pdf. Undo"


def test_required_fields_are_not_called_optional(script, as_role):
    browser = as_role("editor")
    for path in ("/files/new-folder", "/files/move?file=3"):
        assert "optional" not in Page(browser.get(path)).text("form label[for=name]")


def test_the_former_addresses_of_what_was_renamed_say_where_to_look(script, as_role):
    browser = as_role("editor")
    browser.submit("/files/move?folder=1", {"name": "Survey", "folder": ""})
    assert script.get("/download/Survey/plan.pdf").data == PDF
    for path, kind in (("/download/survey/plan.pdf", "file"), ("/files/folders/survey", "folder")):
        response = browser.get(path)
        assert response.status_code == 404
        assert Page(response).text(".error-page > p") == (
            f"No {kind} has this name. If it was renamed or moved, search for it on the Files page."
        )


@pytest.mark.parametrize(("kind", "number"), [(k, n) for k in ("file", "folder") for n in "-9x"])
def test_what_is_missing_is_called_by_its_kind(script, as_role, kind, number):
    for action in ("move", "remove"):
        response = as_role("editor").submit(f"/files/{action}?{kind}={number}", page="/files")
        assert response.status_code == 404
        assert f"There is no such {kind}." in response.text
