"""Retries of a transaction when the database is busy or reports a deadlock."""

import threading
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.actor import Role
from app.database import service as transactions
from app.database.engine import db
from app.database.failures import Kind, classify
from app.database.service import ATTEMPTS, after_commit, service, unrecorded, write_lock
from tests.cities.conftest import add_as_original
from tests.database.test_transactions import give_role, role_of
from tests.factories import HTML, OPERATOR, add_person, at_once
from tests.html import Page


@contextmanager
def busy_sqlite(seconds=None):
    """Another process writes, for a time or for ever."""
    other = db.engine.raw_connection()
    other.execute("BEGIN IMMEDIATE")
    if seconds:
        threading.Timer(seconds, other.rollback).start()
    yield
    other.rollback()
    other.close()


def test_busy_sqlite_is_waited_for(make_app):
    with make_app().app_context():
        person, attempts = add_person("viewer"), []

        @service(Role.ADMIN)
        def work(actor):
            attempts.append("attempt")
            give_role(person, "editor")

        with busy_sqlite(0.3):
            work(OPERATOR)
        assert role_of(person) == "editor"
        # The first attempts failed at BEGIN IMMEDIATE, before the service ran.
        assert attempts == ["attempt"]


def test_sqlite_that_stays_busy_is_not_called_absent(make_app):
    app = make_app(own=True)

    @app.get("/busy")
    def busy():
        with busy_sqlite():
            transactions.run_transaction(lambda: None, wait=0)

    for language, sentence in (
        ("en", "Others are saving at the moment. Try again in a moment."),
        ("zh", "其他人正在保存，请稍后再试。"),
    ):
        sent = {"Accept-Language": language}
        page = app.test_client().get("/busy", headers={**HTML, **sent})
        script = app.test_client().get("/busy", headers={"Accept": "application/json", **sent})
        assert sentence in Page(page).texts(".error-page p")
        assert script.json == {"error": sentence, "status": 503}
        for answer in (page, script):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


def test_sqlite_that_stays_busy_raises(make_app):
    with make_app().app_context():
        person = add_person("viewer")
        work = unrecorded(partial(give_role, person, "editor"))
        with busy_sqlite(), pytest.raises(OperationalError) as error:
            work()
        assert classify(error.value) is Kind.BUSY
        assert role_of(person) == "viewer"
        work()
        assert role_of(person) == "editor"


@pytest.fixture
def impatient(monkeypatch):
    """Transactions wait a tenth of their time for others that write."""
    turn = transactions.turn_to_write
    monkeypatch.setattr(
        transactions, "turn_to_write", lambda session, wait: turn(session, wait / 10)
    )


def test_search_works_while_another_process_writes(make_app, impatient):
    app = make_app(PUBLIC_READ="1")
    with app.app_context():
        add_as_original(("广东", "深圳市", 5))
        db.session.remove()
        with busy_sqlite():
            assert app.test_client().get("/cities?q=x", headers=HTML).status_code == 200


def test_queue_of_writers_ends_with_the_first_that_gives_up(make_app, impatient):
    app = make_app()
    with app.app_context():
        person = add_person("viewer")
        work = unrecorded(partial(give_role, person, "editor"))
        with busy_sqlite():
            results = at_once(app, *[work] * 4)
        assert {classify(error) for error in results} == {Kind.BUSY}
        assert not write_lock.locked()


def test_writer_begins_immediately_on_sqlite(make_app):
    with make_app().app_context():
        add_person("viewer")

        @unrecorded
        def work():
            other = db.engine.raw_connection()
            try:
                with pytest.raises(Exception, match="database is locked"):
                    other.execute("BEGIN IMMEDIATE")
            finally:
                other.close()

        work()


def test_deadlock_victim_is_retried_from_the_start(mariadb):
    one, two = add_person("one"), add_person("two")
    both_hold = threading.Barrier(2)
    attempts, followed = [], []

    def lock_both(name, first, second):
        @unrecorded
        def work():
            attempts.append(name)
            give_role(first, "editor" if name == "a" else "admin")
            after_commit(lambda: followed.append(name))
            if attempts.count(name) == 1:
                both_hold.wait(60)
            give_role(second, "editor" if name == "a" else "admin")

        return work

    results = at_once(mariadb, lock_both("a", one, two), lock_both("b", two, one))
    assert results == [None, None]
    assert sorted(attempts) in (["a", "a", "b"], ["a", "b", "b"])
    assert sorted(followed) == ["a", "b"]
    assert role_of(one) == role_of(two)


def test_row_changed_since_it_was_read_is_retried(mariadb):
    person, attempts = add_person("viewer"), []

    @unrecorded
    def work():
        attempts.append("attempt")
        db.session.execute(text("SET innodb_snapshot_isolation = ON"))
        db.session.execute(text("SELECT role FROM person"))
        if len(attempts) == 1:
            with mariadb.app_context(), db.engine.begin() as other:
                other.execute(text("UPDATE person SET role = 'admin'"))
        give_role(person, "editor")

    work()
    assert len(attempts) == 2
    assert role_of(person) == "editor"


def test_other_errors_are_not_retried(any_app):
    attempts = []

    @unrecorded
    def work():
        attempts.append("attempt")
        db.session.execute(text("SELECT * FROM nothing_here"))

    with pytest.raises(Exception, match="nothing_here"):
        work()
    assert attempts == ["attempt"]


def test_retries_are_limited(mariadb):
    attempts = []

    @unrecorded
    def work():
        attempts.append("attempt")
        signal = "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock found'"
        db.session.execute(text(signal))

    with pytest.raises(OperationalError):
        work()
    assert len(attempts) == ATTEMPTS
