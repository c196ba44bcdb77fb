"""The rules of shared files, on both databases."""

import threading

import pytest
from sqlalchemy import event, func, literal, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.actor import ANONYMOUS, Actor, Role
from app.current import settings
from app.database.engine import db
from app.database.keyset import FIRST
from app.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge, Unauthorized
from app.files import listing, purging, queries, services, storage
from app.files.models import File
from app.files.names import clean_path
from app.files.services import PurgeCounts
from app.files.storage import Incoming
from tests.factories import OPERATOR, at_once
from tests.files.helpers import (
    PDF,
    REPORT,
    age,
    all_connections_taken,
    editor,
    on_disk,
    store,
    without_connection,
)

FOLDER = "survey/north"


def test_a_file_is_stored_with_its_metadata(people):
    stored = store(people[0], f"{FOLDER}/{REPORT}", with_folder=True)
    file = queries.load_file(OPERATOR, stored.id)
    assert (file.folder, file.name, file.extension) == (FOLDER, REPORT, "pdf")
    assert (file.size, file.version, file.content_type) == (len(PDF), 1, "application/pdf")
    assert file.path == f"{FOLDER}/{REPORT}"
    path = storage.path_of(settings().files_dir, file.stored_name)
    assert path.read_bytes() == PDF
    assert queries.owner_name(OPERATOR, file) == "Ada"


def test_editors_and_owners_may_change_some_file(people):
    viewer = Actor(people[0], "viewer", Role.VIEWER)
    assert queries.may_change_some(editor(people[0]))
    assert not queries.may_change_some(viewer)
    store(people[1], "a.txt", b"x")
    assert not queries.may_change_some(viewer)
    services.remove_file(editor(people[0]), store(people[0], "b.txt", b"x").id)
    assert queries.may_change_some(viewer)
    with pytest.raises(Forbidden):
        queries.may_change_some(ANONYMOUS)


def test_visitors_read_no_file(people):
    stored = store(people[0], "a.txt", b"x")
    file = queries.load_file(Actor(people[1], "viewer", Role.VIEWER), stored.id)
    for read, about in (
        (queries.load_file, stored.id),
        (queries.find_file, "a.txt"),
        (queries.list_versions, file),
        (queries.owner_name, file),
    ):
        with pytest.raises(Unauthorized):
            read(ANONYMOUS, about)


def test_the_longest_names_fit(people):
    name = "/".join(["文" * 249] * 2 + ["𠮷" * 251 + ".pdf"])
    file = queries.load_file(OPERATOR, store(people[0], name, with_folder=True).id)
    assert file.path == name


def test_the_same_name_again_is_the_next_version_and_the_older_stays_by_id(people):
    first = store(people[0], "a.txt", b"one")
    second = store(people[0], "a.txt", b"two")
    assert (first.version, second.version) == (1, 2)
    assert queries.load_file(OPERATOR, first.id).replaced_at is not None
    assert queries.load_file(OPERATOR, second.id).replaced_at is None
    assert queries.find_file(OPERATOR, "a.txt").id == second.id
    versions = queries.list_versions(OPERATOR, queries.load_file(OPERATOR, first.id))
    assert [file.version for file in versions] == [2, 1]


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
    [("a.exe", b"x", Invalid), ("a", b"x", Invalid), ("a.png", PDF, Invalid)],
)
def test_a_refused_file_leaves_no_row_and_no_bytes(people, name, data, error):
    with pytest.raises(error):
        store(people[0], name, data)
    assert db.session.scalar(select(func.count(File.id))) == 0
    assert on_disk(settings().files_dir) == []


def test_each_file_of_a_form_is_stored_or_refused_for_itself(people):
    sent = []
    for name, data in ((" a.txt", b"1"), ("b.exe", b"MZ"), ("c.txt", b"3")):
        incoming = Incoming(settings().files_dir, 1024)
        incoming.write(data)
        sent.append(services.SentFile(name, incoming))
    first, second, third = services.store_uploads(editor(people[0]), sent)
    assert [each.path for each in (first, second, third)] == ["a.txt", "b.exe", "c.txt"]
    assert (first.trimmed, third.trimmed) == (True, False)
    assert [bool(each.stored) for each in (first, second, third)] == [True, False, True]
    assert isinstance(second.error, Invalid)
    assert len(on_disk(settings().files_dir)) == 2


def test_too_large_is_refused_naming_the_limit(people):
    incoming = Incoming(settings().files_dir, 1024)
    incoming.write(b"x" * 1025)
    with pytest.raises(TooLarge, match="1 KB"):
        services.store_upload(editor(people[0]), clean_path("a.txt"), incoming)


