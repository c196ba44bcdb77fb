"""Undoing uploads, removals, restorations and moves of many files at once, on both databases."""

from dataclasses import replace
from functools import partial

import pytest
from flask import current_app
from sqlalchemy import select

from app.actor import ANONYMOUS, Actor, Role
from app.database.engine import db
from app.errors import Conflict, Forbidden, NotFound, Unauthorized
from app.files import services as files
from app.files.folders import moving, services
from app.files.folders.models import Folder
from app.files.models import File
from app.files.undo import bulk_moving, bulk_removing
from app.files.upload.batches import batch_of
from app.files.upload.services import end_upload, store_uploads
from app.history import recent
from app.history.bulk import load_heads
from app.history.feed import describe_groups
from app.history.queries import load_entry
from app.history.recent import recent_changes
from app.history.undo import find_undoable_groups, undo_entries, undo_entry
from tests.factories import at_once, coming_between, entries, statements
from tests.files.folders.test_services import folders, paths, picked, put
from tests.files.helpers import age, editor, received, store_by_script

pytestmark = pytest.mark.usefixtures("any_app")

STRANGER = Actor(99, "stranger", Role.VIEWER)


def upload(owner, *names, data=b"x"):
    """Upload files in one form; the ids of their rows."""
    sent = [received(name, data, with_folder=True) for name in names]
    store_uploads(editor(owner), sent)
    return [file.stored.id for file in sent]


def groups(actor):
    db.session.rollback()
    return recent_changes(actor, 20)


def line(action, actor):
    """The heads of the newest line about several that has an action, as the page sends them, or
    those of its parts."""
    many = (group for group in groups(actor) if group.is_bulk)
    group = next(each for each in many if action in (each.newest.action, part_action(each)))
    heads = group.heads if group.newest.action == action else group.parts
    return load_heads(actor, [head.id for head in heads])


def part_action(group):
    """What was done with the files of a line about folders."""
    return group.parts[0].action if group.parts else ""


def undo(actor, action):
    """Undo the newest line about an action; what the notice says."""
    return " ".join(map(str, undo_entries(actor, line(action, actor))))


def offered(actor):
    """The actions of the lines of several changes that offer Undo, the newest first."""
    many = [group for group in groups(actor) if group.is_bulk]
    found = find_undoable_groups(actor, many)
    return [group.newest.action for group in many if group.newest.id in found]


def said(actor):
    """The sentences of the feed, the newest first."""
    db.session.rollback()
    with current_app.test_request_context():
        rows = describe_groups(actor, recent_changes(actor, 20))
    return [row.sentence.striptags() for row in rows]


def undo_batch(actor):
    """Undo the only batch; what the notice says."""
    head = next(entry.id for entry in entries("file") if entry.batch_id and not entry.folded)
    return " ".join(map(str, undo_entries(actor, load_heads(actor, [head]))))


def test_an_undone_upload_takes_its_folders_along_and_comes_back(people):
    me = editor(people[0])
    upload(people[0], "trip/1.txt", "trip/a/2.txt", "trip/a/3.txt")
    made = set(db.session.scalars(select(Folder.id)))
    assert offered(me) == ["file.create"]
    assert undo(me, "file.create") == "3 files were removed. 2 folders were removed."
    assert paths() == ([], [])
    ids = {entry.subject_id: entry.id for entry in entries() if entry.action == "file.create"}
    removed = [entry for entry in entries() if entry.action == "file.delete"]
    assert {each.subject_id: each.reverts_id for each in removed} == ids
    assert said(me)[0] == "You removed the folder trip and 1 more together with 3 files"
    assert offered(me) == ["folder.delete"]
    assert undo(me, "file.delete") == "3 files were restored. trip was restored."
    assert paths() == (
        ["trip/1.txt:1", "trip/a/2.txt:1", "trip/a/3.txt:1"],
        ["trip", "trip/a"],
    )
    assert set(db.session.scalars(select(Folder.id))) == made
    assert said(me)[0] == "You restored the folder trip and 1 more together with 3 files"
    assert len(said(me)) == 3
    assert offered(me) == ["folder.restore"]
    assert undo(me, "folder.restore") == "3 files were removed. 2 folders were removed."
    assert paths() == ([], [])


