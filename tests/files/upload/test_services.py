"""Storing files, on both databases."""

import errno
import os
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from app.current import settings
from app.database.engine import db
from app.errors import (
    Conflict,
    Fault,
    Invalid,
    Locked,
    NoSpace,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from app.files import names, queries
from app.files.models import File
from app.files.services import remove_file
from app.files.storage.folder import Incoming, path_of
from app.files.upload import services as uploads
from app.files.upload.batches import batch_of
from app.files.upload.versions import last_and_current
from app.history.models import HistoryEntry
from tests.factories import OPERATOR
from tests.files.helpers import (
    PDF,
    REPORT,
    all_connections_taken,
    editor,
    on_disk,
    received,
    store,
)

FOLDER = "survey/north"


def received_files(*files):
    """Files of a form, each a name and its content."""
    return [received(name, data, with_folder=True) for name, data in files]


def test_a_file_is_stored_with_its_metadata(people):
    stored = store(people[0], f"{FOLDER}/{REPORT}", with_folder=True)
    file = queries.load_file(OPERATOR, stored.id)
    assert (file.folder, file.name, file.extension) == (FOLDER, REPORT, "pdf")
    assert (file.size, file.version, file.content_type) == (len(PDF), 1, "application/pdf")
    assert file.path == f"{FOLDER}/{REPORT}"
    path = path_of(settings().files_dir, file.stored_name)
    assert path.read_bytes() == PDF
    assert file.owner.name == "Ada"


def test_the_longest_names_fit(people):
    name = "/".join(["文" * 85] * 5 + ["文" * 70, "𠮷" * 62 + ".pdf"])
    file = queries.load_file(OPERATOR, store(people[0], name, with_folder=True).id)
    assert file.path == name


def test_of_many_versions_only_those_that_matter_are_read(people):
    names = [f"{number}.txt" for number in range(3)]
    for version in range(12):
        uploads.store_uploads(
            editor(people[0]), received_files(*((name, b"%d" % version) for name in names))
        )
    removed = db.session.scalars(select(File.id).where(File.name == "0.txt", File.version == 12))
    remove_file(editor(people[0]), removed.one())
    same = (File.owner_id == people[0], File.folder == "", File.name.in_(names))
    found = db.session.scalars(last_and_current(same)).all()
    assert sorted((file.name, file.version) for file in found) == [(name, 12) for name in names]
    versions = [store(people[0], name, b"x").version for name in names]
    assert versions == [13, 13, 13]


def test_the_same_name_again_is_the_next_version_and_the_older_stays_by_id(people):
    first = store(people[0], "a.txt", b"one")
    second = store(people[0], "a.txt", b"two")
    assert (first.version, second.version) == (1, 2)
    assert queries.load_file(OPERATOR, first.id).replaced_at is not None
    assert queries.load_file(OPERATOR, second.id).replaced_at is None
    assert queries.find_file(OPERATOR, "a.txt").id == second.id
    versions = queries.list_versions(OPERATOR, queries.load_file(OPERATOR, first.id))
    assert [file.version for file in versions] == [2, 1]


def send(owner_id: int, key: str, *files: tuple[str, bytes]) -> list[tuple[int, int, bool]]:
    """Store a form with a key; returns id, version and whether it was repeated for each file."""
    sent = received_files(*files)
    batch = batch_of(editor(owner_id), key) if key else None
    uploads.store_uploads(editor(owner_id), sent, batch=batch)
    assert all(file.stored for file in sent)
    return [(file.stored.id, file.stored.version, file.stored.repeated) for file in sent]


def test_a_form_sent_again_with_its_key_is_stored_once(people):
    ((first, *_),) = send(people[0], "k", ("f/a.txt", b"one"))
    again = send(people[0], "k", ("f/a.txt", b"one"), ("f/b.txt", b"two"))
    assert again[0] == (first, 1, True)
    assert again[1][1:] == (1, False)
    assert len(on_disk(settings().files_dir)) == 2
    actions = db.session.scalars(select(HistoryEntry.batch_id)).all()
    assert len(actions) == 2
    assert len(set(actions)) == 1


def test_the_same_content_is_a_version_unless_it_is_repeated(people):
    send(people[0], "k", ("a.txt", b"one"))
    assert send(people[0], "other", ("a.txt", b"one"))[0][1:] == (2, False)
    assert send(people[0], "", ("a.txt", b"one"))[0][1:] == (3, False)
    assert send(people[0], "k", ("a.txt", b"two"))[0][1:] == (4, False)
    # Version 4 is of this batch, but has another content; version 1 is not current any more.
    assert send(people[0], "k", ("a.txt", b"one"))[0][1:] == (5, False)
    assert send(people[1], "k", ("a.txt", b"one"))[0][1:] == (1, False)


def test_a_repeated_file_whose_name_was_changed_is_found(people):
    send(people[0], "k", ("a.txt", b"one"))
    changed = send(people[0], "k", (" a.txt", b"two"))
    assert send(people[0], "k", (" a.txt", b"two")) == [(changed[0][0], 1, True)]


def test_a_repeated_file_that_was_removed_is_stored(people):
    ((first, *_),) = send(people[0], "k", ("a.txt", b"one"))
    remove_file(editor(people[0]), first)
    assert send(people[0], "k", ("a.txt", b"one"))[0][1:] == (2, False)


def test_the_same_name_of_another_person_case_or_folder_is_another_file(people):
    ids = [
        store(people[0], "a.txt", b"1").id,
        store(people[1], "a.txt", b"2").id,
        store(people[0], "A.txt", b"3").id,
        store(people[0], "f/a.txt", b"4", with_folder=True).id,
    ]
    assert [queries.load_file(OPERATOR, file_id).version for file_id in ids] == [1, 1, 1, 1]
    assert queries.find_file(OPERATOR, "a.txt").id == ids[3]
    assert queries.find_file(OPERATOR, "f/a.txt").id == ids[3]


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [("a.gif", b"MZ", Invalid), ("a.png", PDF, Invalid), ("a.txt", b"\0", Invalid)],
)
def test_a_refused_file_leaves_no_row_and_no_bytes(people, name, data, error):
    with pytest.raises(error):
        store(people[0], name, data)
    assert db.session.scalar(select(func.count(File.id))) == 0
    assert on_disk(settings().files_dir) == []


