"""Creating, moving and removing folders and files, on both databases."""

import json
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, update

from app.actor import ANONYMOUS, Actor, Role
from app.database import limits, stored_keys
from app.database.engine import db
from app.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from app.files import services as files
from app.files.folders import moving, queries, removing, services
from app.files.folders.models import Folder
from app.files.folders.selection import Selection, load_selected
from app.files.models import File
from app.files.removed.restoring import Restored
from app.files.search_keys import keys
from app.files.storage.content import content_type
from app.files.undo.folders import find_folder_removal, undo_folder_change
from app.files.undo.services import undo_change
from app.files.upload.services import store_uploads
from app.history import services as history
from app.history.models import HistoryEntry
from app.history.undo import find_undoable
from app.times import now
from tests.factories import OPERATOR, at_once, entries
from tests.files.helpers import PDF, PNG, editor, received, store


def put(owner, path, data=b"x"):
    return store(owner, path, data, with_folder=True).id


def folder_id(path):
    return queries.find_folder(OPERATOR, path).id


def folders(*paths):
    return Selection((), tuple(map(folder_id, paths)))


def picked(*ids):
    return Selection(ids, ())


def paths():
    """The paths of all present files with their versions, and of all folders."""
    db.session.rollback()
    rows = db.session.scalars(select(File).where(File.removed_at.is_(None)).order_by(File.id))
    found = [f"{row.path}:{row.version}" for row in rows]
    return found, list(db.session.scalars(select(Folder.path).order_by(Folder.path)))


def check_keys():
    """All search keys are those of the present names."""
    for row in db.session.scalars(select(File)):
        wanted = keys(row.folder, row.name)
        assert {name: getattr(row, name) for name in wanted} == wanted


def problem(call, *args):
    with pytest.raises(Invalid) as refused:
        call(*args)
    return {name: str(text) for name, text in refused.value.fields.items()}


def test_a_folder_is_created_once_and_recorded(any_app, people):
    me = editor(people[0])
    assert services.create_folder(me, "", " Survey. ") == "Survey"
    assert services.create_folder(me, "Survey", "2026") == "Survey/2026"
    put(people[1], "Survey/plan.txt")
    there = "There is already a {} {} in {}."
    assert problem(services.create_folder, me, "Survey", "2026") == {
        "name": there.format("folder", "2026", "Survey")
    }
    assert problem(services.create_folder, me, "Survey", "plan.txt") == {
        "name": there.format("file", "plan.txt", "Survey")
    }
    assert list(problem(services.create_folder, me, "", "a/b")) == ["name"]
    assert list(problem(services.create_folder, me, "gone", "b")) == ["folder"]
    created = [entry for entry in entries("folder") if entry.action == "folder.create"]
    assert [entry.after for entry in created] == ['{"path": "Survey"}', '{"path": "Survey/2026"}']


def test_of_two_who_create_a_folder_at_once_one_is_refused(any_app, people):
    works = [lambda who=who: services.create_folder(editor(who), "", "new") for who in people]
    results = at_once(any_app, *works)
    assert sorted(type(each).__name__ for each in results) == ["Invalid", "str"]


def test_a_folder_moves_with_all_its_versions_and_folders(any_app, people):
    first = put(people[0], "a/b/Ｃ.txt")
    put(people[0], "a/b/Ｃ.txt", b"y")
    removed = put(people[1], "a/gone.txt")
    files.remove_file(editor(people[1]), removed)
    put(people[1], "ab/other.txt")
    put(people[1], "A/other.txt")
    services.create_folder(editor(people[0]), "a", "empty")
    services.create_folder(editor(people[0]), "", "in")
    assert services.move_selected(editor(people[1]), folders("a"), "in", "Ä").folder == "in"
    assert paths() == (
        ["in/Ä/b/Ｃ.txt:1", "in/Ä/b/Ｃ.txt:2", "ab/other.txt:1", "A/other.txt:1"],
        ["A", "ab", "in", "in/Ä", "in/Ä/b", "in/Ä/empty"],
    )
    check_keys()
    row = db.session.scalars(select(Folder).where(Folder.path == "in/Ä")).one()
    assert (row.parent, row.name_key) == ("in", "a")
    assert db.session.get(Folder, folder_id("in/Ä/b")).parent == "in/Ä"
    [entry] = [entry for entry in entries("folder") if entry.action == "folder.move"]
    assert (entry.before, entry.after) == ('{"path": "a"}', '{"path": "in/Ä"}')
    assert files.restore_file(editor(people[1]), removed).name == "gone.txt"
    assert files.queries.present_file(removed).path == "in/Ä/gone.txt"
    put(people[0], "in/Ä/b/Ｃ.txt", b"z")
    assert files.queries.find_file(OPERATOR, "in/Ä/b/Ｃ.txt").version == 3
    assert files.queries.load_file(OPERATOR, first).path == "in/Ä/b/Ｃ.txt"


