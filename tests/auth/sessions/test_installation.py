"""After a backup of the database was restored, no session of before lets anybody in."""

import shutil
import sqlite3
import time
from contextlib import closing

import pytest

from app.auth import queries
from app.auth import services as auth
from app.auth.sessions import installation
from app.auth.sessions.epochs import person_key
from app.auth.sessions.models import Installation
from app.database.engine import db
from app.database.service import unrecorded
from tests.auth.sessions.test_sessions import is_signed_in
from tests.factories import OPERATOR, Browser, add_person, note_calls


@pytest.fixture
def backup(app, applications, tmp_path):
    """Copies of the database file: called without a name it makes one, with one it restores it."""
    file = applications.folder / "test.sqlite"

    def copy(name=None):
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        if name is None:
            name = tmp_path / "backup.sqlite"
            with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(name)) as target:
                source.backup(target)
        else:
            for rest in ("-wal", "-shm"):
                file.with_name(file.name + rest).unlink(missing_ok=True)
            shutil.copyfile(name, file)
        return name

    return copy


def started_again(app):
    """As after a restart of the web processes."""
    app.extensions.pop(installation.COMPARED, None)


def compare(app):
    """As the clock and `flask prepare` do."""
    with app.app_context():
        return installation.compare()


def is_admin(browser):
    return browser.get("/people").status_code == 200


def test_an_administrator_made_after_the_backup_is_out(app, as_role, backup):
    """The steps of an operator, with a restart of the web processes."""
    old = as_role("admin")
    saved = backup()
    with app.app_context():
        add_person("ghost", "admin")
    ghost = Browser(app)
    ghost.sign_in("ghost")
    assert is_admin(ghost)
    backup(saved)
    started_again(app)
    assert not is_admin(ghost)
    assert not is_signed_in(old)
    again = Browser(app)
    again.sign_in("admin")
    assert is_admin(again)
    started_again(app)
    assert is_admin(again)
    assert not is_admin(ghost)


def test_a_restore_under_running_processes(app, as_role, backup):
    """Without a restart and without `flask prepare`: the clock notices it."""
    old = as_role("admin")
    saved = backup()
    with app.app_context():
        auth.set_role(OPERATOR, add_person("ghost"), "admin")
    ghost = Browser(app)
    ghost.sign_in("ghost")
    assert is_admin(ghost)
    backup(saved)
    assert compare(app) is True
    assert not is_admin(ghost)
    assert not is_signed_in(old)
    assert compare(app) is False
    Browser(app).sign_in("admin")


def test_an_id_that_is_used_again_is_another_person(app, as_role, backup):
    """Even before anything has noticed the restore."""
    as_role("admin")
    saved = backup()
    with app.app_context():
        ghost_id = add_person("ghost", "admin")
    ghost = Browser(app)
    ghost.sign_in("ghost")
    assert is_admin(ghost)
    backup(saved)
    with app.app_context():
        time.sleep(1.1)  # the epoch is a time in seconds
        assert add_person("newcomer", "viewer") == ghost_id
        app.extensions["redis"].delete(person_key(ghost_id), f"gz:epoch:{ghost_id}")
    assert not is_signed_in(ghost)


def test_as_many_changes_after_the_restore_as_before(app, as_role, backup):
    """The number is the same again, and the change is another one."""
    old = as_role("admin")
    saved = backup()
    with app.app_context():
        add_person("ghost", "admin")
    backup(saved)
    with app.app_context():
        add_person("newcomer")
    assert compare(app) is True
    assert not is_signed_in(old)


@pytest.mark.parametrize("changes", [1, 2, 3, 5])
def test_changes_after_the_restore_do_not_hide_it(app, as_role, backup, changes):
    """As `flask create-user` and `flask set-password` make them before anything has compared."""
    old = as_role("admin")
    saved = backup()
    with app.app_context():
        add_person("ghost", "admin")
        add_person("other")
    ghost = Browser(app)
    ghost.sign_in("ghost")
    assert is_admin(ghost)
    backup(saved)
    with app.app_context():
        add_person("ghost", "admin")
        for number in range(changes - 1):
            add_person(f"newcomer {number}")
    assert compare(app) is True
    assert not is_admin(ghost)
    assert not is_signed_in(old)
    assert compare(app) is False