def test_what_was_changed_since_an_upload_stays(people):
    other = editor(people[1])
    put(people[0], "there/old.txt")
    upload(people[0], "new/1.txt", "new/2.txt", "new/3.txt", "there/4.txt", "new/a/5.txt")
    one, two, three, _four, _five = [entry.subject_id for entry in entries("file")][1:]
    assert put(people[0], "new/1.txt", b"y") != one
    services.move_selected(other, picked(two), "there")
    files.remove_file(other, three)
    assert undo_batch(other) == (
        "2 files were removed. a was removed. 3 have changed since and stay as they are."
    )
    assert paths() == (
        ["there/old.txt:1", "new/1.txt:1", "there/2.txt:1", "new/1.txt:2"],
        ["new", "there"],
    )


def test_the_notice_says_how_many_have_changed(people):
    me = editor(people[0])
    first, *_others = upload(people[0], "1.txt", "2.txt", "3.txt")
    files.remove_file(me, first)
    assert undo(me, "file.create") == (
        "2 files were removed. One has changed since and stays as it is."
    )
    assert offered(me) == ["file.delete"]
    with pytest.raises(Conflict, match="already undone, or all of it has changed"):
        undo(me, "file.create")


def test_a_folder_that_was_there_or_was_made_by_itself_stays(people):
    me = editor(people[0])
    services.create_folder(me, "", "made")
    upload(people[0], "made/1.txt", "made/2/3.txt")
    undo(me, "file.create")
    assert paths() == ([], ["made"])


def test_a_folder_in_which_others_have_put_something_stays(people):
    upload(people[0], "a/1.txt", "a/b/2.txt", "a/c/3.txt")
    services.create_folder(editor(people[1]), "a/b", "own")
    undo(editor(people[0]), "file.create")
    assert paths() == ([], ["a", "a/b", "a/b/own"])


def test_undone_versions_give_way_to_those_before(people):
    me = editor(people[0])
    put(people[0], "a.txt")
    upload(people[0], "a.txt", "b.txt", data=b"y")
    assert undo_batch(me) == "b.txt was removed. a.txt has its former version again."
    assert said(me)[0] == (
        "You removed b.txt and 1 more, or made their former versions current again"
    )
    assert paths()[0] == ["a.txt:1"]
    assert undo(me, "file.delete") == "2 files were restored."
    assert paths()[0] == ["a.txt:1", "a.txt:2", "b.txt:1"]
    assert [row.version for row in current()] == [2, 1]
    assert undo(me, "file.restore").startswith("b.txt was removed.")
    assert [(row.name, row.version) for row in current()] == [("a.txt", 1)]


def test_the_feed_says_that_former_versions_are_current_again(people):
    me = editor(people[0])
    upload(people[0], "a.txt", "b.txt", "trip/c.txt")
    upload(people[0], "a.txt", "b.txt", "trip/c.txt", data=b"y")
    undo(me, "file.create")
    assert said(me)[0] == "You made the former versions of a.txt and 2 more current again"
    [single] = upload(people[0], "a.txt", data=b"z")
    entry = next(each for each in entries("file")[::-1] if each.subject_id == single)
    entry = load_entry(me, entry.id)
    undo_entry(me, entry)
    assert said(me)[0] == ("You removed version 3 of a.txt; the one before is current again")


def test_the_feed_says_it_also_of_folders_that_the_upload_made(people):
    me = editor(people[0])
    upload(people[0], "a.txt", "b.txt")
    upload(people[0], "a.txt", "b.txt", "new/c.txt", data=b"y")
    undo(me, "file.create")
    assert said(me)[0] == (
        "You removed the folder new and with it 3 files, or made their former versions current"
        " again"
    )


def current():
    db.session.rollback()
    query = select(File).where(File.removed_at.is_(None), File.replaced_at.is_(None))
    return db.session.scalars(query.order_by(File.name)).all()


