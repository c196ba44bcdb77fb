"""Saving a form after others have changed the same city: only what it changed is saved."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, update

from app.cities import services
from app.cities.details import merging
from app.cities.models import City
from app.database.engine import db
from app.errors import Invalid
from app.history.models import HistoryEntry
from tests.cities.conftest import ACTOR, add_city, given, stored, version_of
from tests.factories import at_once, entries

pytestmark = pytest.mark.usefixtures("any_app")

ADA = replace(ACTOR, id=2, name="Ada")


def save(city_id, version, actor=ACTOR, **changed):
    return services.update_city(actor, city_id, version, given(**changed))


def change(city_id, **changed):
    """Somebody else changes the city as it is now."""
    row = services.load_city(ADA, city_id)
    now = {"province": row.provincename, "city": row.cityname, "users": str(row.usernumber)}
    services.update_city(ADA, city_id, version_of(city_id), {**now, **changed})


def test_changes_of_different_fields_are_both_saved():
    city_id = add_city()
    version = version_of(city_id)
    change(city_id, users="8")
    saved = save(city_id, version, city="珠海市")
    assert saved.merged
    assert stored() == [(city_id, "广东", "珠海市", 8)]
    entry = entries("city")[-1]
    assert (entry.id, entry.version) == (saved.entry_id, 3)
    assert (entry.before, entry.after) == ('{"city": "深圳市"}', '{"city": "珠海市"}')


def test_what_was_changed_and_changed_back_is_no_conflict():
    city_id = add_city()
    version = version_of(city_id)
    change(city_id, users="8")
    change(city_id, province="福建")
    change(city_id, users="5")
    save(city_id, version, users="9")
    assert stored() == [(city_id, "福建", "深圳市", 9)]


def test_the_same_change_by_two_is_no_conflict():
    city_id = add_city()
    version = version_of(city_id)
    change(city_id, users="8", province="福建")
    assert save(city_id, version, users="8").entry_id is None
    assert stored() == [(city_id, "福建", "深圳市", 8)]


def test_two_changes_of_one_field_are_refused_with_the_others_merged():
    city_id = add_city()
    version = version_of(city_id)
    change(city_id, users="8", province="福建")
    with pytest.raises(services.Outdated) as caught:
        save(city_id, version, users="9", city="珠海市")
    assert caught.value.merged == {"city": "珠海市", "province": "福建", "users": 9}
    assert stored() == [(city_id, "福建", "深圳市", 8)]


@pytest.mark.parametrize("before_the_form", [True, False])
def test_a_change_without_an_entry_makes_every_difference_a_conflict(before_the_form):
    """The original program writes no history, and does not raise the version."""
    city_id = add_city()
    version = version_of(city_id)
    if not before_the_form:
        change(city_id, province="福建")
    db.session.execute(update(City).values(usernumber=8))
    db.session.commit()
    if before_the_form:
        change(city_id, province="福建")
    with pytest.raises(services.Outdated) as caught:
        save(city_id, version, city="珠海市")
    assert caught.value.merged == {"city": "珠海市", "province": "广东", "users": 5}


def test_without_its_history_every_difference_is_a_conflict():
    city_id = add_city()
    version = version_of(city_id)
    change(city_id, users="8")
    db.session.execute(delete(HistoryEntry))
    db.session.commit()
    with pytest.raises(services.Outdated):
        save(city_id, version, city="珠海市")


def test_after_very_many_changes_nothing_is_merged(monkeypatch):
    monkeypatch.setattr(merging, "ENTRIES_MOST", 2)
    city_id = add_city()
    version = version_of(city_id)
    for changed in ({"users": "6"}, {"users": "7"}, {"province": "福建"}):
        change(city_id, **changed)
    with pytest.raises(services.Outdated):
        save(city_id, version, city="珠海市")


@pytest.mark.parametrize("version", ["x", "-", "1-x", "99-x", "-1-x", "1" * 30, "０-x", "0-x", "é"])
def test_a_version_that_we_never_wrote_makes_every_difference_a_conflict(version):
    city_id = add_city()
    with pytest.raises(services.Outdated):
        save(city_id, version, users="6")
    assert stored() == [(city_id, "广东", "深圳市", 5)]


def test_the_version_of_another_city_is_not_a_base():
    other = version_of(add_city(city="珠海市"))
    city_id = add_city()
    change(city_id, users="8")
    with pytest.raises(services.Outdated):
        save(city_id, other, city="东莞市")


def test_the_merged_names_may_be_those_of_another_city():
    there = add_city("福建", "珠海市")
    city_id = add_city()
    version = version_of(city_id)
    change(city_id, province="福建")
    with pytest.raises(services.AlreadyThere) as caught:
        save(city_id, version, city="珠海市")
    assert caught.value.city_id == there


def test_the_merged_whole_is_checked():
    city_id = add_city()
    version = version_of(city_id)
    change(city_id, province="福建")
    # A newer rule would not accept what the other saved: as if written by the original program.
    row = db.session.get(City, city_id)
    row.provincename = ""
    entry = db.session.query(HistoryEntry).one()
    entry.after = '{"province": ""}'
    db.session.commit()
    with pytest.raises(Invalid):
        save(city_id, version, city="珠海市")


def test_two_who_change_different_fields_at_once_both_succeed(any_app):
    city_id = add_city()
    version = version_of(city_id)
    results = at_once(
        any_app,
        lambda: save(city_id, version, users="9"),
        lambda: save(city_id, version, ADA, city="珠海市"),
    )
    assert sorted(result.merged for result in results) == [False, True], results
    assert stored() == [(city_id, "广东", "珠海市", 9)]