def test_more_missed_changes_than_are_stored_count_as_a_restore(app, as_role, monkeypatch):
    browser, redis = as_role("admin"), app.extensions["redis"]
    monkeypatch.setattr(installation, "EARLIER", 2)
    for missed, restored in ((2, False), (3, True)):
        known = redis.hgetall(installation.KNOWN_KEY)
        with app.app_context():
            for number in range(missed):
                add_person(f"person {missed} {number}")
        redis.hset(installation.KNOWN_KEY, mapping=known)
        assert compare(app) is restored
    assert not is_signed_in(browser)


def test_a_missed_change_is_caught_up_with_by_the_next(app, as_role):
    browser, redis = as_role("admin"), app.extensions["redis"]
    known = redis.hgetall(installation.KNOWN_KEY)
    with app.app_context():
        add_person("missed")
        redis.hset(installation.KNOWN_KEY, mapping=known)
        add_person("next")
    latest = redis.hgetall(installation.KNOWN_KEY)
    assert int(latest["people_no"]) == int(known["people_no"]) + 2
    assert compare(app) is False
    assert is_signed_in(browser)


def test_of_two_changes_the_later_counts_in_either_order(app, monkeypatch):
    redis = app.extensions["redis"]
    with app.app_context():
        add_person("first")
        known = redis.hgetall(installation.KNOWN_KEY)
        published = note_calls(monkeypatch, installation, "publish")
        add_person("second")
        add_person("third")
        redis.hset(installation.KNOWN_KEY, mapping=known)
        for change in published[::-1]:
            installation.publish(*change)
        assert installation.compare() is False
    assert redis.hget(installation.KNOWN_KEY, "people_token") == published[1][2]


def test_a_backup_from_before_this_was_counted(app, as_role):
    """`flask prepare` gives the restored database a token of its own."""
    old = as_role("admin")

    @unrecorded
    def replace():
        db.session.get(Installation, 1).token = "f" * 32

    with app.app_context():
        replace()
    assert compare(app) is True
    assert not is_signed_in(old)


def test_nobody_is_signed_out_without_a_restore(app, as_role):
    """Neither by changes that Redis missed, nor by a Redis that knows nothing yet."""
    browser, redis = as_role("admin"), app.extensions["redis"]
    known = redis.hgetall(installation.KNOWN_KEY)
    with app.app_context():
        auth.set_role(OPERATOR, add_person("other"), "editor")
        latest = redis.hgetall(installation.KNOWN_KEY)
        redis.hset(installation.KNOWN_KEY, mapping=known)
    assert int(latest["people_no"]) == int(known["people_no"]) + 2
    assert compare(app) is False
    assert redis.hgetall(installation.KNOWN_KEY) == latest
    redis.delete(installation.KNOWN_KEY)
    assert compare(app) is False
    assert redis.hgetall(installation.KNOWN_KEY) == latest
    assert is_signed_in(browser)


def test_a_change_between_the_two_reads_is_no_restore(app, as_role, monkeypatch):
    browser = as_role("admin")
    read, people = installation.read, iter(["one", "two"])

    def read_slowly():
        found = read()
        if (name := next(people, None)) is not None:
            add_person(name)
        return found

    monkeypatch.setattr(installation, "read", read_slowly)
    with app.app_context():
        assert installation.compare() is False
    monkeypatch.undo()
    assert is_signed_in(browser)
    assert compare(app) is False


def test_changes_of_people_are_numbered_on_both_databases(any_app):
    def number():
        found = db.session.get(Installation, 1, populate_existing=True).people_no
        db.session.rollback()
        return found

    before = number()
    other = add_person("other")
    auth.set_role(OPERATOR, other, "editor")
    auth.set_role(OPERATOR, other, "editor")
    assert number() == before + 2
    redis = any_app.extensions["redis"]
    assert redis.hget(installation.KNOWN_KEY, "people_no") == str(before + 2)
    assert queries.load_person(other).session_epoch > time.time() - 600
