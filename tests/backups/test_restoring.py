"""Restoring backups, on both databases: all of it or nothing, and nobody stays signed in."""

import json
import os
import shutil
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.actor import Actor, Role
from app.auth.sessions import installation
from app.backups import maintenance, restoring, services
from app.backups.archive.manifest import BadBackup
from app.backups.archive.reading import read_archive
from app.backups.databases import targets
from app.cities import services as cities
from app.current import settings
from app.database.dialects import DatabaseTime, database_time
from app.database.engine import db
from app.database.service import unrecorded
from app.errors import Conflict, Forbidden, NoSpace, Refused
from app.jobs.deliveries.models import Delivery, DeliveryState
from app.jobs.models import JobState
from app.jobs.services import start_job
from app.schedules.running import due
from app.text import load_messages
from app.times import now
from tests.backups.contents import everything, stored_files
from tests.backups.test_creating import Busy, ignore
from tests.backups.test_reading import members, with_manifest
from tests.cities.conftest import given
from tests.factories import OPERATOR, Browser, add_person
from tests.files.helpers import store
from tests.jobs.conftest import read, write
from tests.schedules.conftest import create, make_due, runs
from tests.schedules.conftest import read as read_schedule

EDITOR = Actor(1, "Ada", Role.EDITOR)


def destroy():
    """Lose all rows and all files."""
    db.session.remove()
    with db.engine.begin() as connection:
        is_mariadb = db.engine.dialect.name == "mysql"
        off, on = (
            ("SET FOREIGN_KEY_CHECKS=0", "SET FOREIGN_KEY_CHECKS=1")
            if is_mariadb
            else ("PRAGMA defer_foreign_keys=ON", "SELECT 1")
        )
        connection.execute(text(off))
        for name in db.metadata.tables:
            if name != "installation":
                connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608
        connection.execute(text(on))
    shutil.rmtree(settings().files_dir)


def scratch_names():
    """What a restore may leave beside the database."""
    if db.engine.dialect.name == "mysql":
        with db.engine.connect() as connection:
            return set(connection.scalars(text("SHOW DATABASES LIKE 'gazetteer\\_%'")))
    database = settings().instance.parent / "test.sqlite"
    return {path.name for path in database.parent.glob("test.sqlite.*")}


def test_back_up_while_people_write_destroy_restore_and_compare(filled):
    before = everything()
    person = Busy(filled)
    made = services.create_backup(OPERATOR, person.work)
    assert person.steps
    destroy()
    done = restoring.restore_backup(OPERATOR, made.name)
    assert done.former is None
    rows, files = everything()
    manifest = made.manifest
    assert {name: len(found) for name, found in rows.items()} == {
        name: count
        for name, count in manifest.database.tables.items()
        if name not in ("installation", "lease")
    }
    assert set(rows["person"]) == set(before[0]["person"])
    assert set(before[0]["city"]) <= set(rows["city"])
    assert len(files) == manifest.files.count
    assert before[1].items() <= files.items()
    assert scratch_names() == set()
    again = services.create_backup(OPERATOR)
    assert again.manifest.files == manifest.files


def test_everything_is_as_it_was(filled):
    before = everything()
    made = services.create_backup(OPERATOR)
    destroy()
    assert everything() != before
    restoring.restore_backup(OPERATOR)
    assert everything() == before
    cities.create_city(EDITOR, given(city="new"))  # ids go on, keys are enforced
    store(1, "new.txt", b"new")
    assert services.verify_backup(OPERATOR, made.name)


def test_what_is_there_is_only_replaced_when_asked_and_is_backed_up_before(filled):
    made = services.create_backup(OPERATOR)
    before = everything()
    cities.create_city(EDITOR, given(city="later"))
    store(1, "later.txt", b"later")
    later = everything()
    with pytest.raises(Conflict, match="--replace"):
        restoring.restore_backup(OPERATOR, made.name)
    assert everything() == later
    done = restoring.restore_backup(OPERATOR, made.name, replace=True)
    assert everything()[0] == before[0]
    assert before[1].items() <= everything()[1].items()
    restoring.restore_backup(OPERATOR, done.former.name, replace=True)
    assert everything() == later


def sessions_of(app):
    with app.app_context():
        add_person("Boss", "admin")
    browser = Browser(app)
    browser.begin_session("Boss")
    assert browser.get("/people").status_code == 200
    return browser