def test_uploads_one_after_another_are_undone_together(people):
    me = editor(people[0])
    store_by_script(people[0], "a.txt", b"x")
    store_by_script(people[0], "a.txt", b"y")
    store_by_script(people[0], "b.txt", b"x")
    assert undo(me, "file.create") == "2 files were removed."
    assert paths()[0] == []
    assert undo(me, "file.delete") == "2 files were restored."
    assert [(row.name, row.version) for row in current()] == [("a.txt", 2), ("b.txt", 1)]


def test_each_line_of_a_long_run_of_uploads_is_undone(monkeypatch, people):
    monkeypatch.setattr(recent, "JOINED_MOST", 2)
    me = editor(people[0])
    for number in range(6):
        store_by_script(people[0], f"{number}.txt", b"x")
    heads = [each.heads for each in groups(me)]
    assert said(me) == [f"You uploaded {n}.txt and 1 more" for n in (5, 3, 1)]
    for left, some in ((4, heads[0]), (2, heads[2]), (0, heads[1])):
        sentences = undo_entries(me, load_heads(me, [each.id for each in some]))
        assert [str(each) for each in sentences] == ["2 files were removed."]
        assert len(paths()[0]) == left
        assert offered(me).count("file.create") == left / 2


def test_what_was_removed_together_is_restored_from_each_of_its_entries(people):
    me = editor(people[0])
    upload(people[0], "a/1.txt", "a/b/2.txt", "a/b/3.txt")
    for action in ("file.delete", "folder.delete"):
        services.remove_selected(me, folders("a"))
        assert offered(me)[0] == "folder.delete"
        assert undo(me, action) == "3 files were restored. a was restored."
        assert paths() == (["a/1.txt:1", "a/b/2.txt:1", "a/b/3.txt:1"], ["a", "a/b"])
        with pytest.raises(Conflict, match="already undone"):
            undo(me, action)


def test_what_was_removed_again_since_stays_removed(people):
    me, other = editor(people[0]), editor(people[1])
    upload(people[0], "a/1.txt", "a/2.txt", "a/b/3.txt")
    services.create_folder(me, "a", "c")
    services.remove_selected(me, folders("a"))
    heads = line("file.delete", me), line("folder.delete", me)
    undo(me, "file.delete")
    services.remove_selected(other, folders("a/b", "a/c"))
    for again in heads:
        with pytest.raises(Conflict, match="already undone"):
            undo_entries(me, again)
    services.remove_selected(other, folders("a"))
    for again in heads:
        with pytest.raises(Conflict, match="already undone"):
            undo_entries(me, again)
    assert paths() == ([], [])
    assert undo(other, "file.delete") == "2 files were restored. a was restored."
    assert paths() == (["a/1.txt:1", "a/2.txt:1"], ["a"])


def test_an_upload_that_was_undone_is_not_undone_again(people):
    """Not even a folder that came with a later one."""
    me = editor(people[0])
    upload(people[0], "a/1.txt", "a/2.txt")
    heads = line("file.create", me)
    undo(me, "file.create")
    again = upload(people[0], "a/1.txt")
    files.remove_file(me, *again)
    with pytest.raises(Conflict, match="already undone"):
        undo_entries(me, heads)
    assert paths() == ([], ["a"])


def test_a_restoration_that_was_undone_is_not_undone_again(people):
    me, other = editor(people[0]), editor(people[1])
    upload(people[0], "a/1.txt", "a/2.txt")
    services.remove_selected(me, folders("a"))
    undo(me, "file.delete")
    heads = line("file.restore", me), line("folder.restore", me)
    undo(me, "file.restore")
    undo(other, "file.delete")
    for again in heads:
        with pytest.raises(Conflict, match="already undone"):
            undo_entries(me, again)
    assert paths() == (["a/1.txt:1", "a/2.txt:1"], ["a"])


def test_what_can_no_longer_be_restored_is_counted(people):
    me = editor(people[0])
    ids = upload(people[0], "1.txt", "2.txt", "3.txt")
    services.remove_selected(me, picked(*ids))
    age(ids[0], 400)
    assert undo(me, "file.delete") == (
        "2 files were restored. One had been restored already or was deleted permanently."
    )
    services.remove_selected(me, picked(*ids[1:]))
    for each in ids:
        age(each, 400)
    assert offered(me) == []
    with pytest.raises(Conflict):
        undo(me, "file.delete")


