"""Column types."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from app.auth.models import Person
from app.database.engine import db
from app.database.types import UtcDateTime
from tests.factories import add_person

NOON = datetime(2026, 11, 30, 12, 0, 0, 123456, tzinfo=UTC)


def store(moment):
    """Store a time in a row and read it again."""
    person = db.session.get(Person, add_person("Ada"))
    person.signed_in_at = moment
    db.session.commit()
    return db.session.scalar(select(Person.signed_in_at))


def test_times_are_stored_in_utc_to_the_microsecond(any_app):
    found = store(NOON.astimezone(timezone(timedelta(hours=8))))
    assert found == NOON
    assert found.tzinfo is UTC


def test_time_without_a_zone_is_refused_before_it_is_stored(any_app):
    with pytest.raises(StatementError) as error:
        store(NOON.replace(tzinfo=None))
    assert isinstance(error.value.orig, TypeError)
    with pytest.raises(TypeError, match="without a time zone"):
        UtcDateTime().process_bind_param(NOON.replace(tzinfo=None), db.engine.dialect)