def test_all_sessions_end_also_of_who_was_added_later(filled, events):
    kept = sessions_of(filled)
    installation.compare()
    made = services.create_backup(OPERATOR)
    with filled.app_context():
        add_person("Ghost", "admin")
    ghost = Browser(filled)
    ghost.begin_session("Ghost")
    assert ghost.get("/people").status_code == 200
    done = restoring.restore_backup(OPERATOR, made.name, replace=True)
    assert done.sessions_ended
    for browser in (kept, ghost):
        assert browser.get("/people").status_code in (302, 303)
    assert {"backup-restored", "sessions-ended"} <= {each["event"] for each in events()}


def test_jobs_that_had_not_ended_are_not_begun_again(filled):
    admin = Actor(add_person("Root", "admin"), "Root", Role.ADMIN)
    waiting, running, done = (start_job(admin, "backup.rehearse", {}) for _ in range(3))
    write(running, state=JobState.RUNNING, running_key="backup", claimed_by="somebody")
    write(done, state=JobState.DONE, ended_at=DatabaseTime())
    add_delivery(done)
    made = services.create_backup(OPERATOR)
    restoring.restore_backup(OPERATOR, made.name, replace=True)
    for job in map(read, (waiting, running)):
        assert (job.state, job.running_key, job.claimed_by) == (JobState.LOST, None, None)
        assert "had not ended" in load_messages(job.message)
        assert abs(job.ended_at - now()) < timedelta(hours=1)
    assert read(done).state == JobState.DONE
    delivery = db.session.scalars(select(Delivery)).one()
    assert (delivery.state, delivery.next_at) == (DeliveryState.GIVEN_UP, None)
    assert "had not ended" in load_messages(delivery.last_error)


@unrecorded
def add_delivery(job_id):
    """The result of a job, which is still to be sent."""
    origin = "https://example.org"
    db.session.add(
        Delivery(
            id=1, job_id=job_id, target=f"{origin}/", origin=origin, state=DeliveryState.WAITING,
            next_at=now(),
        )
    )  # fmt: skip


def test_pages_and_readyz_serve_no_half_state_while_it_is_restored(filled, monkeypatch):
    made = services.create_backup(OPERATOR)
    browser = sessions_of(filled)
    seen = []
    original = targets.Target.check_counts

    def look(self, part):
        """In the middle: everything is loaded, nothing is switched."""

        def ask():
            ready = browser.client.get("/readyz")
            seen.append((ready.status_code, ready.json["checks"]))
            seen.append(browser.get("/cities").status_code)
            seen.append(browser.get("/healthz").status_code)

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        original(self, part)

    monkeypatch.setattr(targets.Target, "check_counts", look)
    restoring.restore_backup(OPERATOR, made.name, replace=True)
    assert seen == [(503, {"backups": "a backup is being restored"}), 503, 200]
    assert not maintenance.is_restoring(settings().files_dir)
    assert browser.get("/login").status_code == 200


def test_the_mark_of_a_killed_restore_stops_nobody(app, browser):
    with app.app_context():
        folder = settings().files_dir
        folder.mkdir(parents=True)
        (folder / maintenance.NAME).touch()
        assert not maintenance.is_restoring(folder)
    assert browser.get("/login").status_code == 200


@pytest.mark.parametrize("step", ["load", "check_counts", "switch"])
def test_a_restore_that_fails_changes_nothing(filled, monkeypatch, step):
    made = services.create_backup(OPERATOR)
    cities.create_city(EDITOR, given(city="later"))
    lost = next(iter(stored_files()))
    (settings().files_dir / lost).unlink()
    before = everything()
    target = targets.MariaDbTarget if db.engine.dialect.name == "mysql" else targets.SqliteTarget
    original = getattr(target, step)

    def fail(self, *args):
        if step != "switch":
            original(self, *args)
        raise BadBackup("stopped")

    with monkeypatch.context() as failing:
        failing.setattr(target, step, fail)
        with pytest.raises(BadBackup, match="stopped"):
            restoring.restore_backup(OPERATOR, made.name, replace=True)
    assert everything() == before
    assert scratch_names() == set()
    assert not list((settings().files_dir / "incoming").glob("*"))
    restoring.restore_backup(OPERATOR, made.name, replace=True)
    assert lost in stored_files()


def test_schedules_go_on_with_what_comes_after_a_restore(filled):
    schedule_id = create(kind="sum", args={"a": "1", "b": "2"}, grace_seconds=86_400)
    make_due(schedule_id, 7200)
    made = services.create_backup(OPERATOR)
    restoring.restore_backup(OPERATOR, made.name, replace=True)
    due.work()
    assert runs(schedule_id) == []
    assert read_schedule(schedule_id).next_at > database_time()


