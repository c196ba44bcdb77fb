"""Restoring what was removed together, on both databases: where, and as what it was."""

import json
from functools import partial

import pytest
from flask import current_app
from sqlalchemy import select, update

from app.actor import Actor, Role
from app.database.engine import db
from app.errors import Conflict, NotFound
from app.files import services as files
from app.files.folders import services
from app.files.folders.models import Folder
from app.files.removed import restoring
from app.files.undo.folders import find_folder_removal, undo_folder_change
from app.files.undo.services import undo_change
from app.history.entries import describe
from app.history.models import HistoryEntry
from tests.factories import OPERATOR, coming_between, entries
from tests.files.folders.test_services import (
    folder_id,
    folders,
    newest_entry,
    offered,
    paths,
    picked,
    put,
    removal_of,
    rename,
)
from tests.files.helpers import editor

on_mariadb = pytest.mark.parametrize("any_app", ["mariadb"], indirect=True)


def refused(call, *args):
    with pytest.raises(Conflict) as error:
        call(*args)
    db.session.rollback()
    return str(error.value)


def test_a_folder_is_not_restored_where_a_file_is_now(any_app, people):
    me = editor(people[0])
    gone = put(people[0], "a/b/1.txt")
    batch = services.remove_selected(me, folders("a")).batch_id
    put(people[1], "a", b"file")
    there = "There is already a file a in Files."
    removals = [removal_of("a"), removal_of("a/b")]
    assert refused(services.restore_batch, me, batch) == there
    assert [refused(undo_folder_change, me, each) for each in removals] == [there] * 2
    assert refused(files.restore_file, me, gone) == there
    assert paths() == (["a:1"], [])


def test_a_file_is_not_restored_where_a_folder_is_now(any_app, people):
    me = editor(people[0])
    one, other = put(people[0], "a"), put(people[0], "b")
    files.remove_file(me, one)
    services.create_folder(me, "", "a")
    batch = services.remove_selected(me, picked(other)).batch_id
    put(people[1], "b/c/1.txt")
    assert refused(files.restore_file, me, one) == "There is already a folder a in Files."
    assert refused(services.restore_batch, me, batch) == "There is already a folder b in Files."
    assert paths() == (["b/c/1.txt:1"], ["a", "b", "b/c"])


def test_nothing_is_moved_back_into_what_is_a_file_now(any_app, people):
    me = editor(people[0])
    file = put(people[0], "a/1.txt")
    put(people[0], "a/b/2.txt")
    for selected in (picked(file), folders("a/b")):
        services.move_selected(me, selected, "")
    services.remove_selected(me, folders("a"))
    put(people[0], "a", b"file")
    there = "There is already a file a in Files."
    [moved] = [each for each in entries("file") if each.action == "file.move"]
    db.session.expunge(moved)
    assert refused(undo_change, me, moved) == there
    assert refused(undo_folder_change, me, newest_entry("folder.move")) == there
    assert paths() == (["1.txt:1", "b/2.txt:1", "a:1"], ["b"])


def test_a_restored_folder_is_still_that_of_who_made_it(any_app, people):
    services.create_folder(Actor(people[1], "Lin", Role.EDITOR), "", "a")
    row = db.session.scalar(select(Folder))
    made = (row.created_by, row.created_at)
    me = editor(people[0])
    for _each in range(2):
        batch = services.remove_selected(me, folders("a")).batch_id
        services.restore_batch(me, batch)
        row = db.session.scalar(select(Folder))
        assert (row.created_by, row.created_at) == made
    services.remove_selected(me, folders("a"))
    of_earlier_release = update(HistoryEntry).where(HistoryEntry.action == "folder.delete")
    db.session.execute(of_earlier_release.values(before=json.dumps({"path": "a"})))
    db.session.commit()
    undo_folder_change(me, removal_of("a"))
    row = db.session.scalar(select(Folder))
    assert (row.created_by, row.created_at > made[1]) == (people[0], True)


def test_what_is_in_a_folder_can_be_restored_before_it(any_app, people):
    me = editor(people[0])
    put(people[0], "a/b/1.txt")
    put(people[0], "a/2.txt")
    number = folder_id("a")
    services.remove_selected(me, folders("a"))
    inner, outer = removal_of("a/b"), removal_of("a")
    undo_folder_change(me, inner)
    assert (paths(), folder_id("a")) == ((["a/b/1.txt:1"], ["a", "a/b"]), number)
    assert offered(me) == ["folder.delete"]
    assert str(undo_folder_change(me, outer)) == "a was restored."
    assert (paths()[0], folder_id("a")) == (["a/b/1.txt:1", "a/2.txt:1"], number)
    assert newest_entry("folder.restore").reverts_id == outer.id
    assert offered(me) == []
    refused(undo_folder_change, me, outer)


