"""Retries of a transaction when the database is busy or reports a deadlock."""

import threading
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.database import service
from app.database.engine import db
from app.database.failures import Kind, classify
from app.database.service import ATTEMPTS, after_commit, bookkeeping
from tests.database.test_transactions import give_role, role_of
from tests.factories import add_person, at_once


def test_busy_sqlite_is_waited_for(make_app):
    with make_app(commands=False).app_context():
        person, attempts = add_person("viewer"), []

        @bookkeeping
        def work():
            attempts.append("attempt")
            give_role(person, "editor")

        other = db.engine.raw_connection()
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(1.5, other.rollback).start()
        work()
        other.close()
        assert role_of(person) == "editor"
        # The first attempts failed at BEGIN IMMEDIATE, before the service ran.
        assert attempts == ["attempt"]


def test_sqlite_that_stays_busy_raises(make_app, monkeypatch):
    monkeypatch.setattr(service, "SQLITE_WAIT", 0.1)
    with make_app(commands=False).app_context():
        person = add_person("viewer")
        work = bookkeeping(partial(give_role, person, "editor"))
        other = db.engine.raw_connection()
        other.execute("BEGIN IMMEDIATE")
        try:
            with pytest.raises(OperationalError) as error:
                work()
        finally:
            other.rollback()
            other.close()
        assert classify(error.value) is Kind.BUSY
        assert role_of(person) == "viewer"
        work()
        assert role_of(person) == "editor"


def test_writer_begins_immediately_on_sqlite(make_app):
    with make_app(commands=False).app_context():
        add_person("viewer")

        @bookkeeping
        def service():
            other = db.engine.raw_connection()
            try:
                with pytest.raises(Exception, match="database is locked"):
                    other.execute("BEGIN IMMEDIATE")
            finally:
                other.close()

        service()


def test_deadlock_victim_is_retried_from_the_start(mariadb):
    one, two = add_person("one"), add_person("two")
    both_hold = threading.Barrier(2)
    attempts, followed = [], []

    def lock_both(name, first, second):
        @bookkeeping
        def service():
            attempts.append(name)
            give_role(first, "editor" if name == "a" else "admin")
            after_commit(lambda: followed.append(name))
            if attempts.count(name) == 1:
                both_hold.wait(60)
            give_role(second, "editor" if name == "a" else "admin")

        return service

    results = at_once(mariadb, lock_both("a", one, two), lock_both("b", two, one))
    assert results == [None, None]
    assert sorted(attempts) in (["a", "a", "b"], ["a", "b", "b"])
    assert sorted(followed) == ["a", "b"]
    assert role_of(one) == role_of(two)


def test_row_changed_since_it_was_read_is_retried(mariadb):
    person, attempts = add_person("viewer"), []

    @bookkeeping
    def service():
        attempts.append("attempt")
        db.session.execute(text("SET innodb_snapshot_isolation = ON"))
        db.session.execute(text("SELECT role FROM person"))
        if len(attempts) == 1:
            with mariadb.app_context(), db.engine.begin() as other:
                other.execute(text("UPDATE person SET role = 'admin'"))
        give_role(person, "editor")

    service()
    assert len(attempts) == 2
    assert role_of(person) == "editor"


def test_other_errors_are_not_retried(any_app):
    attempts = []

    @bookkeeping
    def service():
        attempts.append("attempt")
        db.session.execute(text("SELECT * FROM nothing_here"))

    with pytest.raises(Exception, match="nothing_here"):
        service()
    assert attempts == ["attempt"]


def test_retries_are_limited(mariadb):
    attempts = []

    @bookkeeping
    def service():
        attempts.append("attempt")
        signal = "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock found'"
        db.session.execute(text(signal))

    with pytest.raises(OperationalError):
        service()
    assert len(attempts) == ATTEMPTS