def test_a_move_is_undone_where_the_place_is_free(people):
    me = editor(people[0])
    ids = upload(people[0], "a/1.txt", "a/2.txt", "a/3.txt", "a/4.txt")
    services.create_folder(me, "", "b")
    services.move_selected(me, picked(*ids), "b")
    put(people[1], "a/1.txt")
    services.move_selected(me, picked(ids[1]), "")
    services.move_selected(me, folders("a"), "", "c")
    assert offered(me)[0] == "file.move"
    assert undo(editor(people[1]), "file.move") == (
        "3 files were moved back. One has changed since and stays as it is."
    )
    assert paths() == (
        ["a/1.txt:1", "2.txt:1", "a/3.txt:1", "a/4.txt:1", "c/1.txt:1"],
        ["a", "b", "c"],
    )
    assert said(me)[0] == "林梅 moved 4.txt and 2 more back"
    assert undo(me, "file.move") == "3 files were moved back."


def test_a_taken_place_is_left_alone(people):
    me = editor(people[0])
    ids = upload(people[0], "a/1.txt", "a/2.txt")
    services.create_folder(me, "", "b")
    services.move_selected(me, picked(*ids), "b")
    put(people[1], "a/1.txt")
    taken = "There is already a file 1.txt in a."
    assert undo(me, "file.move") == f"2.txt was moved back. {taken}"
    assert paths()[0] == ["b/1.txt:1", "a/2.txt:1", "a/1.txt:1"]
    head = line_before("file.move")
    with pytest.raises(Conflict) as refused:
        undo_entries(me, load_heads(me, [head]))
    assert str(refused.value) == taken


def test_several_taken_places_are_counted(people):
    me = editor(people[0])
    ids = upload(people[0], "a/1.txt", "a/2.txt", "a/3.txt", "a/4.txt")
    services.create_folder(me, "", "b")
    services.move_selected(me, picked(*ids), "b")
    put(people[1], "a/1.txt")
    services.create_folder(me, "a", "2.txt")
    files.remove_file(me, ids[3])
    assert undo(me, "file.move") == (
        "3.txt was moved back. 2 were not moved back: something else has their former places. "
        "One has changed since and stays as it is."
    )


@pytest.mark.parametrize("file", [False, True])
def test_the_taken_place_of_a_folder_is_named(people, file):
    me = editor(people[0])
    upload(people[0], "a/1.txt", "b/2.txt", "c/3.txt")
    services.move_selected(me, folders("a", "b"), "c")
    put(people[1], "b" if file else "b/other.txt")
    kind = "file" if file else "folder"
    assert undo(me, "folder.move") == (f"a was moved back. There is already a {kind} b in Files.")


def test_folders_are_moved_back(people):
    me = editor(people[0])
    upload(people[0], "a/1.txt", "b/2.txt", "c/3.txt")
    services.move_selected(me, folders("a", "b"), "c")
    assert offered(me)[0] == "folder.move"
    assert undo(me, "folder.move") == "2 folders were moved back."
    assert paths() == (["a/1.txt:1", "b/2.txt:1", "c/3.txt:1"], ["a", "b", "c"])
    assert said(me)[0] == "You moved the folder b and 1 more back"
    with pytest.raises(Conflict, match="already undone"):
        undo_entries(me, load_heads(me, [line_before("folder.move")]))


def line_before(action):
    """The head of the first line about an action."""
    return next(entry.id for entry in entries() if entry.action == action)


def test_owners_and_editors_undo(people):
    owner = replace(editor(people[0]), role=Role.VIEWER)
    upload(people[0], "a/1.txt", "a/2.txt")
    assert offered(STRANGER) == []
    for actor, problem in ((STRANGER, Forbidden), (ANONYMOUS, Unauthorized)):
        with pytest.raises(problem):
            undo_entries(actor, line("file.create", owner))
    assert len(paths()[0]) == 2
    for action in ("file.create", "folder.delete", "folder.restore"):
        assert action in offered(owner)
        undo(owner, action)
    assert paths() == ([], [])
    undo(editor(people[1]), "file.delete")
    assert len(paths()[0]) == 2


