"""The rows of folders: made by uploads and adoption, and for the files of an earlier release."""

import pytest
from sqlalchemy import delete, select

from app.database import stored_keys
from app.database.engine import db
from app.files import services
from app.files.folders.models import Folder
from app.files.folders.rows import FolderRows
from tests.factories import at_once
from tests.files.helpers import editor, store


def paths():
    db.session.rollback()
    return list(db.session.scalars(select(Folder.path).order_by(Folder.path)))


def test_an_upload_adds_the_folders_above_its_file(people):
    store(people[0], "a/b/c.txt", b"1", with_folder=True)
    store(people[1], "a/b/d.txt", b"2", with_folder=True)
    store(people[1], "e.txt", b"3")
    assert paths() == ["a", "a/b"]
    row = db.session.scalars(select(Folder).where(Folder.path == "a/b")).one()
    assert (row.name, row.parent, row.name_key, row.created_by) == ("b", "a", "b", people[0])


def test_two_uploads_at_once_add_a_folder_once(any_app, people):
    works = [
        lambda n=n: store(people[n % 2], f"new/deep/{n}.txt", b"x", with_folder=True).path
        for n in range(4)
    ]
    assert at_once(any_app, *works) == [f"new/deep/{n}.txt" for n in range(4)]
    assert paths() == ["new", "new/deep"]


def test_a_restored_file_brings_its_folder_back(people):
    file_id = store(people[0], "a/b.txt", b"1", with_folder=True).id
    services.remove_file(editor(people[0]), file_id)
    db.session.execute(delete(Folder))
    db.session.commit()
    services.restore_file(editor(people[0]), file_id)
    assert paths() == ["a"]


@pytest.mark.parametrize("batch", [500, 1])
def test_files_of_an_earlier_release_get_their_folders(people, monkeypatch, batch):
    monkeypatch.setattr(stored_keys, "AT_ONCE", batch)
    first = store(people[1], "a/b/c.txt", b"1", with_folder=True).id
    store(people[0], "a/d.txt", b"2", with_folder=True)
    removed = store(people[0], "gone/e.txt", b"3", with_folder=True).id
    services.remove_file(editor(people[0]), removed)
    db.session.execute(delete(Folder))
    db.session.commit()
    stored_keys.refresh(FolderRows())
    assert paths() == ["a", "a/b"]
    row = db.session.scalars(select(Folder).where(Folder.path == "a")).one()
    assert row.created_by == people[1]
    assert services.queries.present_file(first).created_at == row.created_at


def test_the_clock_and_prepare_add_them(people):
    store(people[0], "a/b.txt", b"1", with_folder=True)
    for work in (stored_keys.step, stored_keys.refresh_all):
        db.session.execute(delete(Folder))
        db.session.commit()
        work()
        assert paths() == ["a"]
