"""Undoing changes of cities from the history, on both databases."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from app.actor import ANONYMOUS, Role
from app.cities import services
from app.cities.models import RemovedCity
from app.cities.undo import NameTaken, find_undoable, undo_change
from app.database.engine import db
from app.errors import Conflict, Forbidden, Unauthorized
from app.history.models import HistoryEntry
from app.history.queries import newest_of_subjects
from app.history.undo import find_undoable as find_offered
from app.times import now
from tests.cities.conftest import ACTOR, add_as_original, add_city, given, stored, version_of
from tests.factories import at_once, entries

pytestmark = pytest.mark.usefixtures("any_app")


def last():
    """The newest entry, detached as queries.load_entry() gives it."""
    return detached(entries()[-1])


def detached(entry):
    db.session.expunge(entry)
    db.session.rollback()
    return entry


def undo(entry, actor=ACTOR):
    return undo_change(actor, entry)


def undoable(actor=ACTOR):
    """The actions that are offered for undoing, oldest first."""
    found = find_offered(actor, entries())
    return [entry.action for entry in entries() if entry.id in found]


def change(city_id, **values):
    services.update_city(ACTOR, city_id, version_of(city_id), given(**values))


def test_an_undone_change_has_its_former_values():
    city_id = services.create_city(ACTOR, given())
    change(city_id, users="7", city="深圳")
    changed = last()
    undo(changed)
    assert stored() == [(city_id, "广东", "深圳市", 5)]
    entry = last()
    assert (entry.action, entry.reverts_id, entry.version) == ("city.update", changed.id, 3)
    assert json.loads(entry.before) == {"city": "深圳", "users": 7}
    assert json.loads(entry.after) == {"city": "深圳市", "users": 5}


def test_an_undone_undoing_is_the_change_again():
    city_id = services.create_city(ACTOR, given())
    change(city_id, users="7")
    undo(last())
    undo(last())
    assert stored()[0][3] == 7


def test_an_undone_addition_is_removed_and_can_be_restored():
    city_id = services.create_city(ACTOR, given())
    created = last()
    undo(created)
    removed = last()
    assert stored() == []
    assert (removed.action, removed.reverts_id) == ("city.delete", created.id)
    undo(removed)
    assert (last().action, last().reverts_id) == ("city.restore", removed.id)
    assert stored() == [(city_id, "广东", "深圳市", 5)]
    undo(last())
    assert stored() == []


def test_values_that_todays_rules_refuse_come_back():
    add_as_original((None, " ", -1))
    city_id = stored()[0][0]
    services.update_city(ACTOR, city_id, version_of(city_id), given())
    undo(last())
    assert stored() == [(city_id, None, " ", -1)]


def test_what_was_changed_again_is_not_undone():
    city_id = services.create_city(ACTOR, given())
    created = last()
    change(city_id, users="7")
    changed = last()
    change(city_id, users="8")
    for entry in (created, changed):
        with pytest.raises(Conflict, match="changed again in the meantime"):
            undo(entry)
    assert stored()[0][3] == 8
    assert undoable() == ["city.update"]


def test_what_another_program_changed_is_not_undone():
    """It writes no history, and leaves the version as it is."""
    city_id = services.create_city(ACTOR, given())
    change(city_id, users="7")
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE city SET usernumber = 9"))
    assert undoable() == []
    with pytest.raises(Conflict, match="changed again in the meantime"):
        undo(last())
    assert stored() == [(city_id, "广东", "深圳市", 9)]


def test_nothing_is_undone_twice():
    city_id = services.create_city(ACTOR, given())
    change(city_id, users="7")
    changed = last()
    undo(changed)
    with pytest.raises(Conflict, match="already undone"):
        undo(changed)
    assert stored()[0][3] == 5


def test_of_a_city_that_is_gone_nothing_is_undone():
    city_id = services.create_city(ACTOR, given())
    created = last()
    services.delete_city(ACTOR, city_id)
    removed = last()
    with pytest.raises(Conflict, match="removed in the meantime"):
        undo(created)
    db.session.execute(update(RemovedCity).values(removed_at=now() - timedelta(days=400)))
    db.session.commit()
    assert undoable() == []
    with pytest.raises(Conflict, match="deleted permanently"):
        undo(removed)


def test_a_former_name_that_another_city_has_is_not_taken_back():
    city_id = services.create_city(ACTOR, given())
    change(city_id, city="深圳")
    changed = last()
    other = add_city()
    with pytest.raises(NameTaken) as refused:
        undo(changed)
    assert refused.value.details == {"id": other}
    assert refused.value.status == 409
    assert stored()[0][2] == "深圳"


def test_a_removed_city_comes_back_beside_another_of_its_name():
    city_id = services.create_city(ACTOR, given())
    services.delete_city(ACTOR, city_id)
    removed = last()
    add_city()
    assert "Another city" in undo(removed).text
    assert len(stored()) == 2


def test_undone_by_two_at_once_is_undone_once(any_app):
    city_id = services.create_city(ACTOR, given())
    change(city_id, users="7")
    changed = last()
    results = at_once(any_app, *[lambda: undo(changed)] * 2)
    assert sorted(type(each).__name__ for each in results) == ["Conflict", "Message"]
    assert stored()[0][3] == 5
    assert [entry.action for entry in entries()].count("city.update") == 2


def test_removals_undone_by_two_at_once_are_one_restoration(any_app):
    city_id = services.create_city(ACTOR, given())
    services.delete_city(ACTOR, city_id)
    removed = last()
    results = at_once(any_app, *[lambda: undo(removed)] * 2)
    assert sorted(type(each).__name__ for each in results) == ["Conflict", "Message"]
    assert len(stored()) == 1


def test_undone_and_changed_at_once_is_one_of_both(any_app):
    city_id = services.create_city(ACTOR, given())
    change(city_id, users="7")
    changed, version = last(), version_of(city_id)
    results = at_once(
        any_app,
        lambda: undo(changed),
        lambda: services.update_city(ACTOR, city_id, version, given(users="8")),
    )
    assert sum(isinstance(each, Conflict) for each in results) == 1
    assert stored()[0][3] in (5, 8)


def test_only_those_who_may_change_cities_undo():
    services.create_city(ACTOR, given())
    viewer = replace(ACTOR, role=Role.VIEWER)
    assert undoable(viewer) == []
    assert find_undoable(viewer, entries()) == ()
    with pytest.raises(Forbidden):
        undo(last(), viewer)
    with pytest.raises(Unauthorized):
        undo(last(), ANONYMOUS)
    assert len(stored()) == 1


def test_the_newest_entries_of_some_are_found_in_one_query():
    ids = [services.create_city(ACTOR, given(city=f"city {n}")) for n in range(3)]
    change(ids[1], city="city 1", users="7")
    newest = newest_of_subjects(entries())
    assert [(entry.action, entry.subject_id) for entry in newest] == [
        ("city.create", ids[0]), ("city.create", ids[2]), ("city.update", ids[1]),
    ]  # fmt: skip
    assert newest_of_subjects([]) == []


def test_an_action_of_a_newer_release_cannot_be_undone():
    city_id = services.create_city(ACTOR, given())
    db.session.execute(update(HistoryEntry).values(action="city.twin"))
    db.session.commit()
    assert undoable() == []
    with pytest.raises(Conflict, match="cannot be undone"):
        undo(last())
    assert stored()[0][0] == city_id