def test_each_file_of_a_form_is_stored_or_refused_for_itself(people):
    sent = received_files((" a.txt", b"1"), ("b.gif", b"MZ"), ("c.txt", b"3"))
    uploads.store_uploads(editor(people[0]), sent)
    first, second, third = sent
    assert [each.shown_path for each in sent] == ["a.txt", "b.gif", "c.txt"]
    assert (first.path.trimmed, third.path.trimmed) == (True, False)
    assert [bool(each.stored) for each in (first, second, third)] == [True, False, True]
    assert isinstance(second.error, Invalid)
    assert len(on_disk(settings().files_dir)) == 2


def test_too_large_is_refused_naming_the_limit(people):
    incoming = Incoming(settings().files_dir, 1024)
    incoming.write(b"x" * 1025)
    file = uploads.ReceivedFile("a.txt", incoming)
    uploads.store_uploads(editor(people[0]), [file])
    assert isinstance(file.error, TooLarge)
    assert "1 KB" in file.error.message


def test_bytes_whose_row_cannot_be_written_are_deleted(people):
    """The owner is gone."""
    inserts = []
    event.listen(db.session(), "before_flush", lambda *_args: inserts.append(1))
    with pytest.raises(Unauthorized):
        store(987_654, "a.pdf")  # nobody has this id
    assert inserts == []
    assert on_disk(settings().files_dir) == []


def test_bytes_stay_when_their_row_may_exist(people, monkeypatch):
    """The database commits, but the connection is lost before it confirms."""
    first = store(people[0], "a.txt", b"one")
    dialect = db.engine.dialect
    commit = dialect.do_commit

    def commit_and_lose_the_connection(connection):
        commit(connection)
        raise dialect.dbapi.OperationalError(2013, "Lost connection to server during query")

    monkeypatch.setattr(dialect, "do_commit", commit_and_lose_the_connection)
    with pytest.raises(Unavailable):
        store(people[0], "a.txt", b"two")
    monkeypatch.undo()
    db.session.rollback()
    present = queries.find_file(OPERATOR, "a.txt")
    assert present.version == 2
    folder = settings().files_dir
    assert path_of(folder, present.stored_name).read_bytes() == b"two"
    assert queries.load_file(OPERATOR, first.id).replaced_at is not None


def test_bytes_are_deleted_when_no_connection_is_free(people):
    db.session.rollback()
    with all_connections_taken(), pytest.raises(Unavailable):
        store(people[0], "a.txt", b"x")
    assert on_disk(settings().files_dir) == []


def test_bytes_are_deleted_when_the_database_was_busy_to_the_end(people):
    def refuse(_session, _context, _instances):
        raise OperationalError("INSERT", None, Exception("database is locked"))

    session = db.session()
    event.listen(session, "before_flush", refuse)
    try:
        with pytest.raises(Fault):
            store(people[0], "a.txt", b"x")
    finally:
        event.remove(session, "before_flush", refuse)
    assert on_disk(settings().files_dir) == []


def test_files_of_a_form_are_numbered_together(people):
    """In one transaction: new ones, versions of older ones, and the same name several times."""
    store(people[0], "old.txt", b"0")
    store(people[1], "new.txt", b"of somebody else")
    names = ["old.txt", "new.txt", "f/new.txt", "old.txt", "new.txt", " new.txt", "F/new.txt"]
    results = received_files(*((name, name.encode()) for name in names))
    uploads.store_uploads(editor(people[0]), results)
    stored = [(result.stored.path, result.stored.version) for result in results]
    assert stored == [
        ("old.txt", 2), ("new.txt", 1), ("f/new.txt", 1), ("old.txt", 3), ("new.txt", 2),
        ("new (2).txt", 1), ("F/new.txt", 1),
    ]  # fmt: skip
    current = select(File.folder, File.name, File.version).where(
        File.replaced_at.is_(None), File.owner_id == people[0]
    )
    assert sorted(map(tuple, db.session.execute(current))) == [
        ("", "new (2).txt", 1), ("", "new.txt", 2), ("", "old.txt", 3), ("F", "new.txt", 1),
        ("f", "new.txt", 1),
    ]  # fmt: skip