def test_a_name_may_change_its_case_alone(people):
    put(people[0], "docs/a.txt")
    services.move_selected(editor(people[0]), folders("docs"), "", "Docs")
    assert paths() == (["Docs/a.txt:1"], ["Docs"])


def test_what_is_moved_to_a_new_folder_is_refused_or_both_are_done(people):
    me, move = editor(people[0]), services.move_selected
    put(people[0], "a/b.txt")
    file_id = put(people[0], "x")
    assert move(me, picked(file_id), "new/2026", "y", create=True).folder == "new/2026"
    assert paths() == (["a/b.txt:1", "new/2026/y:1"], ["a", "new", "new/2026"])
    created = [each.after for each in entries("folder") if each.action == "folder.create"]
    assert created == ['{"path": "new"}', '{"path": "new/2026"}']
    before = paths()
    refused = partial(move, create=True)
    assert list(problem(refused, me, folders("a"), "a/c")) == ["folder"]
    assert problem(refused, me, folders("a"), "new/2026/y/z") == {
        "folder": "There is already a file y in new/2026."
    }
    viewer = Actor(people[0], "Ada", Role.VIEWER)
    with pytest.raises(Forbidden):
        refused(viewer, picked(file_id), "more")
    assert paths() == before


def test_what_cannot_be_moved_is_refused_beside_its_field_and_nothing_moves(people):
    me = editor(people[0])
    put(people[0], "a/b/c.txt")
    file_id = put(people[1], "x/b.txt")
    put(people[1], "x/a")
    put(people[0], "x/" + "d" * 250 + "/f.txt")
    move = services.move_selected
    assert list(problem(move, me, folders("a"), "a/b")) == ["folder"]
    assert problem(move, me, folders("a"), "nowhere") == {"folder": "There is no folder nowhere."}
    assert problem(move, me, folders("a"), "x") == {"folder": "There is already a file a in x."}
    assert problem(move, me, folders("a"), "", "x") == {
        "name": "There is already a folder x in Files."
    }
    assert list(problem(move, me, picked(file_id), "x", "a/b")) == ["name"]
    assert problem(move, me, picked(file_id), "x", "a") == {
        "name": "There is already a file a in x."
    }
    both = Selection((file_id,), folders("a/b").folders)
    assert list(problem(move, me, both, "x/../y")) == ["folder"]
    put(people[1], "b.txt/deep.txt")
    assert list(problem(move, me, both, "")) == ["folder"]
    long = folders("x").folders
    with pytest.raises(Invalid, match="500"):
        move(me, Selection((), long), "a", "y" * 251)
    assert paths()[0][:2] == ["a/b/c.txt:1", "x/b.txt:1"]
    assert [entry.action for entry in entries("folder")] == []


def test_contents_are_read_before_the_transaction_that_renames(any_app, people, monkeypatch):
    """A long text would otherwise keep everybody else from writing."""
    file_id, during = put(people[0], "notes", b"text"), []

    def observed(path, extension):
        during.append(db.session().in_transaction())
        return content_type(path, extension)

    monkeypatch.setattr(moving, "content_type", observed)
    me = editor(people[0])
    services.move_selected(me, picked(file_id), "", "notes.txt")
    [entry] = [entry for entry in entries("file") if entry.action == "file.move"]
    undo_change(me, entry)
    assert paths()[0] == ["notes:1"]
    assert during == [False, False]


def test_a_version_that_came_while_contents_were_read_is_not_renamed_unchecked(any_app, people):
    file_id = put(people[0], "notes", b"text")
    me = editor(people[0])
    with pytest.raises(Invalid, match="just now"):
        services.store_move(me, picked(file_id), people[:1], "", "notes.txt", {})
    assert db.session.get(File, file_id, populate_existing=True).name == "notes"


