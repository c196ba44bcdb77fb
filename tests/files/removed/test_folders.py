"""The list of removed folders, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.actor import Actor, Role
from app.current import settings
from app.database.cursor import FIRST
from app.database.engine import db
from app.files.folders.selection import Selection
from app.files.folders.services import create_folder, move_selected, remove_selected
from app.files.removed import folders as removed_folders
from app.files.removed import views
from app.files.removed.folders import RemovedFolderListing, select_removed_folders
from app.files.removed.services import empty_removed
from app.history.models import ADMINISTRATORS, HistoryEntry
from app.history.queries import load_entry
from app.history.undo import undo_entries, undo_entry
from app.times import now
from app.web import listings
from tests.factories import OPERATOR, entries
from tests.files.folders.test_services import folder_id, folders, paths, put
from tests.files.helpers import editor
from tests.html import Page


def removed(actor, cursor=FIRST, size=50):
    page, total = select_removed_folders(actor, RemovedFolderListing(size=size), cursor)
    db.session.rollback()
    return page, total


def rows(actor):
    page, total = removed(actor)
    assert total == len(page.rows)
    return [(row.path, row.files, row.remover, row.file_id is None) for row in page.rows]


def restore(actor, path):
    [row] = [row for row in removed(actor)[0].rows if row.path == path]
    undo_entry(actor, load_entry(actor, row.entry_id))


def test_the_outermost_of_what_was_removed_together_can_be_restored(people):
    person = editor(people[0])
    for path in ("plans/2026/a.txt", "plans/b.txt", "notes/c.txt"):
        put(people[0], path)
    create_folder(person, "", "empty")
    create_folder(person, "empty", "inner")
    put(people[0], "plans/gone.txt")
    remove_selected(person, folders("plans", "notes"))
    remove_selected(person, folders("empty"))
    expected = [("empty", 0), ("plans", 3), ("notes", 1)]
    found = rows(OPERATOR)
    assert sorted(found) == sorted((*each, "Ada", True) for each in expected)
    assert found[0][0] == "empty"
    restore(person, "plans")
    assert [row[0] for row in rows(person)] == ["empty", "notes"]
    assert "plans/2026" in paths()[1]
    remove_selected(person, folders("plans"))
    assert [row[0] for row in rows(person)] == ["plans", "empty", "notes"]


def test_a_folder_is_listed_where_it_would_be_now(people):
    person = editor(people[0])
    put(people[0], "a/b/x.txt")
    remove_selected(person, folders("a/b"))
    move_selected(person, folders("a"), "", "z")
    assert rows(person) == [("z/b", 1, "Ada", True)]
    put(people[1], "z/b", b"a file")
    assert rows(person) == [("z/b", 1, "Ada", False)]


def test_a_folder_whose_name_is_taken_is_restored_into_the_one_that_is_there(people):
    person = editor(people[0])
    for path in ("a/1.txt", "a/b/2.txt"):
        put(people[0], path, b"old")
    remove_selected(person, folders("a"))
    put(people[0], "a/1.txt", b"new")
    put(people[1], "a/b/3.txt")
    made = folder_id("a"), folder_id("a/b")
    assert rows(person) == [("a", 2, "Ada", True)]
    restore(person, "a")
    assert (folder_id("a"), folder_id("a/b")) == made
    assert paths() == (
        ["a/1.txt:1", "a/b/2.txt:1", "a/1.txt:2", "a/b/3.txt:1"],
        ["a", "a/b"],
    )
    assert rows(person) == []
    head = next(entry for entry in entries("folder") if entry.action == "folder.restore")
    undo_entries(person, [head])
    assert paths() == (["a/1.txt:1", "a/1.txt:2", "a/b/3.txt:1"], ["a", "a/b"])


def test_a_file_that_has_the_name_of_a_removed_folder_is_named(app, as_role):
    person, address = as_role("editor"), "/files/removed/folders"
    with app.app_context():
        put(1, "plans/1.txt")
    person.submit("/files/remove?folder=1", page="/files")
    with app.app_context():
        number = put(1, "plans", b"a file")
    [link] = Page(person.get(address)).all("tbody .main a:not(:first-of-type)")
    assert (link.text, link["href"]) == (
        "There is a file with this name now.",
        f"/files/{number}/details",
    )
    assert not Page(person.get(address)).has("tbody button")
    page = Page(person.get("/files/folders/plans"))
    assert f"/files/{number}/details" in page.links(".notice a")
    assert not page.has(".head-actions form")


def test_folders_that_undoing_a_bulk_change_removes_are_each_in_the_list(people):
    person = editor(people[0])
    for name in ("x", "y", "y/z"):
        parent, _slash, last = name.rpartition("/")
        create_folder(person, parent, last)
    chosen = Selection((), (folder_id("y"), folder_id("x")))
    remove_selected(person, chosen)
    for action in ("folder.delete", "folder.restore"):
        head = next(entry for entry in entries("folder") if entry.action == action)
        undo_entries(person, [head])
    assert paths()[1] == []
    assert sorted(row[0] for row in rows(person)) == ["x", "y"]
    for path in ("x", "y"):
        restore(person, path)
    assert paths()[1] == ["x", "y", "y/z"]


def test_others_see_those_that_they_removed_themselves(people):
    put(people[0], "plans/a.txt")
    viewer = Actor(people[0], "Ada", Role.VIEWER)
    remove_selected(viewer, folders("plans"))
    assert [row[0] for row in rows(viewer)] == ["plans"]
    other = Actor(people[1], "林梅", Role.VIEWER)
    assert rows(other) == []


def test_what_only_administrators_may_see_is_not_listed_for_others(people):
    put(people[0], "plans/a.txt")
    remove_selected(editor(people[0]), folders("plans"))
    db.session.execute(update(HistoryEntry).values(visible_to=ADMINISTRATORS))
    db.session.commit()
    assert rows(editor(people[0])) == []
    assert [row[0] for row in rows(OPERATOR)] == ["plans"]


@pytest.mark.parametrize("how", ["emptied", "old"])
def test_it_ends_with_the_time_limit_and_when_the_list_is_emptied(people, how):
    put(people[0], "plans/a.txt")
    remove_selected(editor(people[0]), folders("plans"))
    if how == "emptied":
        empty_removed(OPERATOR, now())
    else:
        long_ago = now() - timedelta(days=settings().removed_days + 1)
        db.session.execute(update(HistoryEntry).values(at=long_ago))
        db.session.commit()
    assert rows(OPERATOR) == []


def test_the_list_has_pages(people):
    person = editor(people[0])
    for name in "abcde":
        create_folder(person, "", name)
        remove_selected(person, folders(name))
    page, total = removed(person, size=2)
    assert ([row.path for row in page.rows], total) == (["e", "d"], 5)
    page, _total = removed(person, page.next, size=2)
    assert [row.path for row in page.rows] == ["c", "b"]
    page, _total = removed(person, page.previous, size=2)
    assert [row.path for row in page.rows] == ["e", "d"]


def test_the_page_restores_a_folder_and_comes_back(app, as_role):
    person, address = as_role("editor"), "/files/removed/folders"
    person.submit("/files/new-folder", {"name": "plans"})
    person.submit("/files/remove?folder=1", page="/files")
    page = Page(person.get(address))
    assert page.links(".tabs a") == ["/files/removed", address]
    assert page.texts("tbody :is(.main, .n)") == ["plans", "0 files"]
    [button] = page.all("tbody button")
    assert button["aria-label"] == "Restore plans"
    headers = {"Referer": f"http://localhost{address}"}
    response = person.submit(button["formaction"], page=address, headers=headers)
    assert (response.status_code, response.location) == (303, address)
    page = Page(person.get(address))
    assert page.text(".empty") == "There are no folders to restore."
    assert person.get("/files/folders/plans").status_code == 200


def test_more_files_than_are_counted_are_more(app, as_role, monkeypatch):
    for module in (removed_folders, views, listings):
        monkeypatch.setattr(module, "COUNT_MOST", 2)
    person = as_role("editor")
    person.submit("/files/new-folder", {"name": "plans"})
    with app.app_context():
        for name in "abc":
            put(1, f"plans/{name}")
    person.submit("/files/remove?folder=1", page="/files")
    page = Page(person.get("/files/removed/folders"))
    assert page.texts("tbody .n") == ["more than 2 files"]
