"""Backups that are made while people work, on both databases."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from io import BytesIO

import pytest

from app.actor import Actor, Role
from app.backups import creating, folder, services
from app.backups.archive.reading import read_archive, read_manifest
from app.backups.databases import sqlite
from app.backups.databases.mariadb import last_line, option_file
from app.cities import services as cities
from app.current import settings
from app.errors import Conflict, Forbidden, NoSpace, Refused
from app.files import services as files
from app.files.storage import deletion, purging
from tests.backups.contents import Collected, everything, fill, stored_files
from tests.cities.conftest import given
from tests.conftest import need
from tests.factories import OPERATOR
from tests.files.helpers import age, store


def ignore(_size):
    pass


def test_a_backup_has_every_row_and_file_and_is_private(filled):
    rows, _files = everything()
    made = services.create_backup(OPERATOR)
    assert made.path.parent == settings().backup_dir
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.path.parent.stat().st_mode & 0o777 == 0o700
    counts = {name: len(found) for name, found in rows.items()}
    assert {**made.manifest.database.tables, **counts} == made.manifest.database.tables
    found = Collected()
    assert read_archive(made.path, found, ignore) == made.manifest
    assert found.files == stored_files()
    assert made.manifest.files.count == 4
    assert made.manifest.database.revision
    assert [path.name for path in folder.find_all(made.path.parent)] == [made.name]
    assert {path.name for path in made.path.parent.iterdir()} == {made.name, "lock"}


def test_other_programs_can_read_a_backup(filled, tmp_path):
    made = services.create_backup(OPERATOR)
    with tarfile.open(made.path) as archive:
        archive.extractall(tmp_path, filter="data")
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "files.sha256"],
        cwd=tmp_path, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads((tmp_path / "manifest.json").read_text())["files"]["count"] == 4


def test_people_go_on_writing_and_every_row_of_the_dump_finds_its_file(filled, monkeypatch):
    """Another process of the site adds cities and files at each step of the dump."""
    monkeypatch.setattr(sqlite, "PAGES", 5)
    person = Busy(filled)
    made = services.create_backup(OPERATOR, person.work)
    assert person.steps > 5
    found = Collected()
    manifest = read_archive(made.path, found, ignore)
    assert manifest.files.missing == 0
    assert manifest.database.tables["file"] == manifest.files.count == len(found.files)
    assert {name: stored_files()[name] for name in found.files} == found.files
    assert manifest.database.tables["city"] < len(everything()[0]["city"])


class Busy:
    """Somebody who adds a city and a file at each step of a backup, in a thread as another process
    would."""

    def __init__(self, app):
        self.app, self.steps = app, 0

    def work(self, _done, _total):
        if self.steps > 15:
            return
        self.steps += 1
        problems = []
        thread = threading.Thread(target=self.write, args=(problems,))
        thread.start()
        thread.join()
        assert not problems

    def write(self, problems):
        try:
            with self.app.app_context():
                actor = Actor(1, "Ada", Role.EDITOR)
                cities.create_city(actor, given(city=f"新{self.steps}"))
                store(1, f"new-{self.steps}.txt", b"new")
        except Exception as error:  # reported by the thread that waits
            problems.append(error)


def test_a_file_is_not_deleted_permanently_while_a_backup_is_made(filled):
    stored = store(1, "old.txt", b"old")
    files.remove_file(Actor(1, "Ada", Role.EDITOR), stored.id)
    age(stored.id, 400)
    purged = []

    def purge(_done, _total):
        purged.append(purging.purge_removed())
        with pytest.raises(Conflict, match="backup is being made"):
            files.purge_files(OPERATOR)

    made = services.create_backup(OPERATOR, purge)
    assert purged
    assert set(purged) == {0}
    assert made.manifest.files.missing == 0
    assert made.manifest.files.count == 5
    assert purging.purge_removed() == 1


def test_a_backup_waits_for_a_deletion_that_has_begun(filled):
    made = []

    def back_up():
        with filled.app_context():
            made.append(services.create_backup(OPERATOR))

    thread = threading.Thread(target=back_up)
    with deletion.allowed(settings().files_dir) as may_delete:
        assert may_delete
        thread.start()
        thread.join(0.3)
        assert not made
    thread.join()
    assert made


def test_what_was_missing_or_altered_before_is_reported_by_name(filled):
    paths = sorted(settings().files_dir.glob("[0-9a-f][0-9a-f]/*"))
    paths[0].unlink()
    paths[1].write_bytes(b"something else")
    made = services.create_backup(OPERATOR)
    files = made.manifest.files
    assert (files.count, files.missing, files.altered) == (3, 1, 1)
    assert set(files.named) == {paths[0].name, paths[1].name}
    services.verify_backup(OPERATOR)


def test_stopping_leaves_nothing(filled):
    class Stopped(Exception):
        pass

    def stop(_done, _total):
        raise Stopped

    with pytest.raises(Stopped):
        services.create_backup(OPERATOR, stop)
    assert [path.name for path in settings().backup_dir.iterdir()] == ["lock"]
    assert services.create_backup(OPERATOR).manifest


def test_only_one_backup_is_made_at_once(app):
    with (
        app.app_context(),
        folder.locked(settings().backup_dir),
        pytest.raises(Conflict, match="backup is being made"),
    ):
        services.create_backup(OPERATOR)


def test_what_a_killed_process_left_is_deleted(app):
    with app.app_context():
        place = settings().backup_dir
        place.mkdir(parents=True)
        (place / "gazetteer-20260101-000000.tar.part").write_text("half")
        made = services.create_backup(OPERATOR)
        assert {path.name for path in place.iterdir()} == {made.name, "lock"}


def test_a_full_disk_refuses_a_backup_before_and_while_it_is_written(app, monkeypatch):
    with app.app_context():
        fill()
        with monkeypatch.context() as full:
            full.setattr(services, "has_space", lambda *_: False)
            with pytest.raises(NoSpace, match="There is no space"):
                services.create_backup(OPERATOR)

        def write_nothing(*_):
            raise OSError(28, os.strerror(28))

        with monkeypatch.context() as full:
            full.setattr(creating.ArchiveWriter, "write_at", write_nothing)
            with pytest.raises(NoSpace, match="There is no space"):
                services.create_backup(OPERATOR)
        assert [path.name for path in settings().backup_dir.iterdir()] == ["lock"]


def test_old_backups_are_deleted_and_foreign_files_are_not(make_app):
    app = make_app(BACKUPS_RETAINED="2")
    with app.app_context():
        made = [services.create_backup(OPERATOR).name for _ in range(3)]
        place = settings().backup_dir
        (place / "notes.tar").write_text("mine")
        made.append(services.create_backup(OPERATOR).name)
        assert [each.name for each in services.list_backups(OPERATOR)] == made[:1:-1]
        assert (place / "notes.tar").exists()
        assert folder.delete_old(place, 1, spared={made[2]}) == []


def test_only_administrators_make_and_see_backups(app):
    editor = Actor(1, "Ada", Role.EDITOR)
    with app.app_context():
        for service in (services.create_backup, services.list_backups, services.verify_backup):
            with pytest.raises(Forbidden):
                service(editor)


def test_a_missing_program_is_named(mariadb, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(Refused, match="Install the package mariadb-client"):
        services.create_backup(OPERATOR)
    assert [path.name for path in settings().backup_dir.iterdir()] == ["lock"]


def test_what_the_program_reports_is_passed_on(mariadb, monkeypatch, tmp_path):
    program = tmp_path / "mariadb-dump"
    program.write_text("#!/bin/sh\necho 'mariadb-dump: Got error: 1045: Access denied' >&2\nexit 2")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(Refused, match="Got error: 1045: Access denied"):
        services.create_backup(OPERATOR)


PASSWORD = "a#b;c\"d'e\\f @x/%s"
SHOW = """\
import sys
option = sys.argv[1].removeprefix("--defaults-file=")
print(" ".join(sys.argv))
print(open(option).read())
"""


def test_the_password_is_in_no_list_of_processes():
    options = {"user": "ada", "password": PASSWORD, "ssl": None}
    with option_file(options) as file:
        shown = subprocess.run(
            [sys.executable, "-c", SHOW, f"--defaults-file=/dev/fd/{file}"],
            pass_fds=[file], check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        assert os.fstat(file).st_mode & 0o077 == 0
    command, _, options_text = shown.partition("\n")
    assert "password" not in command
    assert options_text.split("\n")[0] == "[client]"
    assert "ssl" in options_text.split("\n")


def test_a_password_with_special_characters_is_understood():
    """By the program that reads option files as mariadb-dump does."""
    program = shutil.which("my_print_defaults")
    need(program, "my_print_defaults")
    with option_file({"password": PASSWORD}) as file:
        shown = subprocess.run(
            [program, f"--defaults-file=/dev/fd/{file}", "client"],
            pass_fds=[file], check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    assert shown == f"--password={PASSWORD}\n"


def test_the_manifest_alone_is_read_at_once(app):
    with app.app_context():
        fill()
        made = services.create_backup(OPERATOR)
        with made.path.open("r+b") as file:
            file.truncate(100_000)
        assert read_manifest(made.path) == made.manifest


def test_the_reason_of_a_failure_is_the_last_line():
    for text in (b"Got error: 1045\n", b"a warning\n" * 1000 + b"Got error: 1045\n\n"):
        assert last_line(BytesIO(text)) == "Got error: 1045"
    assert last_line(BytesIO()) == "?"