def test_a_file_is_renamed_with_all_versions_and_its_type(any_app, people):
    first = put(people[0], "a/b", PNG)
    second = put(people[0], "a/b", PNG)
    me = editor(people[1])
    assert problem(services.move_selected, me, picked(second), "a", "b.pdf") == {
        "name": "The content is not a .pdf file."
    }
    assert services.move_selected(me, picked(second), "a", "b.PNG").folder == "a"
    rows = [db.session.get(File, each, populate_existing=True) for each in (first, second)]
    assert [(row.path, row.extension, row.content_type) for row in rows] == [
        ("a/b.PNG", "png", "image/png")
    ] * 2
    check_keys()
    [entry] = [entry for entry in entries("file") if entry.action == "file.move"]
    assert entry.subject_id == second
    assert (entry.before, entry.after) == (
        '{"name": "b", "folder": "a"}', '{"name": "b.PNG", "folder": "a"}'
    )  # fmt: skip


def test_versions_come_after_removed_ones_at_the_new_place(any_app, people):
    me = editor(people[0])
    for path in ("a/f.txt", "a/f.txt", "b/f.txt", "b/f.txt", "b/f.txt"):
        file_id = put(people[0], path)
    removed = put(people[0], "c/f.txt")
    files.remove_file(me, removed)
    files.remove_file(me, file_id)
    moved = files.queries.find_file(OPERATOR, "a/f.txt").id
    services.move_selected(me, picked(moved), "b")
    assert paths()[0] == ["b/f.txt:4", "b/f.txt:5"]
    services.remove_selected(me, folders("c"))
    services.move_selected(me, folders("b"), "", "c")
    assert paths() == (["c/f.txt:5", "c/f.txt:6"], ["a", "c"])
    restored = files.restore_file(me, removed)
    assert (restored.version, restored.current_version) == (1, 6)  # although it was uploaded last
    file = files.queries.find_file(OPERATOR, "c/f.txt")
    assert [row.version for row in files.queries.list_versions(me, file)] == [6, 1, 5]


def test_version_numbers_grow_by_those_of_removed_files_alone(any_app, people, monkeypatch):
    me = editor(people[0])
    monkeypatch.setattr(limits, "BATCH", 2)
    for name in ("f", "f", "g", "h"):
        put(people[0], f"a/{name}.txt")
    for number in range(4):
        here, there = ("a", "b") if number % 2 == 0 else ("b", "a")
        put(people[0], f"{there}/f.txt", b"%d" % number)
        put(people[0], f"{there}/g.txt", b"%d" % number)
        services.remove_selected(me, folders(there))
        services.move_selected(me, folders(here), "", there)
    assert paths() == (["a/f.txt:5", "a/f.txt:6", "a/g.txt:5", "a/h.txt:1"], ["a"])
    removed = select(File.name, File.version).where(File.removed_at.is_not(None))
    found = db.session.execute(removed.order_by(File.name, File.version))
    assert [tuple(row) for row in found] == [
        (name, version) for name in ("f.txt", "g.txt") for version in (1, 2, 3, 4)
    ]


def test_a_sent_name_does_not_stay_behind(people):
    store(people[0], "a/ x .txt", b"1", with_folder=True)
    services.move_selected(editor(people[0]), folders("a"), "", "b")
    assert put(people[0], "b/x .txt", b"2")
    assert paths()[0] == ["b/x .txt:1", "b/x .txt:2"]


def test_an_upload_is_refused_where_a_folder_is_and_in_what_is_a_file(any_app, people):
    put(people[0], "a/b/1.txt")
    put(people[1], "f")
    names = ["a", "a/b", "f/1.txt", "f/x/2.txt", "f", "a/1.txt"]
    sent = [received(name, b"x", with_folder=True) for name in names]
    store_uploads(editor(people[0]), sent)
    there = "There is already a {} {} in {}."
    assert {file.name: file.error and str(file.error) for file in sent} == {
        "a": there.format("folder", "a", "Files"),
        "a/b": there.format("folder", "b", "a"),
        "f/1.txt": there.format("file", "f", "Files"),
        "f/x/2.txt": there.format("file", "f", "Files"),
        "f": None,
        "a/1.txt": None,
    }
    assert paths() == (["a/b/1.txt:1", "f:1", "f:1", "a/1.txt:1"], ["a", "a/b"])
    files.remove_file(OPERATOR, files.queries.find_file(OPERATOR, "f").id)
    files.remove_file(OPERATOR, files.queries.find_file(OPERATOR, "f").id)
    put(people[0], "f/1.txt")
    assert paths()[1] == ["a", "a/b", "f"]