def test_strangers_neither_restore_nor_move_back(people):
    me = editor(people[0])
    ids = upload(people[0], "a/1.txt", "a/2.txt")
    services.create_folder(me, "", "b")
    services.move_selected(me, picked(*ids), "b")
    with pytest.raises(Forbidden):
        undo(STRANGER, "file.move")
    services.remove_selected(me, picked(*ids))
    with pytest.raises(Forbidden):
        undo(STRANGER, "file.delete")
    assert offered(STRANGER) == []
    assert paths()[0] == []


@pytest.mark.parametrize("action", ["file.delete", "file.move"])
def test_the_owner_of_some_of_the_files_is_not_offered_undo(people, action):
    me = editor(people[0])
    ids = [*upload(people[0], "a/1.txt"), *upload(people[1], "a/2.txt")]
    services.create_folder(me, "", "b")
    services.move_selected(me, picked(*ids), "b")
    if action == "file.delete":
        services.remove_selected(me, picked(*ids))
    owner = replace(editor(people[1]), role=Role.VIEWER)
    assert (action in offered(me), offered(owner)) == (True, [])
    with pytest.raises(Forbidden):
        undo(owner, action)


def test_no_more_folders_are_moved_back_than_may_be_moved(monkeypatch, people):
    me = editor(people[0])
    upload(people[0], "a/1.txt", "b/2.txt")
    services.create_folder(me, "", "c")
    services.move_selected(me, folders("a", "b"), "c")
    monkeypatch.setattr(moving, "MOVE_MOST", 1)
    with pytest.raises(Conflict):
        undo(me, "folder.move")
    assert paths() == (["c/a/1.txt:1", "c/b/2.txt:1"], ["c", "c/a", "c/b"])


@pytest.mark.parametrize("action", ["file.create", "file.delete", "file.move"])
def test_undone_by_two_at_once_is_undone_once(any_app, people, action):
    me = editor(people[0])
    ids = upload(people[0], "a/1.txt", "a/2.txt")
    services.create_folder(me, "", "b")
    if action == "file.move":
        services.move_selected(me, picked(*ids), "b")
    if action == "file.delete":
        services.remove_selected(me, picked(*ids))
    before, heads = len(entries("file")), line(action, me)
    results = at_once(any_app, *[partial(undo_entries, me, heads)] * 2)
    assert sorted(type(each).__name__ for each in results) == ["Conflict", "list"]
    assert len(entries("file")) == before + 2
    assert len(paths()[0]) == (0 if action == "file.create" else 2)


def test_an_upload_during_undo_leaves_one_current_version(any_app, people):
    me = editor(people[0])
    upload(people[0], "a/1.txt", "a/2.txt")
    heads = line("file.create", me)
    again = partial(put, people[0], "a/1.txt", b"y")
    at_once(any_app, partial(undo_entries, me, heads), again)
    assert [row.name for row in current()].count("1.txt") == 1
    assert "a" in paths()[1]


def test_many_files_are_removed_some_at_a_time(monkeypatch, people):
    monkeypatch.setattr(bulk_removing, "REMOVE_MOST", 2)
    me = editor(people[0])
    upload(people[0], *[f"a/{number}.txt" for number in range(5)])
    assert undo(me, "file.create") == "5 files were removed. a was removed."
    assert paths() == ([], [])


def test_versions_of_one_file_in_two_parts_are_removed_together(monkeypatch, people):
    monkeypatch.setattr(bulk_removing, "REMOVE_MOST", 2)
    for name, data in (("a", b"x"), ("b", b"x"), ("c", b"x"), ("a", b"y")):
        store_by_script(people[0], f"{name}.txt", data)
    assert undo(editor(people[0]), "file.create") == "3 files were removed."
    assert paths() == ([], [])


@pytest.mark.parametrize("versions", [1, 2])
def test_the_number_of_statements_does_not_grow_with_the_files(people, versions):
    me = editor(people[0])
    counts = []
    for many in (2, 40):
        names = [f"{many}/{number}.txt" for number in range(many)]
        for data in (b"1", b"2")[:versions]:
            upload(people[0], *names, data=data)
        for _again in range(3):  # undone, restored, and that undone
            heads = load_heads(me, [entries("file")[-many].id])
            with statements() as sent:
                undo_entries(me, heads)
            counts.append(len(sent))
    assert counts[:3] == counts[3:]


