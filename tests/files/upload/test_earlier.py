"""Making an earlier version the current one."""

import errno
import json
from pathlib import Path

import pytest
from sqlalchemy import select

from app.actor import Role
from app.database.engine import db
from app.errors import Conflict, Forbidden, NotFound
from app.files import services
from app.files.models import File
from app.files.queries import find_file
from app.files.storage.folder import path_of
from app.files.undo.services import undo_change
from app.files.upload.earlier import make_current
from app.history.models import HistoryEntry
from tests.factories import OPERATOR, actor_of, add_person, at_once
from tests.files.helpers import editor, files_dir, on_disk, store

FIRST, SECOND = b"first", b"second"


@pytest.fixture
def versions(people):
    """The ids of two versions of a file in a folder, of Ada's."""
    return [store(people[0], "a/notes.txt", data, True).id for data in (FIRST, SECOND)]


def current_content(any_app):
    file = find_file(OPERATOR, "a/notes.txt")
    return file.version, path_of(files_dir(any_app), file.stored_name).read_bytes()


def test_a_copy_becomes_the_newest_version(any_app, people, versions):
    copy_id, number = make_current(editor(people[1]), versions[0])
    assert number == 3
    assert current_content(any_app) == (3, FIRST)
    copy, original = db.session.get(File, copy_id), db.session.get(File, versions[0])
    assert copy.stored_name != original.stored_name
    for name in ("owner_id", "folder", "name", "sha256", "content_type", "search_key", "name_key"):
        assert getattr(copy, name) == getattr(original, name), name
    assert (copy.downloads, copy.former_name) == (0, None)
    entry = db.session.scalars(select(HistoryEntry).order_by(HistoryEntry.id.desc())).first()
    assert (entry.action, entry.subject_id, entry.actor_id) == ("file.revert", copy_id, people[1])
    assert json.loads(entry.after)["version"] == 3


def test_either_copy_can_be_deleted(any_app, people, versions):
    make_current(editor(people[0]), versions[0])
    old = db.session.get(File, versions[0])
    path_of(files_dir(any_app), old.stored_name).unlink()
    assert current_content(any_app) == (3, FIRST)


def test_without_hard_links_the_content_is_copied(any_app, people, versions, monkeypatch):
    def refuse(*_args):
        raise OSError(errno.EOPNOTSUPP, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    make_current(editor(people[0]), versions[0])
    assert current_content(any_app) == (3, FIRST)
    names = [path for path in on_disk(files_dir(any_app)) if path.read_bytes() == FIRST]
    assert len({path.stat().st_ino for path in names}) == 2


def test_the_same_content_is_not_repeated(any_app, people, versions):
    before = on_disk(files_dir(any_app))
    copy_id, _number = make_current(editor(people[0]), versions[0])
    for version in (copy_id, versions[0]):
        with pytest.raises(Conflict, match="same content"):
            make_current(editor(people[0]), version)
    assert len(on_disk(files_dir(any_app))) == len(before) + 1


def test_of_two_at_once_one_is_refused(any_app, people, versions):
    def revert():
        return make_current(editor(people[0]), versions[0])[1]

    results = at_once(any_app, revert, revert)
    assert 3 in results
    assert {type(result) for result in results} == {int, Conflict}
    query = select(File).where(File.replaced_at.is_(None), File.removed_at.is_(None))
    assert len(db.session.scalars(query).all()) == 1


def test_who_may_do_it(any_app, people, versions):
    stranger = actor_of(add_person("Eve", "viewer"))
    with pytest.raises(Forbidden):
        make_current(stranger, versions[0])
    owner = editor(people[0])
    former = type(owner)(owner.id, owner.name, Role.VIEWER)
    assert make_current(former, versions[0])[1] == 3


def test_a_removed_or_missing_file_is_not_found(any_app, people, versions):
    actor = editor(people[0])
    stored = path_of(files_dir(any_app), db.session.get(File, versions[0]).stored_name)
    stored.rename(stored.with_name("elsewhere"))
    with pytest.raises(NotFound, match="is missing"):
        make_current(actor, versions[0])
    services.remove_file(actor, versions[0])
    for file_id in (versions[0], 999):
        with pytest.raises(NotFound):
            make_current(actor, file_id)


def test_it_is_undone(any_app, people, versions):
    actor = editor(people[0])
    make_current(actor, versions[0])
    entry = db.session.scalars(select(HistoryEntry).order_by(HistoryEntry.id.desc())).first()
    db.session.expunge(entry)
    assert "version 2 is the current one again" in str(undo_change(actor, entry))
    assert current_content(any_app) == (2, SECOND)


def test_after_removing_and_restoring_it_is_still_current(any_app, people, versions):
    actor = editor(people[0])
    copy_id, _number = make_current(actor, versions[0])
    services.remove_file(actor, copy_id)
    services.restore_file(actor, copy_id)
    assert current_content(any_app) == (3, FIRST)