def test_bytes_whose_row_cannot_be_written_are_deleted(people):
    """A missing owner is a fault, not another upload at the same time."""
    inserts = []
    event.listen(db.session(), "before_flush", lambda *_args: inserts.append(1))
    with pytest.raises(IntegrityError):
        store(987_654, "a.pdf")  # nobody has this id
    assert len(inserts) == 1, "it is not tried again"
    assert on_disk(settings().files_dir) == []


def test_an_upload_that_is_always_overtaken_is_a_conflict(people, monkeypatch):
    """Somebody else always takes the version number first."""
    store(people[0], "a.txt", b"1")
    monkeypatch.setattr(services.func, "max", lambda _column: literal(0))
    with pytest.raises(Conflict, match="uploaded several times at once"):
        store(people[0], "a.txt", b"2")
    assert len(on_disk(settings().files_dir)) == 1


def test_bytes_stay_when_their_row_may_exist(people, monkeypatch):
    """The database commits, but its answer does not arrive."""
    first = store(people[0], "a.txt", b"one")
    dialect = db.engine.dialect
    commit = dialect.do_commit

    def commit_and_lose_the_answer(connection):
        commit(connection)
        raise dialect.dbapi.OperationalError(2013, "Lost connection to server during query")

    monkeypatch.setattr(dialect, "do_commit", commit_and_lose_the_answer)
    with pytest.raises(OperationalError):
        store(people[0], "a.txt", b"two")
    monkeypatch.undo()
    db.session.rollback()
    present = queries.find_file(OPERATOR, "a.txt")
    assert present.version == 2
    folder = settings().files_dir
    assert storage.path_of(folder, present.stored_name).read_bytes() == b"two"
    assert queries.load_file(OPERATOR, first.id).replaced_at is not None


def test_bytes_are_deleted_when_no_connection_is_free(people):
    db.session.rollback()
    with all_connections_taken(), pytest.raises(PoolTimeout):
        store(people[0], "a.txt", b"x")
    assert on_disk(settings().files_dir) == []


def test_bytes_are_deleted_when_the_database_was_busy_to_the_end(people):
    def refuse(_session, _context, _instances):
        raise OperationalError("INSERT", None, Exception("database is locked"))

    session = db.session()
    event.listen(session, "before_flush", refuse)
    try:
        with pytest.raises(OperationalError):
            store(people[0], "a.txt", b"x")
    finally:
        event.remove(session, "before_flush", refuse)
    assert on_disk(settings().files_dir) == []


def test_many_at_once_become_versions_without_a_gap(any_app, people):
    """With threads, each with a session of its own, as requests have."""
    wrong = []

    def upload(number: int) -> None:
        with any_app.test_request_context():
            try:
                store(people[0], "same.txt", str(number).encode())
            except Exception as error:
                wrong.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    db.session.rollback()
    versions = db.session.scalars(select(File.version).order_by(File.version)).all()
    assert versions == [1, 2, 3, 4]
    present = db.session.scalars(select(File.version).where(File.replaced_at.is_(None))).all()
    assert len(present) == 1


def test_all_versions_are_removed_and_restored_together(people):
    first, second = store(people[0], "a.txt", b"1"), store(people[0], "a.txt", b"2")
    other = store(people[1], "a.txt", b"3")
    assert services.remove_file(editor(people[1]), second.id) == "a.txt"
    for file_id in (first.id, second.id):
        with pytest.raises(NotFound):
            queries.load_file(OPERATOR, file_id)
    with pytest.raises(NotFound):
        services.remove_file(editor(people[0]), second.id)
    assert queries.find_file(OPERATOR, "a.txt").id == other.id
    assert services.restore_file(editor(people[0]), second.id).name == "a.txt"
    assert queries.load_file(OPERATOR, first.id).removed_at is None
    assert queries.load_file(OPERATOR, second.id).removed_by is None
    assert services.restore_file(editor(people[0]), second.id).name == "a.txt", (
        "once more changes nothing"
    )


def removed_versions():
    rows = listing.select_files(OPERATOR, listing.FileListing(removed=True), FIRST, 0).rows
    return sorted(file.version for file, _owner, _key in rows)


def present_versions():
    rows = db.session.scalars(
        select(File.version).where(File.replaced_at.is_(None), File.removed_at.is_(None))
    )
    return list(rows)


