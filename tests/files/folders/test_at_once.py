"""Two who change the same folder or file at once, on both databases: one comes between the steps of
the other. On SQLite, and where the first has locked what the second needs, it waits for the end."""

from functools import partial

import pytest
from sqlalchemy import delete

from app.database.engine import db
from app.errors import Locked, NotFound
from app.files import services as files
from app.files.folders import moving, queries, services
from app.files.models import File
from app.files.removed import restoring
from app.files.undo import folders as undoing
from app.files.undo.bulk import undo_bulk_change
from app.files.upload import earlier
from app.files.upload.versions import Versions
from tests.factories import HTML, Browser, coming_between, note_calls
from tests.files.folders.test_services import folders, newest_entry, paths, picked, put
from tests.files.helpers import editor
from tests.html import Page

on_mariadb = pytest.mark.parametrize("any_app", ["mariadb"], indirect=True)


def current():
    """The paths of the current versions."""
    db.session.rollback()
    query = db.session.query(File).filter_by(replaced_at=None, removed_at=None).order_by(File.id)
    return [f"{row.path}:{row.version}" for row in query]


def test_an_earlier_version_does_not_come_back_into_a_folder_that_is_being_removed(any_app, people):
    me = editor(people[0])
    first, _second = put(people[0], "a/f.txt"), put(people[0], "a/f.txt", b"y")
    folder = folders("a")
    remove = partial(services.remove_selected, me, folder)
    with coming_between(any_app, Versions, "insert", remove) as removed:
        earlier.make_current(me, first)
    assert [each.files for each in removed] == [1]
    assert paths() == ([], [])


def test_an_upload_to_where_a_file_is_being_moved_is_its_next_version(any_app, people):
    me = editor(people[0])
    first, second = put(people[0], "a/f.txt"), put(people[0], "a/f.txt", b"y")
    put(people[0], "b/h.txt")
    db.session.execute(delete(File).where(File.id == first))
    db.session.commit()
    upload = partial(put, people[0], "b/z.txt", b"z")
    with coming_between(any_app, moving, "check_free", upload):
        services.move_selected(me, picked(second), "b", "z.txt")
    assert current() == ["b/h.txt:1", "b/z.txt:3"]


def test_a_file_is_restored_where_its_folder_was_moved(any_app, people):
    me = editor(people[0])
    file_id = put(people[0], "a/f.txt")
    files.remove_file(me, file_id)
    folder = folders("a")
    rename = partial(services.move_selected, me, folder, "", "b")
    with coming_between(any_app, files, "restore_versions", rename) as renamed:
        assert files.restore_file(me, file_id).name == "f.txt"
    assert [each.folder for each in renamed] == [""]
    assert paths() == (["b/f.txt:1"], ["b"])


def test_a_folder_is_removed_under_the_name_that_it_got(any_app, people):
    me = editor(people[0])
    put(people[0], "a/f.txt")
    folder = folders("a")
    rename = partial(services.move_selected, me, folder, "", "b")
    with coming_between(any_app, services, "check_removal", rename):
        removal = services.remove_selected(me, folder)
    assert (removal.files, removal.folders) == (1, 1)
    assert paths() == ([], [])


@pytest.mark.parametrize("by", ["history", "batch"])
def test_an_upload_to_where_a_file_is_being_restored_is_its_next_version(any_app, people, by):
    me = editor(people[0])
    put(people[0], "a/f.txt")
    batch = services.remove_selected(me, folders("a")).batch_id
    module, undo = services, partial(services.restore_batch, me, batch)
    if by == "history":
        module, undo = (
            undoing,
            partial(undoing.undo_folder_change, me, newest_entry("folder.delete")),
        )
    upload = partial(put, people[0], "a/f.txt", b"y")
    with coming_between(any_app, module, "restore_removed", upload):
        undo()
    assert current() == ["a/f.txt:2"]


@on_mariadb
@pytest.mark.parametrize("by", ["batch", "bulk"])
def test_what_is_restored_and_an_upload_to_it_do_not_wait_in_a_circle(
    any_app, people, monkeypatch, by
):
    me = editor(people[0])
    put(people[0], "a/f.txt")
    batch = services.remove_selected(me, folders("a")).batch_id
    undo = partial(undo_bulk_change, me, [newest_entry("folder.delete")])
    restore = partial(services.restore_batch, me, batch) if by == "batch" else undo
    calls = note_calls(monkeypatch, restoring, "removed_together")
    calls_of_upload = note_calls(monkeypatch, Versions, "insert")
    with coming_between(any_app, Versions, "insert", restore):
        put(people[0], "a/f.txt", b"y")
    assert (len(calls), len(calls_of_upload)) == (1, 1)  # neither began again after a deadlock
    assert current() == ["a/f.txt:2"]


@on_mariadb
def test_an_upload_to_where_a_file_is_being_restored_waits(any_app, people):
    me = editor(people[0])
    file_id = put(people[0], "a/f.txt")
    files.remove_file(me, file_id)
    upload = partial(put, people[0], "a/f.txt", b"y")
    with coming_between(any_app, files, "restore_versions", upload):
        assert files.restore_file(me, file_id).current_version == 1
    assert current() == ["a/f.txt:2"]


@on_mariadb
def test_a_file_that_was_moved_just_now_is_not_reported_as_removed(any_app, people):
    me = editor(people[0])
    one, two = put(people[0], "a/1.txt"), put(people[0], "a/2.txt")
    put(people[0], "b/3.txt")
    move = partial(services.move_selected, me, picked(one), "b")
    with coming_between(any_app, services, "check_removal", move), pytest.raises(NotFound):
        services.remove_selected(me, picked(one, two))
    assert paths()[0] == ["b/1.txt:1", "a/2.txt:1", "b/3.txt:1"]


@pytest.mark.parametrize("how", ["refused", "locked"])
def test_a_folder_that_is_removed_before_its_form_is_shown_again_is_missing(
    any_app, people, monkeypatch, caplog, how
):
    put(people[0], "survey/plan.txt")
    selection, other = folders("survey"), editor(people[1])
    browser = Browser(any_app)
    browser.begin_session("Ada")

    def locked(*_args, **_kwargs):
        db.session.rollback()
        raise Locked

    if how == "locked":
        monkeypatch.setattr(services, "store_move", locked)
    page = f"/files/move?folder={selection.folders[0]}"
    form = {"name": "survey", "folder": "nowhere", "csrf_token": browser.token(page)}
    remove = partial(services.remove_selected, other, selection)
    with coming_between(any_app, queries, "suggest_folders", remove) as results:
        response = browser.client.post(page, data=form, headers=HTML)
    assert [each.folders for each in results] == [1]
    assert response.status_code == 404
    assert Page(response).text(".error-page p") == "This was removed just now."
    assert "unexpected error" not in caplog.text
