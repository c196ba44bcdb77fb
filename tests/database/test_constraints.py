"""Recognising the violated constraint, on both databases."""

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from app.auth.models import Person
from app.database.engine import db
from app.database.failures import violates
from tests.factories import add_person

NAME, KEY = "uq_person_name_key", "pk_person"


def refusal(statement):
    """The error that a statement raises."""
    with pytest.raises(IntegrityError) as error:
        db.session.execute(statement)
    db.session.rollback()
    return error.value


def test_a_constraint_is_recognised_by_its_name(any_app):
    first, second = add_person("first"), add_person("second")
    taken_name = refusal(update(Person).where(Person.id == second).values(name_key="first"))
    assert (violates(taken_name, NAME), violates(taken_name, KEY)) == (True, False)
    taken_id = refusal(update(Person).where(Person.id == second).values(id=first))
    assert (violates(taken_id, NAME), violates(taken_id, KEY)) == (False, True)


def test_a_value_that_reads_like_a_constraint_does_not_mislead(any_app):
    name = f"x for key '{KEY}' UNIQUE constraint failed: person.id"
    add_person(name)
    second = add_person("second")
    error = refusal(update(Person).where(Person.id == second).values(name_key=name.casefold()))
    assert (violates(error, NAME), violates(error, KEY)) == (True, False)


def test_other_refusals_violate_no_unique_constraint(any_app):
    values = {"name": "x", "name_key": "x", "password_hash": "x", "active": True}
    more = {"must_change_password": False, "epoch": 1}
    error = refusal(insert(Person.__table__).values(**values, **more, role=None))
    assert (violates(error, NAME), violates(error, KEY)) == (False, False)


def test_an_unknown_name_raises(any_app):
    first, second = add_person("first"), add_person("second")
    error = refusal(update(Person).where(Person.id == second).values(id=first))
    with pytest.raises(LookupError):
        violates(error, "uq_nothing")