def test_one_statement_says_what_can_be_undone(people):
    me = editor(people[0])
    for folder in "abc":
        services.remove_selected(me, picked(*upload(people[0], f"{folder}/1", f"{folder}/2")))
    many = [group for group in groups(me) if group.count != 1]
    with statements() as sent:
        find_undoable_groups(me, many)
    assert len(sent) == 1


def test_entries_that_are_not_of_one_line_are_not_found(people):
    me = editor(people[0])
    files.remove_file(me, upload(people[0], "1.txt", "2.txt")[0])
    ids = [entry.id for entry in entries()]
    for wrong in ([], [10**6], [ids[0], 10**6], ids):
        with pytest.raises(NotFound):
            load_heads(me, wrong)


def test_two_removals_are_not_one_line(people):
    me = editor(people[0])
    upload(people[0], "a/1.txt", "b/2.txt", "3.txt")
    for some in (folders("a"), folders("b")):
        services.remove_selected(me, some)
    for action in ("file.delete", "folder.delete"):
        first, second = (entry.id for entry in entries() if entry.action == action)
        with pytest.raises(NotFound):
            load_heads(me, [first, second])
        assert [head.id for head in load_heads(me, [second])] == [second]
    assert paths() == (["3.txt:1"], [])


def test_a_folder_with_one_file_is_undone_as_one(people):
    """The line says what was done at once, the folder with its file."""
    me = editor(people[0])
    sent = [received("trip/1.txt", b"x", with_folder=True)]
    store_uploads(me, sent, batch=batch_of(me, "one upload"))
    end_upload(me, "one upload")

    def click(action):
        group = next(each for each in groups(me) if each.newest.action == action)
        assert group.is_undone_as_one
        assert group.newest.id in find_undoable_groups(me, [group])
        heads = load_heads(me, [head.id for head in group.heads])
        return " ".join(map(str, undo_entries(me, heads)))

    assert click("file.create") == "1.txt was removed. trip was removed."
    assert said(me)[0] == "You removed the folder trip together with 1 file"
    assert click("folder.delete") == "1.txt was restored. trip was restored."
    assert said(me)[0] == "You restored the folder trip together with 1 file"
    assert click("folder.restore") == "1.txt was removed. trip was removed."
    assert paths() == ([], [])
    assert len(said(me)) == 4


@pytest.mark.parametrize("action", ["folder.move", "file.move"])
def test_folders_and_files_that_were_moved_together_are_moved_back_together(people, action):
    me = editor(people[0])
    ids = upload(people[0], "a/1.txt", "2.txt", "3.txt")
    services.create_folder(me, "", "b")
    chosen = replace(folders("a"), files=picked(*ids[1:]).files)
    services.move_selected(me, chosen, "b")
    assert said(me)[0] == "You moved the folder b/a together with 2 files"
    assert offered(me)[0] == "folder.move"
    assert undo(me, action) == "2 files were moved back. a was moved back."
    assert paths() == (["a/1.txt:1", "2.txt:1", "3.txt:1"], ["a", "b"])
    assert said(me)[0] == "You moved the folder a back together with 2 files"
    assert len(said(me)) == 4
    for again in ("folder.move", "file.move"):
        with pytest.raises(Conflict, match="already undone"):
            undo_entries(me, load_heads(me, [line_before(again)]))


def test_files_that_came_back_are_offered_also_if_their_folder_has_changed(people):
    me = editor(people[0])
    upload(people[0], "a/1.txt", "a/2.txt")
    services.remove_selected(me, folders("a"))
    undo(me, "folder.delete")
    services.move_selected(me, folders("a"), "", "b")
    assert offered(me)[0] == "folder.restore"
    assert undo(me, "folder.restore") == "2 files were removed."


