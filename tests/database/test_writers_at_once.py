"""Two who write the same on MariaDB, where the order in which they meet is forced."""

import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import text

from app.cities import services
from app.cities.details.merging import form_version
from app.database.engine import db
from app.errors import Conflict
from tests.cities.conftest import ACTOR, add_city, given, stored
from tests.factories import at_once

on_mariadb = pytest.mark.parametrize("any_app", ["mariadb"], indirect=True)
WAITING = """SELECT COUNT(*) FROM information_schema.processlist
    WHERE info LIKE 'SELECT city%FOR UPDATE%' AND db = DATABASE()"""


@contextmanager
def locked_city(city_id):
    """Lock the row in another transaction."""
    with db.engine.connect() as holder:
        holder.execute(text("SELECT * FROM city WHERE id = :id FOR UPDATE"), {"id": city_id})
        yield
        holder.rollback()


@on_mariadb
def test_row_that_is_locked_elsewhere_is_a_conflict_and_leaves_nobody_waiting(any_app):
    city_id = add_city(users=1)
    version = form_version(services.load_city(ACTOR, city_id))
    db.session.rollback()
    with locked_city(city_id):
        begun = time.monotonic()
        with pytest.raises(Conflict):
            services.update_city(ACTOR, city_id, version, given("广东", "深圳市", "2"))
        assert time.monotonic() - begun < 30  # 50 by default; ours: test_limits.py
        with db.engine.connect() as connection:
            assert connection.scalar(text(WAITING)) == 0
    assert stored()[0][3] == 1


def create(actor_id):
    """One of those who add the city."""
    return services.create_city(
        replace(ACTOR, id=actor_id), given("广东", "深圳市", 1), key=f"key-{actor_id}"
    )


def one_is_stored_and_one_refused(results):
    """The rule on equal names held."""
    made = [one for one in results if isinstance(one, int)]
    refused = [one for one in results if isinstance(one, services.AlreadyThere)]
    assert (len(made), len(refused)) == (1, 1), results
    assert [row[0] for row in stored()] == made
    assert refused[0].city_id == made[0]


@pytest.mark.parametrize("any_app", ["sqlite"], indirect=True)
def test_same_names_at_once_are_reported_on_sqlite(any_app):
    one_is_stored_and_one_refused(at_once(any_app, partial(create, 1), partial(create, 2)))


@on_mariadb
def test_same_names_at_once_are_reported_on_mariadb(any_app, monkeypatch):
    both_looked, find_existing = threading.Barrier(2), services.find_existing

    def look(*args):
        found = find_existing(*args)
        with suppress(threading.BrokenBarrierError):  # where the other has to wait for this one
            both_looked.wait(0.5)
        return found

    monkeypatch.setattr(services, "find_existing", look)
    one_is_stored_and_one_refused(at_once(any_app, partial(create, 1), partial(create, 2)))
