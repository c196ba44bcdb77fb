"""Emptying the list of removed files, on both databases."""

import json

import pytest

from app.current import settings
from app.database.cursor import FIRST, LAST
from app.database.engine import db
from app.errors import Conflict, NotFound
from app.files import services
from app.files.folders.selection import Selection
from app.files.folders.services import move_selected, remove_selected
from app.files.removed.queries import (
    RemovedFileListing,
    count_removed,
    find_remaining,
    select_removed,
)
from app.files.removed.services import empty_removed
from app.files.storage import purging
from app.files.undo.services import undo_change
from app.times import now
from tests.factories import OPERATOR, at_once, entries
from tests.files.helpers import editor, on_disk, store


def remove(person_id, *names):
    ids = [store(person_id, name, b"x").id for name in names]
    for file_id in ids:
        services.remove_file(editor(person_id), file_id)
    return ids


def names(actor, cursor=FIRST, size=50, **filters):
    page, _total = select_removed(actor, RemovedFileListing(**filters, size=size), cursor)
    return [(row.File.name, row.remover) for row in page.rows]


def test_the_list_has_who_removed_a_file_the_last_one_first(people):
    remove(people[0], "a.txt", "b.txt")
    [other] = remove(people[1], "c.txt")
    assert names(editor(people[0])) == [("c.txt", "林梅"), ("b.txt", "Ada"), ("a.txt", "Ada")]
    assert names(editor(people[0]), LAST, 2) == [("b.txt", "Ada"), ("a.txt", "Ada")]
    assert names(editor(people[0]), search="B.TXT") == [("b.txt", "Ada")]
    services.restore_file(editor(people[0]), other)
    assert len(names(editor(people[0]))) == 2


def test_emptied_files_cannot_be_restored_and_the_clock_deletes_them(people):
    [first, _second] = remove(people[0], "a.txt", "b.txt")
    store(people[0], "b.txt", b"again")  # the next version of a file that was removed
    assert count_removed(OPERATOR) == 2
    assert empty_removed(OPERATOR, now()) == 2
    assert names(editor(people[0])) == []
    with pytest.raises(NotFound, match="cannot be restored"):
        services.restore_file(editor(people[0]), first)
    assert len(on_disk(settings().files_dir)) == 3
    assert purging.purge_removed() == 2
    assert len(on_disk(settings().files_dir)) == 1
    entry = entries("file")[-1]
    assert (entry.action, json.loads(entry.after)["removed_files"]) == ("file.empty", 2)


def test_a_file_is_one_however_many_versions_it_has(people):
    for text in (b"1", b"2", b"3"):
        file_id = store(people[0], "a.txt", text).id
    services.remove_file(editor(people[0]), file_id)
    assert count_removed(OPERATOR) == 1
    assert empty_removed(OPERATOR, now()) == 1
    assert purging.purge_removed() == 3  # stored files


def test_two_who_empty_it_at_once_count_each_file_once(any_app, people):
    remove(people[0], "a.txt", "b.txt")
    results = at_once(any_app, *[lambda: empty_removed(OPERATOR, now())] * 2)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "int"], results
    with pytest.raises(Conflict):
        empty_removed(OPERATOR, now())


def test_purging_goes_on_in_batches(people, monkeypatch):
    monkeypatch.setattr(purging, "PURGED_AT_ONCE", 2)
    remove(people[0], *(f"{number}.txt" for number in range(5)))
    empty_removed(OPERATOR, now())
    assert purging.purge_removed() == 5
    assert on_disk(settings().files_dir) == []


def undo_upload(actor, file_id):
    [entry] = [each for each in entries("file") if each.subject_id == file_id]
    db.session.expunge(entry)
    db.session.rollback()
    undo_change(actor, entry)


def test_a_removed_file_has_no_current_version_where_another_one_came_to_its_name(any_app, people):
    ada = editor(people[0])
    older, removed = store(people[0], "y.txt", b"y").id, store(people[0], "x.txt", b"x").id
    services.remove_file(ada, removed)
    move_selected(ada, Selection((older,), ()), "", "x.txt")
    assert find_remaining(ada, removed) is None


def test_a_version_that_was_removed_alone_leads_to_the_current_one(any_app, people):
    ada = editor(people[0])
    first, second, third = (store(people[0], "a.txt", data).id for data in (b"1", b"2", b"3"))
    undo_upload(ada, third)
    undo_upload(ada, second)
    assert [find_remaining(ada, each) for each in (first, second, third)] == [None, first, first]
    gone = store(people[0], "b.txt", b"b").id
    services.remove_file(ada, gone)
    move_selected(ada, Selection((first,), ()), "", "b.txt")  # as version 2
    fourth = store(people[0], "b.txt", b"4").id
    found = [find_remaining(ada, each) for each in (second, third, gone)]
    assert found == [fourth, fourth, None]
    remove_selected(ada, Selection((fourth,), ()))
    assert find_remaining(ada, third) is None
    store(people[0], "b.txt", b"5")
    assert find_remaining(ada, third) is None