def test_a_file_uploaded_again_and_then_restored_has_one_current_version(people):
    first = store(people[0], "a.txt", b"1")
    services.remove_file(editor(people[0]), first.id)
    second = store(people[0], "a.txt", b"2")
    assert second.version == 2
    assert removed_versions() == [1]
    back = services.restore_file(editor(people[0]), first.id)
    assert (back.version, back.current_version, back.current_id) == (1, 2, second.id)
    assert queries.load_file(OPERATOR, first.id).replaced_at is not None
    assert queries.find_file(OPERATOR, "a.txt").id == second.id
    assert (removed_versions(), present_versions()) == ([], [2])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_files_removed_twice_under_one_name_are_restored_in_any_order(people, order):
    ids = []
    for data in (b"1", b"2"):
        ids.append(store(people[0], "a.txt", data).id)
        services.remove_file(editor(people[0]), ids[-1])
    assert removed_versions() == [1, 2]
    for place in order:
        services.restore_file(editor(people[0]), ids[place])
    assert present_versions() == [2]
    assert store(people[0], "a.txt", b"3").version == 3
    assert present_versions() == [3]


def test_restoring_during_an_upload_of_the_same_name_leaves_one_current_version(any_app, people):
    first = store(people[0], "a.txt", b"1").id
    services.remove_file(editor(people[0]), first)
    results = at_once(
        any_app,
        lambda: store(people[0], "a.txt", b"2").version,
        lambda: services.restore_file(editor(people[0]), first).version,
    )
    assert results == [2, 1]
    db.session.rollback()
    assert present_versions() == [2]


def test_a_viewer_removes_and_restores_only_their_own_files(people):
    """Somebody who was an editor when it was uploaded."""
    own, other = store(people[0], "a.txt", b"1").id, store(people[1], "b.txt", b"2").id
    viewer = Actor(people[0], "Ada", Role.VIEWER)
    with pytest.raises(Forbidden):
        services.remove_file(viewer, other)
    services.remove_file(editor(people[1]), other)
    with pytest.raises(Forbidden):
        services.restore_file(viewer, other)
    services.remove_file(viewer, own)
    assert services.restore_file(viewer, own).name == "a.txt"


def test_removed_bytes_are_deleted_after_a_week(people):
    young, old, present = (store(people[0], f"{n}.txt", b"x").id for n in range(3))
    services.remove_file(editor(people[0]), young)
    services.remove_file(editor(people[0]), old)
    age(young, 6.9)
    age(old, 7.1)
    assert purging.purge_removed() == 1
    with pytest.raises(NotFound, match="cannot be restored"):
        services.restore_file(editor(people[0]), old)
    services.restore_file(editor(people[0]), young)
    assert len(on_disk(settings().files_dir)) == 2
    assert queries.load_file(OPERATOR, present)


def test_a_file_is_not_restored_after_the_undo_period_even_if_not_purged_yet(people):
    file_id = store(people[0], "a.txt", b"x").id
    services.remove_file(editor(people[0]), file_id)
    age(file_id, 7.1)
    assert removed_versions() == []
    with pytest.raises(NotFound, match="cannot be restored"):
        services.restore_file(editor(people[0]), file_id)
    assert len(on_disk(settings().files_dir)) == 1
    age(file_id, 6.9)
    assert services.restore_file(editor(people[0]), file_id).version == 1


def test_removing_purges_older_removed_files(people):
    old, other = store(people[0], "a.txt", b"x").id, store(people[0], "b.txt", b"x").id
    services.remove_file(editor(people[0]), old)
    age(old, 8)
    services.remove_file(editor(people[0]), other)
    assert len(on_disk(settings().files_dir)) == 1


def test_a_file_is_removed_although_nothing_could_be_purged(people, monkeypatch, caplog):
    file_id = store(people[0], "a.txt", b"x").id
    monkeypatch.setattr(purging, "purge_removed", without_connection(purging.purge_removed))
    services.remove_file(editor(people[0]), file_id)
    assert removed_versions() == [1]
    [line] = [record for record in caplog.records if record.name == "gazetteer.files"]
    assert (line.levelname, line.exc_info) == ("WARNING", None)
    assert line.getMessage() == "removed files were not purged: TimeoutError"
    assert "a follow-up of a committed change failed" not in caplog.text


def test_orphaned_bytes_are_deleted_after_a_day(people):
    import os
    import time

    stored = store(people[0], "a.txt", b"x")
    folder = settings().files_dir
    incoming = Incoming(folder, 10)
    stray = storage.path_of(folder, incoming.store("txt"))
    assert services.purge_files(OPERATOR) == PurgeCounts()
    for path in on_disk(folder):
        os.utime(path, (time.time() - 90_000,) * 2)
    assert services.purge_files(OPERATOR) == PurgeCounts(orphaned=1)
    assert not stray.exists()
    assert queries.load_file(OPERATOR, stored.id)


def test_downloads_are_counted(people):
    stored = store(people[0], "a.txt", b"x")
    services.count_download(stored.id)
    services.count_download(stored.id)
    assert queries.load_file(OPERATOR, stored.id).downloads == 2