def test_of_one_form_no_file_has_the_path_of_a_folder_of_another_one(any_app, people):
    names = ["f", "g/h/1.txt", "f/x.txt", "g/h", "g", "f", "g/2.txt"]
    sent = [received(name, name.encode(), with_folder=True) for name in names]
    store_uploads(editor(people[0]), sent)
    assert [str(each.error or "") for each in sent] == [
        "",
        "",
        "There is already a file f in Files.",
        "There is already a folder h in g.",
        "There is already a folder g in Files.",
        "",
        "",
    ]
    assert paths() == (["f:1", "g/h/1.txt:1", "f:2", "g/2.txt:1"], ["g", "g/h"])


def test_an_upload_into_a_renamed_folder_makes_it_again(people):
    put(people[0], "a/1.txt")
    services.move_selected(editor(people[1]), folders("a"), "", "b")
    put(people[0], "a/1.txt")
    assert paths() == (["b/1.txt:1", "a/1.txt:1"], ["a", "b"])


def test_uploads_and_renames_at_once_leave_no_file_without_a_folder(any_app, people):
    put(people[0], "a/0.txt")
    folder = folders("a")
    works = [lambda n=n: put(people[n % 2], f"a/{n}.txt") for n in range(1, 5)]
    results = at_once(
        any_app, *works, lambda: services.move_selected(editor(people[1]), folder, "", "b")
    )
    assert not [each for each in results if isinstance(each, Exception)]
    found, present = paths()
    assert len(found) == 5
    assert {path.rpartition("/")[0] for path in found} <= set(present)
    assert "b" in present


def test_of_two_moves_at_once_one_wins(any_app, people):
    put(people[0], "a/1.txt")
    folder = folders("a")
    results = at_once(
        any_app,
        *(
            lambda who=who, name=name: services.move_selected(editor(who), folder, "", name)
            for who, name in zip(people, ("b", "c"), strict=True)
        ),
    )
    assert any(isinstance(each, services.Moved) for each in results)
    found, present = paths()
    assert len(present) == 1
    assert found == [f"{present[0]}/1.txt:1"]


def test_too_much_is_refused_as_a_whole(people, monkeypatch):
    for number in range(3):
        put(people[0], f"a/{number}.txt")
    monkeypatch.setattr(moving, "MOVE_MOST", 3)
    monkeypatch.setattr(removing, "REMOVE_MOST", 2)
    with pytest.raises(Invalid):
        services.move_selected(editor(people[0]), folders("a"), "", "b")
    with pytest.raises(Invalid):
        services.remove_selected(editor(people[0]), folders("a"))
    assert paths() == (["a/0.txt:1", "a/1.txt:1", "a/2.txt:1"], ["a"])


def test_a_folder_is_removed_and_restored_with_everything_in_it(any_app, people):
    me = editor(people[0])
    put(people[0], "a/b/1.txt")
    put(people[1], "a/b/1.txt")
    second = put(people[0], "a/b/1.txt", b"y")
    single = put(people[1], "2.txt")
    services.create_folder(me, "a", "empty")
    removal = services.remove_selected(me, Selection((single,), folders("a").folders))
    assert (removal.files, removal.folders, paths()) == (3, 1, ([], []))
    batch = {entry.batch_id for entry in entries("file", "folder") if "delete" in entry.action}
    assert batch == {removal.batch_id}
    put(people[1], "2.txt", b"again")
    assert counts(services.restore_batch(me, removal.batch_id)) == (3, 1, "")
    assert paths() == (
        ["a/b/1.txt:1", "a/b/1.txt:1", "a/b/1.txt:2", "2.txt:1", "2.txt:2"],
        ["a", "a/b", "a/empty"],
    )
    assert files.queries.present_file(second).replaced_at is None
    assert files.queries.present_file(single).replaced_at is not None
    with pytest.raises(NotFound):
        services.restore_batch(me, removal.batch_id)