@pytest.mark.parametrize("step", ["lock_folders", "plan_removal", "find_empty"])
def test_what_somebody_puts_into_a_folder_that_is_removed_has_a_folder(any_app, people, step):
    me = editor(people[0])
    upload(people[0], "a/b/1.txt", "a/b/2.txt")
    heads = line("file.create", me)
    other = partial(put, people[1], "a/b/3.txt")
    with coming_between(any_app, bulk_removing, step, other) as stored:
        undo_entries(me, heads)
    assert len(stored) == 1
    assert paths() == (["a/b/3.txt:1"], ["a", "a/b"])


@pytest.mark.parametrize("step", ["lock_folders", "plan_removal", "find_empty"])
def test_files_that_somebody_removes_just_now_are_removed_once(any_app, people, step):
    me = editor(people[0])
    upload(people[0], "a/1.txt", "a/2.txt")
    heads = line("file.create", me)
    other = partial(services.remove_selected, editor(people[1]), folders("a"))
    with coming_between(any_app, bulk_removing, step, other) as results:
        try:
            undo_entries(me, heads)
        except Conflict as error:
            results.append(error)
    assert paths() == ([], [])
    removed = [entry.subject_id for entry in entries("file") if entry.action == "file.delete"]
    assert len(removed) == 2
    assert {type(each).__name__ for each in results} <= {"Removal", "NotFound", "Conflict"}


def moved_together(person):
    """Two folders, b and c, that were moved to a; the heads of the line about it."""
    me = editor(person)
    upload(person, "a/1.txt", "b/2.txt", "c/3.txt")
    services.move_selected(me, folders("b", "c"), "a")
    return line("folder.move", me)


MOVING_STEPS = [
    "lock_owners",
    "newest_entries",
    "check_may_change_folders",
    "check_not_taken",
    "move_folder",
]


@pytest.mark.parametrize("step", MOVING_STEPS)
def test_a_folder_that_somebody_moves_just_now_is_where_they_moved_it(any_app, people, step):
    """They move it before the undo, which then leaves it, or after it."""
    heads, other = moved_together(people[0]), editor(people[1])
    services.create_folder(other, "", "elsewhere")
    move = partial(services.move_selected, other, folders("a/c"), "elsewhere")
    with coming_between(any_app, bulk_moving, step, move) as moved:
        undone = " ".join(map(str, undo_entries(editor(people[0]), heads)))
    assert undone == {
        "a/c": "b was moved back. One has changed since and stays as it is.",
        "c": "2 folders were moved back.",
    }.get(moved[0].moves[0].old)
    assert paths()[1] == ["a", "b", "elsewhere", "elsewhere/c"]


@pytest.mark.parametrize("step", MOVING_STEPS)
def test_a_move_of_folders_is_undone_by_one_of_two(any_app, people, step):
    heads = moved_together(people[0])
    again = partial(undo_entries, editor(people[1]), heads)
    with coming_between(any_app, bulk_moving, step, again) as results:
        try:
            results.append(undo_entries(editor(people[0]), heads))
        except Conflict as error:
            results.append(error)
    assert sorted(type(each).__name__ for each in results) == ["Conflict", "list"]
    assert paths()[1] == ["a", "b", "c"]


def test_an_empty_folder_that_is_moved_just_now_is_not_removed(any_app, people):
    """It was restored together with another one, which is undone."""
    me, other = editor(people[0]), editor(people[1])
    for name in ("a", "b", "elsewhere"):
        services.create_folder(me, "", name)
    services.remove_selected(me, folders("a", "b"))
    undo(me, "folder.delete")
    heads = line("folder.restore", me)
    move = partial(services.move_selected, other, folders("b"), "elsewhere")
    with coming_between(any_app, bulk_removing, "find_made", move) as results:
        undo_entries(me, heads)
    was_moved = not isinstance(results[0], Exception)
    assert paths()[1] == ["elsewhere", *["elsewhere/b"] * was_moved]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_folders_are_moved_back_by_editors_and_who_made_them(people, role):
    heads, other = moved_together(people[0]), replace(editor(people[1]), role=role)
    undo_all = partial(undo_entries, other, heads)
    if role is Role.VIEWER:
        with pytest.raises(Forbidden):
            undo_all()
        undo_entries(replace(editor(people[0]), role=Role.VIEWER), heads)
    else:
        undo_all()
    assert paths()[1] == ["a", "b", "c"]
