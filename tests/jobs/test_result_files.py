"""Files that jobs make: stored once, in the Files of their person, for a week."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app import disk
from app.auth.models import Person
from app.current import settings
from app.database.engine import db
from app.database.service import unrecorded
from app.files.folders import services as folders
from app.files.folders.models import Folder
from app.files.folders.selection import Selection
from app.files.models import File
from app.files.storage import deletion, purging
from app.files.storage.results import store_result
from app.jobs import services
from app.jobs.models import RESULT_DAYS
from app.jobs.run import Cancelled
from app.text import load_messages
from app.times import now
from tests.factories import OPERATOR, actor_of, add_person, entries
from tests.files.helpers import on_disk
from tests.files.helpers import store as upload
from tests.jobs.conftest import other, read, work, write


@pytest.fixture
def viewer(any_app):
    return actor_of(add_person("viewer", "viewer"))


@pytest.fixture
def write_file(kind):
    """A kind that writes these blocks to a file: write_file(b"a", b"b")."""

    def add(*blocks, name="cities.csv"):
        return kind(lambda run: store_result(run, name, iter(blocks)), role="viewer")

    return add


def start(actor, kind):
    return services.start_job(actor, kind.name, {})


def files():
    """All versions, by id."""
    db.session.rollback()
    return list(db.session.scalars(select(File).order_by(File.id)))


def content():
    """What is in the storage folder."""
    return [path.read_bytes() for path in on_disk(settings().files_dir)]


@unrecorded
def expire(file_id):
    values = {"expires_at": now() - timedelta(seconds=1)}
    db.session.execute(update(File).where(File.id == file_id).values(values))


def test_the_file_is_that_of_the_person_for_a_week(write_file, beats, viewer):
    job = work(beats, start(viewer, write_file(b"one,", b"two")))
    [file] = files()
    assert (job.state, job.file_id, job.result) == ("done", file.id, None)
    assert (file.owner_id, file.path, file.size) == (viewer.id, "Results/cities.csv", 7)
    assert (file.content_type, file.version) == ("text/csv; charset=utf-8", 1)
    assert content() == [b"one,two"]
    left = file.expires_at - now()
    assert timedelta(days=RESULT_DAYS, minutes=-5) < left <= timedelta(days=RESULT_DAYS)
    assert db.session.scalar(select(Folder.created_by)) == viewer.id
    [entry] = entries("file")
    assert (entry.action, entry.actor_id, entry.via) == ("file.result", viewer.id, "job")


def test_a_job_that_is_begun_again_after_that_stores_nothing(kind, beats, viewer):
    read_blocks = []

    def blocks():
        read_blocks.append(1)
        yield b"x"

    added = kind(lambda run: store_result(run, "a.csv", blocks()), role="viewer")
    job_id = start(viewer, added)
    first = work(beats, job_id).file_id
    write(job_id, state="queued", ended_at=None)
    job = work(beats, job_id)
    assert (job.state, job.attempt, job.file_id) == ("done", 2, first)
    assert len(files()) == len(read_blocks) == 1


def test_each_job_has_a_file_of_its_own(write_file, beats, viewer):
    added = write_file(b"x")
    for _ in range(3):
        work(beats, start(viewer, added))
    names = ["cities.csv", "cities (2).csv", "cities (3).csv"]
    assert [(file.name, file.version, file.replaced_at) for file in files()] == [
        (name, 1, None) for name in names
    ]


def test_a_file_of_the_same_name_gets_no_version(write_file, beats, any_app):
    editor = actor_of(add_person("editor", "editor"))
    upload(editor.id, "Results/cities.csv", b"mine", with_folder=True)
    work(beats, start(editor, write_file(b"x")))
    upload(editor.id, "Results/cities (2).csv", b"mine", with_folder=True)
    assert [(file.name, file.version) for file in files()] == [
        ("cities.csv", 1),
        ("cities (2).csv", 1),
        ("cities (2) (2).csv", 1),
    ]


def test_the_folder_has_its_name_in_the_language_of_the_person(write_file, beats, viewer):
    db.session.execute(update(Person).values(language="zh"))
    db.session.commit()
    work(beats, start(viewer, write_file(b"x")))
    assert files()[0].folder == "结果"


def test_the_operator_s_are_those_of_the_first_administrator(write_file, beats, any_app):
    added = write_file(b"x")
    job = work(beats, start(OPERATOR, added))
    assert job.state == "failed"
    assert "no administrator" in load_messages(job.message)
    first = add_person("admin", "admin")
    add_person("other", "admin")
    assert work(beats, start(OPERATOR, added)).state == "done"
    assert files()[0].owner_id == first


def test_a_job_that_ends_early_leaves_nothing(kind, beats, viewer):
    def blocks():
        yield b"x"
        raise Cancelled

    added = kind(lambda run: store_result(run, "a.csv", blocks()), role="viewer")
    assert work(beats, start(viewer, added)).state == "cancelled"
    assert files() == content() == []


def test_a_job_that_another_process_does_now_leaves_nothing(kind, beats, viewer):
    def blocks():
        yield b"x"
        write(job_id, attempt=5, claimed_by=other(beats, "other").name)

    job_id = start(viewer, kind(lambda run: store_result(run, "a.csv", blocks()), role="viewer"))
    job = work(beats, job_id)
    assert (job.state, job.file_id) == ("running", None)
    assert files() == content() == entries("file") == []


def test_a_taken_path_is_found_before_anything_is_written(kind, beats, viewer, any_app):
    upload(add_person("editor", "editor"), "Results", b"mine")

    def blocks():
        yield b"x"
        raise AssertionError("it was read")

    added = kind(lambda run: store_result(run, "a.csv", blocks()), role="viewer")
    job = work(beats, start(viewer, added))
    assert job.state == "failed"
    assert load_messages(job.message) == "There is already a file Results in Files."


def test_a_full_disk_is_said(write_file, beats, viewer, monkeypatch):
    monkeypatch.setattr(disk, "FREE_BYTES", 10**18)
    job = work(beats, start(viewer, write_file(b"x")))
    assert job.state == "failed"
    assert load_messages(job.message).startswith("Nothing was saved.")
    assert files() == content() == []


def test_after_its_time_the_file_is_deleted(write_file, beats, viewer):
    added = write_file(b"x")
    old, young = (work(beats, start(viewer, added)).file_id for _ in range(2))
    assert purging.purge_results() == 0
    expire(old)
    with deletion.prevented(settings().files_dir):
        assert purging.purge_results() == 0
    assert purging.purge_results() == 1
    assert [file.id for file in files()] == [young]
    assert len(content()) == 1


def test_a_file_that_was_moved_stays(write_file, beats, viewer):
    file_id = work(beats, start(viewer, write_file(b"x"))).file_id
    expire(file_id)
    folders.move_selected(viewer, Selection((file_id,), ()), "")
    assert read_file(file_id).expires_at is None
    assert purging.purge_results() == 0


def test_a_file_that_has_other_versions_by_now_stays(write_file, beats, any_app):
    editor = actor_of(add_person("editor", "editor"))
    file_id = work(beats, start(editor, write_file(b"x"))).file_id
    folder = db.session.scalars(select(Folder)).one()
    folders.move_selected(editor, Selection((), (folder.id,)), "", "Old")
    upload(editor.id, "Old/cities.csv", b"mine", with_folder=True)
    expire(file_id)
    assert purging.purge_results() == 0
    assert [(file.path, file.version) for file in files()] == [
        ("Old/cities.csv", 1),
        ("Old/cities.csv", 2),
    ]


def read_file(file_id):
    db.session.rollback()
    return db.session.get(File, file_id)


def test_a_result_is_not_lost_with_the_row_of_its_job(write_file, beats, viewer):
    job_id = start(viewer, write_file(b"x"))
    job = work(beats, job_id)
    expire(job.file_id)
    purging.purge_results()
    assert read(job_id).file_id is not None