def test_many_are_changed_some_at_a_time(any_app, people, monkeypatch):
    me = editor(people[0])
    for number in range(5):
        put(people[number % 2], f"a/{number}.txt")
        services.create_folder(me, "a", f"{number}")
    for module in (limits, history, stored_keys):
        monkeypatch.setattr(module, "BATCH", 2)
    services.move_selected(me, folders("a"), "", "b")
    removal = services.remove_selected(me, folders("b"))
    assert paths() == ([], [])
    assert counts(services.restore_batch(me, removal.batch_id)) == (5, 1, "")
    assert paths() == (
        [f"b/{number}.txt:1" for number in range(5)],
        ["b", *(f"b/{number}" for number in range(5))],
    )
    check_keys()
    for action in ("file.delete", "file.restore"):
        found = [entry for entry in entries("file") if entry.action == action]
        assert [entry.folded for entry in found] == [False, True, True, True, True]
        assert [json.loads(entry.before or entry.after)["name"] for entry in found] == [
            f"{number}.txt" for number in range(5)
        ]
        assert json.loads(found[1].before or found[1].after)["owner"] == "林梅"


def newest_entry(action):
    """The newest entry of an action, detached as queries.load_entry() gives it."""
    found = [entry for entry in entries("folder") if entry.action == action][-1]
    db.session.expunge(found)
    db.session.rollback()
    return found


def removal_of(path):
    """The newest entry about the removal of a folder, detached from the session."""
    found = [each for each in entries("folder") if each.action == "folder.delete"]
    entry = [each for each in found if json.loads(each.before)["path"] == path][-1]
    db.session.expunge(entry)
    return entry


def counts(restored):
    """How many files and folders were restored, and where."""
    return len(restored.files), len(restored.tops), restored.place


def offered(actor):
    """The actions about folders that are offered for undoing."""
    found = find_undoable(actor, entries())
    return [entry.action for entry in entries("folder") if entry.id in found]


def test_a_removed_folder_is_restored_from_the_history(any_app, people):
    me = editor(people[0])
    services.create_folder(me, "", "a")
    services.create_folder(me, "a", "empty")
    put(people[0], "a/1.txt")
    put(people[0], "a/1.txt", b"y")
    put(people[0], "b/2.txt")
    before, number = paths(), folder_id("a")
    services.remove_selected(me, folders("a", "b"))
    assert paths() == ([], [])
    removal = removal_of("a")
    assert offered(me) == ["folder.delete"] * 3
    assert offered(Actor(people[1], "Lin", Role.VIEWER)) == []
    assert [find_folder_removal(me, path) for path in ("a", "A", "a/")] == [removal.id, None, None]
    assert find_folder_removal(Actor(people[1], "Lin", Role.VIEWER), "a") is None
    assert str(undo_folder_change(me, removal)) == "a was restored."
    assert find_folder_removal(me, "a") is None
    assert paths() == ([path for path in before[0] if path[0] == "a"], ["a", "a/empty"])
    assert folder_id("a") == number
    assert offered(me) == ["folder.delete", "folder.restore"]  # of the empty one
    with pytest.raises(Conflict):
        undo_folder_change(me, removal)
    ids = {(each.action, each.subject_id): each.id for each in entries()}
    restored = [each for each in entries() if "restore" in each.action]
    for entry in restored:
        removed = entry.action.replace("restore", "delete")
        assert entry.reverts_id == ids[removed, entry.subject_id]
    assert len(restored) == 3


def rename(folder, name):
    services.move_selected(OPERATOR, folders(folder), folder.rpartition("/")[0], name)


@pytest.mark.parametrize("by", ["history", "batch"])
def test_a_removed_folder_comes_back_where_the_folder_above_was_moved(any_app, people, by):
    me = editor(people[0])
    put(people[0], "a/b/f.txt")
    services.create_folder(me, "a/b", "empty")
    services.create_folder(me, "", "ab")
    batch = services.remove_selected(me, folders("a/b")).batch_id
    removal = removal_of("a/b")
    rename("a", "c")
    services.move_selected(me, folders("c"), "ab")
    rename("ab/c", "d")
    if by == "batch":
        assert counts(services.restore_batch(me, batch)) == (1, 1, "ab/d")
    else:
        assert offered(me).count("folder.delete") == 2
        assert str(undo_folder_change(me, removal)) == "b was restored in ab/d."
    assert paths() == (["ab/d/b/f.txt:1"], ["ab", "ab/d", "ab/d/b", "ab/d/b/empty"])
    assert json.loads(newest_entry("folder.restore").after) == {"path": "ab/d/b/empty"}
    check_keys()


