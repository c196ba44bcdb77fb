"""The transaction helper: begun fresh, committed once, replayed when unlucky."""

import threading

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from app.auth import services as auth
from app.auth.models import Person
from app.errors import Conflict
from app.extensions import db
from app.transactions import TRIES, after_commit, is_busy, transaction
from tests.conftest import empty_tables
from tests.factories import add_person, at_once


def role_of(person_id):
    """What the database has, in a transaction of its own."""
    db.session.rollback()
    return db.session.scalar(select(Person.role).where(Person.id == person_id))


def give_role(person_id, role):
    """Change a row, as services do."""
    db.session.get(Person, person_id, with_for_update=True).role = role
    db.session.flush()


def test_service_is_committed_at_its_end(any_app):
    person = add_person("somebody")

    @transaction
    def service(role, *, result):
        """The docstring."""
        give_role(person, role)
        return result

    assert service("editor", result=42) == 42
    assert role_of(person) == "editor"
    assert (service.__name__, service.__doc__) == ("service", "The docstring.")


@pytest.mark.parametrize("error", [Conflict("no"), ValueError("no"), KeyboardInterrupt()])
def test_error_commits_nothing_and_runs_no_follow_up(any_app, error):
    person, followed = add_person("somebody"), []

    @transaction
    def service():
        give_role(person, "editor")
        after_commit(lambda: followed.append("ran"))
        raise error

    with pytest.raises(type(error)):
        service()
    assert role_of(person) == "viewer"
    assert followed == []

    # Nothing of it is left for the next one.
    @transaction
    def next_service():
        give_role(person, "admin")

    next_service()
    assert followed == []
    assert role_of(person) == "admin"


def test_service_called_by_another_joins_it(any_app):
    person, order = add_person("somebody"), []

    @transaction
    def inner():
        give_role(person, "editor")
        after_commit(lambda: order.append("inner follow-up"))
        order.append("inner end")

    @transaction
    def outer(fails):
        inner()
        order.append("outer goes on")
        if fails:
            raise Conflict("no")

    with pytest.raises(Conflict):
        outer(True)
    assert role_of(person) == "viewer"
    assert order == ["inner end", "outer goes on"]
    order.clear()
    outer(False)
    assert role_of(person) == "editor"
    assert order == ["inner end", "outer goes on", "inner follow-up"]


def test_follow_up_runs_after_the_commit_and_may_call_services(any_app):
    person, seen = add_person("somebody"), []

    def look():
        with any_app.app_context():  # another session, as another request has
            seen.append(role_of(person))

    @transaction
    def service():
        give_role(person, "editor")
        after_commit(look)
        after_commit(lambda: seen.append(auth.set_role(99, person, "admin")))

    service()
    assert seen == ["editor", True]
    assert role_of(person) == "admin"


def test_follow_up_that_fails_is_logged_and_stops_nothing(any_app, caplog):
    person, seen = add_person("somebody"), []

    @transaction
    def service():
        give_role(person, "editor")
        after_commit(lambda: 1 / 0)
        after_commit(lambda: seen.append("second"))
        return "done"

    assert service() == "done"
    assert role_of(person) == "editor"
    assert seen == ["second"]
    assert "a follow-up of a committed change failed" in caplog.text


def test_after_commit_outside_of_a_service_is_a_mistake(any_app):
    with pytest.raises(RuntimeError):
        after_commit(print)
    add_person("somebody")
    with pytest.raises(RuntimeError):
        after_commit(print)


def test_function_that_yields_is_no_service():
    def service():
        yield 1

    async def later():
        pass

    for function in (service, later):
        with pytest.raises(TypeError, match="a service returns its result"):
            transaction(function)


def test_what_the_session_held_before_is_not_committed(any_app):
    person = add_person("somebody")
    row = db.session.get(Person, person)
    row.role = "admin"

    @transaction
    def service():
        return db.session.get(Person, person).role

    assert service() == "viewer"
    assert role_of(person) == "viewer"


