"""Transactions of services: a new one each, one commit, rollback on errors, follow-ups."""

import pytest
from sqlalchemy import select

from app.auth import services as auth
from app.auth.models import Person
from app.database.engine import db
from app.database.service import after_commit, unrecorded
from app.errors import Conflict
from tests.factories import OPERATOR, add_person


def role_of(person_id):
    """Read the role in a new transaction."""
    db.session.rollback()
    return db.session.scalar(select(Person.role).where(Person.id == person_id))


def give_role(person_id, role):
    """Change a row as services do."""
    db.session.get(Person, person_id, with_for_update=True).role = role
    db.session.flush()


def test_service_is_committed(any_app):
    person = add_person("viewer")

    @unrecorded
    def service(role, *, result):
        """The docstring."""
        give_role(person, role)
        return result

    assert service("editor", result=42) == 42
    assert role_of(person) == "editor"
    assert (service.__name__, service.__doc__) == ("service", "The docstring.")


@pytest.mark.parametrize("error", [Conflict("no"), ValueError("no"), KeyboardInterrupt()])
def test_error_commits_nothing_and_runs_no_follow_up(any_app, error):
    person, followed = add_person("viewer"), []

    @unrecorded
    def service():
        give_role(person, "editor")
        after_commit(lambda: followed.append("ran"))
        raise error

    with pytest.raises(type(error)):
        service()
    assert role_of(person) == "viewer"
    assert followed == []

    # The next service does not get its follow-ups.
    @unrecorded
    def next_service():
        give_role(person, "admin")

    next_service()
    assert followed == []
    assert role_of(person) == "admin"


def test_follow_up_runs_after_the_commit_and_may_call_services(any_app):
    person, seen = add_person("viewer"), []

    def look():
        with any_app.app_context():  # another session, as another request has
            seen.append(role_of(person))

    @unrecorded
    def service():
        give_role(person, "editor")
        after_commit(look)
        after_commit(lambda: seen.append(auth.set_role(OPERATOR, person, "admin")))

    service()
    assert seen == ["editor", True]
    assert role_of(person) == "admin"


def test_failing_follow_up_is_logged_and_not_raised(any_app, caplog):
    person, seen = add_person("viewer"), []

    @unrecorded
    def service():
        give_role(person, "editor")
        after_commit(lambda: 1 / 0)
        after_commit(lambda: seen.append("second"))
        return "done"

    assert service() == "done"
    assert role_of(person) == "editor"
    assert seen == ["second"]
    assert "a follow-up of a committed change failed" in caplog.text


def test_after_commit_outside_of_a_service_raises(any_app):
    with pytest.raises(RuntimeError):
        after_commit(print)
    add_person("viewer")
    with pytest.raises(RuntimeError):
        after_commit(print)


def test_generator_is_not_accepted_as_a_service():
    def service():
        yield 1

    async def later():
        pass

    for function in (service, later):
        with pytest.raises(TypeError, match="a service returns its result"):
            unrecorded(function)


def test_what_the_session_held_before_is_not_committed(any_app):
    person = add_person("viewer")
    row = db.session.get(Person, person)
    row.role = "admin"

    @unrecorded
    def service():
        return db.session.get(Person, person).role

    assert service() == "viewer"
    assert role_of(person) == "viewer"