def test_stopping_a_restore_changes_nothing(filled):
    made = services.create_backup(OPERATOR)
    destroy()
    before = everything()

    class Stopped(Exception):
        pass

    def stop(done, total):
        if done > total * 0.6:  # after it was verified
            raise Stopped

    with pytest.raises(Stopped):
        restoring.restore_backup(OPERATOR, made.name, progress=stop)
    assert everything() == before
    assert scratch_names() == set()


def test_an_altered_backup_changes_nothing(filled):
    made = services.create_backup(OPERATOR)
    destroy()
    before = everything()
    with made.path.open("r+b") as file:
        file.seek(-5000, os.SEEK_END)
        file.write(b"x")
    with pytest.raises(BadBackup, match="altered"):
        restoring.restore_backup(OPERATOR, made.name)
    assert everything() == before


def of_manifest(path):
    return json.loads(members(path)[0][1])


def test_a_backup_of_another_kind_or_a_newer_revision_is_refused(app):
    with app.app_context():
        made = services.create_backup(OPERATOR)
        database = of_manifest(made.path)["database"]
        with_manifest(made.path, database={**database, "revision": "9999"})
        with pytest.raises(BadBackup, match="newer release"):
            restoring.restore_backup(OPERATOR, made.name)
        manifest = read_archive(made.path, services.Receiver(), ignore)
        other = {**database, "kind": "mariadb"}
        with_manifest(made.path, database=other)
        with pytest.raises(BadBackup):
            restoring.restore_backup(OPERATOR, made.name)
        assert manifest.database.kind == "sqlite"


def test_counts_that_differ_are_refused(filled):
    made = services.create_backup(OPERATOR)
    database = of_manifest(made.path)["database"]
    tables = {**database["tables"], "city": database["tables"]["city"] + 1}
    with_manifest(made.path, database={**database, "tables": tables})
    destroy()
    with pytest.raises(BadBackup, match="table city"):
        restoring.restore_backup(OPERATOR, made.name)


def test_without_space_nothing_is_restored(app, monkeypatch):
    with app.app_context():
        made = services.create_backup(OPERATOR)
        monkeypatch.setattr(restoring, "has_space", lambda *_: False)
        with pytest.raises(NoSpace, match="no space to restore"):
            restoring.restore_backup(OPERATOR, made.name)


def test_a_database_of_others_is_not_deleted(mariadb):
    with mariadb.app_context(), db.engine.connect() as connection:
        connection.execute(text("CREATE DATABASE gazetteer_restored"))
        connection.execute(text("CREATE TABLE gazetteer_restored.theirs (id INT)"))
        try:
            with pytest.raises(Refused, match="gazetteer_restored is needed"):
                targets.MariaDbTarget(db.engine)
        finally:
            connection.execute(text("DROP DATABASE gazetteer_restored"))


def test_only_one_restores_a_database_at_once(mariadb):
    first = targets.MariaDbTarget(db.engine)
    with pytest.raises(Conflict, match="made or restored"):
        targets.MariaDbTarget(db.engine)
    first.discard()
    targets.MariaDbTarget(db.engine).discard()


def test_a_missing_right_is_named(mariadb, make_app, mariadb_url):
    with db.engine.connect() as connection:
        for statement in (
            "CREATE OR REPLACE USER limited@'127.0.0.1' IDENTIFIED BY 'x'",
            "GRANT ALL ON gazetteer.* TO limited@'127.0.0.1'",
        ):
            connection.execute(text(statement))
    url = mariadb_url.replace("root@", "limited:x@")
    limited = make_app(DATABASE_URL=f"{url}/gazetteer")
    with limited.app_context(), pytest.raises(Refused, match=r"gazetteer_\.\.\."):
        targets.MariaDbTarget(db.engine)


def test_only_administrators_restore(app):
    with app.app_context(), pytest.raises(Forbidden):
        restoring.restore_backup(EDITOR)


def test_the_command_says_what_it_did(app, flask):
    with app.app_context():
        add_person("Ada", "editor")
        made = services.create_backup(OPERATOR)
    done = flask("backup", "restore")
    assert (done.exit_code, "--replace replaces them" in done.output) == (1, True)
    done = flask("backup", "restore", made.name, "--replace")
    assert done.exit_code == 0, done.output
    assert f"Restored {made.name}: " in done.output
    assert "What was here before is in" in done.output