def test_busy_sqlite_is_tried_again(app):
    with app.app_context():
        person, tries = add_person("somebody"), []

        @transaction
        def service():
            tries.append("tried")
            give_role(person, "editor")

        other = db.engine.raw_connection()
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.06, other.rollback).start()
        service()
        other.close()
        assert role_of(person) == "editor"
        # The first tries failed at BEGIN IMMEDIATE already, before the service ran.
        assert tries == ["tried"]


def test_sqlite_that_stays_busy_ends_with_the_error(app):
    with app.app_context():
        person = add_person("somebody")

        @transaction
        def service():
            give_role(person, "editor")

        other = db.engine.raw_connection()
        other.execute("BEGIN IMMEDIATE")
        try:
            with pytest.raises(OperationalError) as error:
                service()
        finally:
            other.rollback()
            other.close()
        assert is_busy(error.value)
        assert role_of(person) == "viewer"
        service()
        assert role_of(person) == "editor"


def test_writer_begins_immediately_on_sqlite(app):
    with app.app_context():
        add_person("somebody")

        @transaction
        def service():
            other = db.engine.raw_connection()
            try:
                with pytest.raises(Exception, match="database is locked"):
                    other.execute("BEGIN IMMEDIATE")
            finally:
                other.close()

        service()


@pytest.fixture
def mariadb(request, make_app):
    """The application on MariaDB."""
    app = make_app(DATABASE_URL=request.getfixturevalue("mariadb_migrated"))
    with app.app_context():
        empty_tables()
        yield app
        db.session.rollback()


def test_victim_of_a_deadlock_is_replayed_whole(mariadb):
    one, two = add_person("one"), add_person("two")
    both_hold = threading.Barrier(2)
    tries, followed = [], []

    def lock_both(name, first, second):
        @transaction
        def service():
            tries.append(name)
            give_role(first, "editor" if name == "a" else "admin")
            after_commit(lambda: followed.append(name))
            if tries.count(name) == 1:
                both_hold.wait(5)
            give_role(second, "editor" if name == "a" else "admin")

        return service

    results = at_once(mariadb, lock_both("a", one, two), lock_both("b", two, one))
    assert results == [None, None]
    assert sorted(tries) in (["a", "a", "b"], ["a", "b", "b"])
    assert sorted(followed) == ["a", "b"]
    assert role_of(one) == role_of(two)


def test_lock_that_is_waited_for_too_long_is_tried_again(mariadb):
    person, tries = add_person("somebody"), []
    holder = db.engine.raw_connection()
    holder.cursor().execute("SELECT * FROM person FOR UPDATE")

    @transaction
    def service():
        tries.append("tried")
        db.session.execute(text("SET innodb_lock_wait_timeout = 1"))
        if len(tries) == 2:
            holder.rollback()
        give_role(person, "editor")

    try:
        service()
    finally:
        holder.close()
    assert len(tries) == 2
    assert role_of(person) == "editor"


def test_row_changed_since_it_was_read_is_tried_again(mariadb):
    person, tries = add_person("somebody"), []

    @transaction
    def service():
        tries.append("tried")
        db.session.execute(text("SET innodb_snapshot_isolation = ON"))
        db.session.execute(text("SELECT role FROM person"))
        if len(tries) == 1:
            with mariadb.app_context(), db.engine.begin() as other:
                other.execute(text("UPDATE person SET role = 'admin'"))
        give_role(person, "editor")

    service()
    assert len(tries) == 2
    assert role_of(person) == "editor"


def test_error_that_is_not_bad_luck_is_not_tried_again(any_app):
    tries = []

    @transaction
    def service():
        tries.append("tried")
        db.session.execute(text("SELECT * FROM nothing_here"))

    with pytest.raises(Exception, match="nothing_here"):
        service()
    assert tries == ["tried"]


def test_bad_luck_ends_after_some_tries(mariadb):
    tries = []

    @transaction
    def service():
        tries.append("tried")
        signal = "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock found'"
        db.session.execute(text(signal))

    with pytest.raises(OperationalError):
        service()
    assert len(tries) == TRIES
