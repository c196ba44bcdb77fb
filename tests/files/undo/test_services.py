"""Undoing uploads, removals and restorations from the history, on both databases."""

from dataclasses import replace

import pytest
from flask import current_app
from sqlalchemy import select, update

from app.actor import Role
from app.database.engine import db
from app.errors import Conflict, Forbidden
from app.files import services
from app.files.models import File
from app.files.undo.services import undo_change
from app.history.feed import describe_feed
from app.history.models import HistoryEntry
from app.history.undo import find_undoable
from tests.factories import at_once, entries
from tests.files.helpers import age, editor, store

pytestmark = pytest.mark.usefixtures("any_app")


def last():
    """The newest entry, detached as queries.load_entry() gives it."""
    entry = entries("file")[-1]
    db.session.expunge(entry)
    db.session.rollback()
    return entry


def current():
    """The versions that are current: (name, version)."""
    db.session.rollback()
    query = select(File.name, File.version).where(
        File.replaced_at.is_(None), File.removed_at.is_(None)
    )
    return [tuple(row) for row in db.session.execute(query)]


def said(actor):
    """The sentence of the feed about the newest entry."""
    with current_app.test_request_context():
        [row] = describe_feed(actor, [last()])
    return row.sentence.striptags()


def undoable(actor):
    """The actions that are offered for undoing, with the ids of their subjects, oldest first."""
    found = find_undoable(actor, entries())
    return [(entry.action, entry.subject_id) for entry in entries("file") if entry.id in found]


def test_an_undone_first_upload_is_removed(people):
    ada = editor(people[0])
    file_id = store(people[0], "a.txt", b"1").id
    uploaded = last()
    assert undoable(ada) == [("file.create", file_id)]
    undo_change(ada, uploaded)
    assert current() == []
    assert (last().action, last().reverts_id) == ("file.delete", uploaded.id)
    assert undoable(ada) == [("file.delete", file_id)]
    undo_change(ada, last())
    assert (current(), last().action) == ([("a.txt", 1)], "file.restore")
    undo_change(ada, last())
    assert current() == []


def test_an_undone_later_upload_makes_the_former_version_current(people):
    ada = editor(people[0])
    first = store(people[0], "a.txt", b"1").id
    second = store(people[0], "a.txt", b"2").id
    uploaded = last()
    # The entry about version 1 is the newest about it, but the file has changed since.
    assert undoable(ada) == [("file.create", second)]
    assert "Version 2" in str(undo_change(ada, uploaded))
    assert current() == [("a.txt", 1)]
    assert db.session.get(File, second).removed_by == people[0]
    assert undoable(ada) == [("file.create", first), ("file.delete", second)]
    assert said(ada) == "You removed version 2 of a.txt; the one before is current again"
    undo_change(ada, last())
    assert current() == [("a.txt", 2)]
    assert said(ada) == "You restored version 2 of a.txt"
    undo_change(ada, last())
    assert current() == [("a.txt", 1)]
    undo_change(ada, last())
    assert current() == [("a.txt", 2)]
    services.remove_file(ada, second)
    assert said(ada) == "You removed a.txt"
    services.restore_file(ada, second)
    assert said(ada) == "You restored a.txt"
    assert store(people[0], "a.txt", b"3").version == 3
    assert current() == [("a.txt", 3)]


def test_the_former_version_is_the_one_that_was_current(people):
    """Not always the one with the number before."""
    for n in range(2):
        store(people[0], "a.txt", b"%d" % n)
    rows = db.session.scalars(select(File).order_by(File.version)).all()
    # Version 1 is made the current one.
    rows[1].replaced_at, rows[0].replaced_at = rows[0].replaced_at, None
    db.session.commit()
    store(people[0], "a.txt", b"2")
    undo_change(editor(people[0]), last())
    assert current() == [("a.txt", 1)]


def test_what_was_changed_since_is_not_undone(people):
    ada = editor(people[0])
    first = store(people[0], "a.txt", b"1").id
    uploaded = last()
    store(people[0], "a.txt", b"2")
    with pytest.raises(Conflict, match="changed again in the meantime"):
        undo_change(ada, uploaded)
    services.remove_file(ada, first)
    with pytest.raises(Conflict, match="removed in the meantime"):
        undo_change(ada, uploaded)
    removed = last()
    undo_change(ada, removed)
    with pytest.raises(Conflict, match="already undone"):
        undo_change(ada, removed)


def test_what_can_no_longer_be_restored_is_not_offered(people):
    ada = editor(people[0])
    file_id = store(people[0], "a.txt", b"1").id
    services.remove_file(ada, file_id)
    age(file_id, 400)
    assert undoable(ada) == []
    with pytest.raises(Conflict, match="deleted permanently"):
        undo_change(ada, last())
    db.session.delete(db.session.get(File, file_id))
    db.session.commit()
    with pytest.raises(Conflict, match="deleted permanently"):
        undo_change(ada, last())


def test_a_file_restored_below_a_newer_one_says_so(people):
    ada = editor(people[0])
    services.remove_file(ada, store(people[0], "a.txt", b"1").id)
    removed = last()
    store(people[0], "a.txt", b"2")
    assert "version 2 is the current one" in str(undo_change(ada, removed))
    assert current() == [("a.txt", 2)]


def test_owners_and_editors_undo(people):
    owner = replace(editor(people[0]), role=Role.VIEWER)
    stranger = replace(editor(people[1]), role=Role.VIEWER)
    store(people[0], "a.txt", b"1")
    assert undoable(stranger) == []
    with pytest.raises(Forbidden):
        undo_change(stranger, last())
    assert current() == [("a.txt", 1)]
    undo_change(owner, last())
    undo_change(editor(people[1]), last())
    assert current() == [("a.txt", 1)]


def test_undone_by_two_at_once_is_undone_once(any_app, people):
    store(people[0], "a.txt", b"1")
    store(people[0], "a.txt", b"2")
    uploaded = last()
    results = at_once(any_app, *[lambda: undo_change(editor(people[0]), uploaded)] * 2)
    assert sorted(type(each).__name__ for each in results) == ["Conflict", "Message"]
    assert current() == [("a.txt", 1)]


def test_undone_during_an_upload_leaves_one_current_version(any_app, people):
    store(people[0], "a.txt", b"1")
    store(people[0], "a.txt", b"2")
    uploaded = last()
    at_once(
        any_app,
        lambda: undo_change(editor(people[0]), uploaded),
        lambda: store(people[0], "a.txt", b"3"),
    )
    assert current() == [("a.txt", 3)]


def test_an_action_of_a_newer_release_cannot_be_undone(people):
    store(people[0], "a.txt", b"1")
    db.session.execute(update(HistoryEntry).values(action="file.twin"))
    db.session.commit()
    assert undoable(editor(people[0])) == []
    with pytest.raises(Conflict, match="cannot be undone"):
        undo_change(editor(people[0]), last())