def test_a_folder_is_restored_into_another_one_that_is_there_now(any_app, people):
    me = editor(people[0])
    put(people[0], "a/b/f.txt")
    services.remove_selected(me, folders("a/b"))
    removal = newest_entry("folder.delete")
    rename("a", "c")
    assert find_folder_removal(me, "a/b") is None
    services.create_folder(me, "c", "b")
    number = folder_id("c/b")
    assert "folder.delete" in offered(me)
    assert str(undo_folder_change(me, removal)) == (
        "What was in b was restored into the folder of this name."
    )
    assert paths() == (["c/b/f.txt:1"], ["c", "c/b"])
    assert folder_id("c/b") == number
    with pytest.raises(Conflict):
        undo_folder_change(me, removal)


def test_restoring_says_how_many_files_came_back_as_older_versions(any_app, people):
    me = editor(people[0])
    for count, behind in (
        (1, "One file is an older version now, behind the present file of its name."),
        (2, "2 files are older versions now, behind the present files of their names."),
    ):
        top = f"a{count}"
        for name in ("1", "2", "3"):
            put(people[0], f"{top}/sub/{name}.txt")
        services.remove_selected(me, folders(top))
        removal = removal_of(top)
        for name in ("1", "2")[:count]:
            put(people[0], f"{top}/sub/{name}.txt", b"y")
        assert str(undo_folder_change(me, removal)) == (
            f"What was in {top} was restored into the folder of this name. {behind}"
        )
        services.remove_selected(me, folders(top))
        batch = newest_entry("folder.delete").batch_id
        put(people[0], f"{top}/sub/3.txt", b"y")
        assert services.restore_batch(me, batch).behind == 1


def test_what_cannot_be_restored_from_the_history(any_app, people):
    me, viewer = editor(people[0]), Actor(people[1], "Lin", Role.VIEWER)
    services.create_folder(me, "", "a")
    services.remove_selected(me, folders("a"))
    removal = newest_entry("folder.delete")
    with pytest.raises(Forbidden):
        undo_folder_change(viewer, removal)
    put(people[0], "a", b"a file")
    assert offered(me) == []
    with pytest.raises(Conflict, match="There is already a file a in Files"):
        undo_folder_change(me, removal)
    newest = newest_entry("folder.delete")
    moment = now() - timedelta(days=31)
    db.session.execute(update(HistoryEntry).values(at=moment))
    db.session.commit()
    newest.at = moment
    assert offered(me) == []
    with pytest.raises(Conflict):
        undo_folder_change(me, newest)
    with pytest.raises(NotFound):
        services.restore_batch(me, newest.batch_id)


def test_a_folder_of_which_the_making_was_undone_comes_back(any_app, people):
    me = editor(people[0])
    services.create_folder(me, "", "a")
    undo_folder_change(me, newest_entry("folder.create"))
    assert paths()[1] == []
    undo_folder_change(me, newest_entry("folder.delete"))
    assert paths()[1] == ["a"]
    undo_folder_change(me, newest_entry("folder.restore"))
    assert paths()[1] == []


def test_two_who_restore_a_folder_restore_it_once(any_app, people):
    me = editor(people[0])
    services.create_folder(me, "", "a")
    batch = services.remove_selected(me, folders("a")).batch_id
    results = at_once(any_app, *[lambda: services.restore_batch(me, batch)] * 2)
    assert (0, 1, "") in [counts(each) for each in results if isinstance(each, Restored)]
    assert {type(each) for each in results} <= {Restored, NotFound, Conflict}
    assert paths()[1] == ["a"]
    assert len([entry for entry in entries("folder") if entry.action == "folder.restore"]) == 1


