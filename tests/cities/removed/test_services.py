"""Emptying the list of removed cities, and deleting them."""

import json
from datetime import timedelta

import pytest

from app.cities import services
from app.cities.models import RemovedCity
from app.cities.removed import services as removed
from app.cities.removed.queries import count_removed
from app.database.engine import db
from app.errors import Conflict, NotFound
from app.history.entries import describe
from app.history.models import EVERYBODY
from app.times import now
from tests.cities.conftest import ACTOR, add_city
from tests.factories import OPERATOR, at_once, entries

pytestmark = pytest.mark.usefixtures("any_app")


def remove(*names):
    return [services.delete_city(ACTOR, add_city(city=name))[0] for name in names]


def stored_names():
    db.session.rollback()
    return "".join(row.cityname for row in db.session.query(RemovedCity).order_by(RemovedCity.id))


def test_emptied_cities_cannot_be_restored_and_the_clock_deletes_them():
    first, _second = remove("a", "b")
    assert removed.empty_removed(OPERATOR, now()) == 2
    assert count_removed(OPERATOR) == 0
    with pytest.raises(NotFound, match="too long ago"):
        services.restore_city(ACTOR, first)
    assert stored_names() == "ab"
    assert removed.delete_old_removed() == 2
    assert stored_names() == ""


def test_what_is_removed_later_stays():
    remove("a")
    until = now()
    [later] = remove("b")
    assert removed.empty_removed(OPERATOR, until) == 1
    assert removed.delete_old_removed() == 1
    assert services.restore_city(ACTOR, later).name == "b"


def test_emptying_is_one_entry_that_says_how_many():
    remove("a", "b")
    until = now()
    removed.empty_removed(OPERATOR, until)
    entry = entries("city")[-1]
    assert (entry.action, entry.subject_id, entry.visible_to) == ("city.empty", 0, EVERYBODY)
    assert json.loads(entry.after) == {"removed_cities": 2, "removed_until": until.isoformat()}
    [row] = describe(OPERATOR, [entry])
    assert (row.action, row.label, row.url) == ("Removed cities deleted permanently", "Cities", "")


def test_nothing_to_empty_is_refused_and_not_recorded():
    with pytest.raises(Conflict):
        removed.empty_removed(OPERATOR, now())
    remove("a")
    assert removed.empty_removed(OPERATOR, now()) == 1
    with pytest.raises(Conflict):
        removed.empty_removed(OPERATOR, now())
    assert [entry.action for entry in entries("city")].count("city.empty") == 1


def test_two_who_empty_it_at_once_count_each_city_once(any_app):
    remove("a", "b", "c")
    results = at_once(any_app, *[lambda: removed.empty_removed(OPERATOR, now())] * 2)
    assert sorted(str(type(result).__name__) for result in results) == ["Conflict", "int"], results
    assert 3 in results


def test_deleting_goes_on_in_batches(monkeypatch):
    monkeypatch.setattr(removed, "DELETED_AT_ONCE", 2)
    remove(*"abcde")
    removed.empty_removed(OPERATOR, now())
    assert removed.delete_old_removed() == 5
    assert stored_names() == ""


def test_deleting_stops_after_some_seconds(monkeypatch):
    monkeypatch.setattr(removed, "RUN_SECONDS", 0)
    remove("a")
    removed.empty_removed(OPERATOR, now() + timedelta(days=1))
    assert removed.delete_old_removed() == 0
    assert stored_names() == "a"