def test_a_folder_with_something_in_it_is_not_offered_for_removal(any_app, people):
    me = editor(people[0])
    put(people[0], "a/1.txt")
    services.create_folder(me, "", "b")
    services.create_folder(me, "", "c")
    services.create_folder(me, "b", "d")
    batch = services.remove_selected(me, folders("a")).batch_id
    services.restore_batch(me, batch)
    found = [each.id for each in entries("folder") if each.action == "folder.create"]
    assert offered(me) == ["folder.create"] * 2
    assert len(found) == 3


def test_the_address_of_a_removed_folder_follows_the_folder_above(any_app, people):
    me = editor(people[0])
    put(people[0], "a/b/f.txt")
    put(people[0], "a/xb/f.txt")
    put(people[0], "a/c/b/f.txt")
    for path in ("a/b", "a/xb", "a/c"):
        services.remove_selected(me, folders(path))
    removal = removal_of("a/b").id
    rename("a", "d")
    assert [find_folder_removal(me, path) for path in ("a/b", "d/b", "b")] == [None, removal, None]
    assert find_folder_removal(me, "d/c/b") == removal_of("a/c/b").id


def test_a_folder_does_not_follow_what_was_moved_before_its_removal(any_app, people):
    me = editor(people[0])
    for path in ("z/c/1.txt", "a/c/2.txt"):
        put(people[0], path)
    services.remove_selected(me, folders("z/c"))
    rename("a", "b")
    put(people[0], "a/c/3.txt")
    services.remove_selected(me, folders("a/c"))
    assert find_folder_removal(me, "a/c") == removal_of("a/c").id
    services.remove_selected(me, folders("b/c"))
    assert find_folder_removal(me, "b/c") == removal_of("b/c").id


def test_the_history_does_not_show_what_restoring_needs(any_app, people):
    services.create_folder(editor(people[0]), "", "a")
    services.remove_selected(editor(people[0]), folders("a"))
    removal = removal_of("a")
    assert json.loads(removal.before)["created_by"] == people[0]
    with current_app.test_request_context():
        [row] = describe(OPERATOR, [removal])
    assert row.changes == []


@on_mariadb
def test_a_name_that_somebody_uses_just_now_is_called_that(any_app, people):
    me = editor(people[0])
    services.create_folder(me, "", "a")
    batch = services.remove_selected(me, folders("a")).batch_id
    with coming_between(
        any_app, restoring, "row_of", lambda: services.create_folder(me, "", "a")
    ) as made:
        assert refused(services.restore_batch, me, batch) == (
            "Somebody else used this name just now."
        )
    assert made == ["a"]


@on_mariadb
def test_what_the_earlier_release_restores_just_now_is_called_that(any_app, people, monkeypatch):
    """It runs during an upgrade too, and does not lock the entry."""
    monkeypatch.setattr(services, "lock_entry", lambda _entry_id: None)
    me = editor(people[0])
    services.create_folder(me, "", "a")
    batch = services.remove_selected(me, folders("a")).batch_id
    restore = lambda: services.restore_batch(me, batch)  # noqa: E731
    with coming_between(any_app, restoring, "row_of", restore) as restored:
        assert refused(restore) == "Somebody else restored this just now."
    assert [each.folders for each in restored] == [["a"]]


@pytest.mark.parametrize("second", ["batch", "entry"])
@pytest.mark.parametrize("first", ["batch", "entry"])
def test_two_who_restore_an_empty_folder_into_another_one_do_it_once(
    any_app, people, first, second
):
    me, other = map(editor, people)
    services.create_folder(me, "", "a")
    batch = services.remove_selected(me, folders("a")).batch_id
    removal = removal_of("a")
    services.create_folder(me, "", "a")

    def restore(actor, how):
        if how == "batch":
            return services.restore_batch(actor, batch)
        return str(undo_folder_change(actor, removal))

    also = partial(restore, other, second)
    with coming_between(any_app, restoring, "insert_folders", also) as results:
        restore(me, first)
    assert [type(each) for each in results] == [NotFound if second == "batch" else Conflict]
    actions = [entry.action for entry in entries("folder")]
    assert actions.count("folder.restore") == 1