def test_who_may_change_a_folder(people):
    put(people[0], "mine/1.txt")
    put(people[0], "shared/1.txt")
    former = put(people[1], "shared/2.txt")
    files.remove_file(editor(people[1]), former)
    me = Actor(people[0], "Ada", Role.VIEWER)
    assert services.move_selected(me, folders("mine"), "", "my").folder == ""
    for work in (
        lambda: services.move_selected(me, folders("shared"), "", "x"),
        lambda: services.remove_selected(me, folders("shared")),
        lambda: services.create_folder(me, "", "y"),
    ):
        with pytest.raises(Forbidden):
            work()
    for restore in (
        lambda _batch: undo_folder_change(me, removal_of("my")),
        lambda batch: services.restore_batch(me, batch),
    ):
        removal = services.remove_selected(me, folders("my"))
        assert removal.files == 1
        restore(removal.batch_id)
        assert paths()[1] == ["my", "shared"]
    with pytest.raises(Unauthorized):
        services.remove_selected(ANONYMOUS, folders("shared"))


def test_nothing_and_what_is_gone_cannot_be_selected(people):
    me = editor(people[0])
    gone = put(people[0], "1.pdf", PDF)
    files.remove_file(me, gone)
    with pytest.raises(Invalid):
        services.remove_selected(me, Selection((), ()))
    for selection in (picked(gone), Selection((), (99,))):
        with pytest.raises(NotFound):
            services.move_selected(me, selection, "")


def test_what_is_in_a_selected_folder_goes_with_it(any_app, people):
    """As results of a search may be."""
    me = editor(people[0])
    inner, other = put(people[0], "a/b/1.txt"), put(people[0], "2.txt")
    services.create_folder(me, "", "new")
    selection = Selection((inner, other), folders("a", "a/b").folders)
    selected = load_selected(me, selection)
    assert selected.paths == ["a", "2.txt"]
    assert queries.count_selected(me, selected) == 2
    services.move_selected(me, selection, "new")
    assert paths() == (["new/a/b/1.txt:1", "new/2.txt:1"], ["new", "new/a", "new/a/b"])
    removal = services.remove_selected(me, selection)
    assert (removal.files, removal.folders) == (2, 1)


def test_an_earlier_version_stands_for_the_current_one(any_app, people):
    me = editor(people[0])
    first, second = put(people[0], "a.txt"), put(people[0], "a.txt", b"y")
    for ids in ((first,), (second, first)):
        assert [file.id for file in load_selected(me, picked(*ids)).files] == [second]
    assert services.remove_selected(me, picked(first)).files == 1
    with pytest.raises(NotFound):
        load_selected(me, picked(first))


def test_a_selection_is_counted_as_a_whole_before_anything_changes(people, monkeypatch):
    for path in ("a/1.txt", "a/2.txt", "b/3.txt", "b/c/4.txt", "5.txt"):
        last = put(people[0], path)
    both = Selection((last,), folders("a", "b").folders)
    me = editor(people[0])
    services.create_folder(me, "", "d")
    for call, module, limit in (
        (lambda: services.move_selected(me, both, "d"), moving, "MOVE_MOST"),
        (lambda: services.remove_selected(me, both), removing, "REMOVE_MOST"),
    ):
        before = paths()
        monkeypatch.setattr(module, limit, 7)  # five files, three folders
        with pytest.raises(Invalid):
            call()
        assert paths() == before
        monkeypatch.setattr(module, limit, 8)
        call()


@pytest.mark.parametrize("again", ["b.txt", "a.txt"])
def test_what_was_removed_again_is_not_of_the_first_batch(any_app, people, again):
    me = editor(people[0])
    ids = {name: put(people[0], name) for name in ("a.txt", "b.txt", "c.txt")}
    first = services.remove_selected(me, picked(ids["a.txt"], ids["b.txt"])).batch_id
    files.restore_file(me, ids[again])
    put(people[0], again, b"y")  # its former version was in the batch
    newest = files.queries.find_file(OPERATOR, again).id
    second = services.remove_selected(me, picked(newest, ids["c.txt"])).batch_id
    [other] = {"a.txt", "b.txt"} - {again}
    assert counts(services.restore_batch(me, first)) == (1, 0, "")
    assert paths()[0] == [f"{other}:1"]
    with pytest.raises(NotFound):
        services.restore_batch(me, first)
    assert counts(services.restore_batch(me, second))[0] == 2
    assert len(paths()[0]) == 4