def test_files_for_which_no_name_is_left_are_refused_with_few_queries(people, monkeypatch):
    """In three transactions, of which none is repeated."""
    monkeypatch.setattr(names, "MOST_OF_A_NAME", 5)
    monkeypatch.setattr(uploads, "ROWS", 4)
    sent = [received(f"d{number}/i.html", b"x") for number in range(11)] + [received("b.txt", b"x")]
    queries_of_files = []

    def watch(_connection, _cursor, text, *_more):
        if "FROM file" in text:
            queries_of_files.append(text)

    event.listen(db.engine, "before_cursor_execute", watch)
    try:
        uploads.store_uploads(editor(people[0]), sent)
    finally:
        event.remove(db.engine, "before_cursor_execute", watch)
    expected = ["i.html", *(f"i ({number}).html" for number in range(2, 6)), *[None] * 6, "b.txt"]
    assert [file.stored and file.stored.path for file in sent] == expected
    assert {type(file.error) for file in sent[5:11]} == {Conflict}
    assert len(queries_of_files) <= 2 * 3
    assert len(on_disk(settings().files_dir)) == 6


def test_storing_ends_in_time(people, monkeypatch):
    monkeypatch.setattr(uploads, "STORE_SECONDS", 0)
    with pytest.raises(Unavailable, match="took too long"):
        store(people[0], "a.txt", b"x")
    assert on_disk(settings().files_dir) == []


def test_one_row_that_fails_takes_no_others_along(people):
    """The transaction of all is repeated for each."""
    statement = "insert into file"

    def fail(_connection, _cursor, text, values, *_more):
        if text.lower().startswith(statement) and "bad.txt" in str(values):
            raise IntegrityError(text, None, Exception("no such owner"))

    event.listen(db.engine, "before_cursor_execute", fail)
    try:
        results = received_files(("a.txt", b"1"), ("bad.txt", b"2"), ("c.txt", b"3"))
        uploads.store_uploads(editor(people[0]), results)
    finally:
        event.remove(db.engine, "before_cursor_execute", fail)
    assert [bool(result.stored) for result in results] == [True, False, True]
    assert len(on_disk(settings().files_dir)) == 2


@pytest.mark.parametrize(
    ("number", "refusal"),
    [(errno.ENOSPC, NoSpace), (errno.EDQUOT, NoSpace), (errno.EIO, Fault)],
)
@pytest.mark.parametrize("call", ["open", "fsync", "mkdir", "rename"])
def test_an_error_of_the_disk_is_the_result_of_the_file_that_it_meets(
    people, monkeypatch, call, number, refusal
):
    """Whatever it is that the disk has no place for: bytes, inodes, names."""
    target = os if call in ("open", "fsync") else Path
    real, calls = getattr(target, call), []

    def refuse_the_second(*args, **kwargs):
        if call in ("fsync", "mkdir") or str(args[0]).endswith(".part"):
            calls.append(args)
            if len(calls) == 2:
                raise OSError(number, os.strerror(number))
        return real(*args, **kwargs)

    monkeypatch.setattr(target, call, refuse_the_second)
    results = received_files(("a.txt", b"1"), ("b.txt", b"2"), ("c.txt", b"3"))
    uploads.store_uploads(editor(people[0]), results)
    monkeypatch.undo()
    stored = [bool(result.stored) for result in results]
    assert sorted(stored) == [False, True, True]
    (refused,) = (result.error for result in results if not result.stored)
    assert isinstance(refused, refusal)
    assert len(on_disk(settings().files_dir)) == 2


def test_a_form_of_many_files_syncs_one_folder(people, monkeypatch):
    synced, fsync = [], os.fsync

    def watch(handle):
        synced.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watch)
    sent = received_files(*((f"{number}.txt", b"x") for number in range(50)))
    uploads.store_uploads(editor(people[0]), sent)
    assert all(result.stored for result in sent)
    assert synced.count(False) == 50
    assert synced.count(True) <= 2, "the folder of the files, and the one above if it is new"


def upload_in_turn(person, data):
    """As the page does: again while a row is locked for longer than a request waits for it."""
    while True:
        try:
            return store(person, "same.txt", data)
        except Locked:
            continue


def test_many_at_once_become_versions_without_a_gap(any_app, people):
    """With threads, each with a session of its own, as requests have."""
    wrong = []

    def upload(number: int) -> None:
        with any_app.test_request_context():
            try:
                upload_in_turn(people[0], str(number).encode())
            except Exception as error:
                wrong.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    db.session.rollback()
    versions = db.session.scalars(select(File.version).order_by(File.version)).all()
    assert versions == list(range(1, 11))
    present = db.session.scalars(select(File.version).where(File.replaced_at.is_(None))).all()
    assert len(present) == 1
