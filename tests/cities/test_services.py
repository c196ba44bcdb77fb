"""Adding, changing, removing and restoring: done, refused, and twice at once."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from app.actor import Actor
from app.cities import services
from app.cities.listing import queries
from app.cities.listing.queries import CityListing
from app.cities.models import City, RemovedCity
from app.cities.removed.services import delete_old_removed
from app.cities.statistics.queries import compute_statistics
from app.database.engine import db
from app.database.idempotency import IdempotencyKey, delete_old_keys
from app.errors import Conflict, Invalid, NotFound
from app.times import now
from tests.cities.conftest import (
    ACTOR,
    add_as_original,
    add_as_original_before,
    add_city,
    given,
    stored,
    version_of,
)
from tests.factories import at_once, claim

pytestmark = pytest.mark.usefixtures("any_app")


def test_city_is_added_with_keys_times_and_version():
    city_id = services.create_city(ACTOR, given(" 广东 ", "深圳市", "17494398"))
    row = db.session.get(City, city_id)
    assert (row.provincename, row.cityname, row.usernumber) == ("广东", "深圳市", 17494398)
    assert row.search_key == "广东\n深圳市"
    assert row.version == 1
    assert now() - row.changed_at < timedelta(seconds=20)


def test_bad_values_are_refused_and_nothing_is_stored():
    with pytest.raises(Invalid):
        services.create_city(ACTOR, given("", "深圳市", "1"), key="k")
    assert stored() == []
    assert db.session.query(IdempotencyKey).count() == 0
    assert services.create_city(ACTOR, given("广东", "深圳市", "1"), key="k") == 1


def test_same_names_again_are_refused_unless_confirmed():
    first = services.create_city(ACTOR, given("广东", "深圳市", "1"))
    with pytest.raises(services.AlreadyThere) as caught:
        services.create_city(ACTOR, given("广东 ", "深圳市", "2"))
    assert caught.value.city_id == first
    assert services.create_city(ACTOR, given("广东", "深圳市", "2"), anyway=True) > first
    # Another case is another name.
    assert services.create_city(ACTOR, given("广东", "ABC", "2"))
    assert services.create_city(ACTOR, given("广东", "abc", "2"))


def test_form_sent_twice_makes_one_city():
    first = services.create_city(ACTOR, given("广东", "深圳市", "1"), key="one")
    assert services.create_city(ACTOR, given("广东", "深圳市", "1"), key="one") == first
    assert len(stored()) == 1


def test_form_sent_again_after_its_city_was_removed_adds_it_again():
    made = services.create_city(ACTOR, given("广东", "深圳市", 5), key="k")
    services.delete_city(ACTOR, made)
    again = services.create_city(ACTOR, given("广东", "深圳市", 5), key="k")
    assert again != made
    assert services.load_city(ACTOR, again).cityname == "深圳市"
    assert services.create_city(ACTOR, given("广东", "深圳市", 5), key="k") == again


def test_form_sent_twice_at_once_makes_one_city(any_app):
    def work():
        return services.create_city(ACTOR, given("广东", "深圳市", "1"), key="one", anyway=True)

    results = at_once(any_app, work, work, work)
    assert len(set(results)) == 1, results
    assert len(stored()) == 1


def test_same_key_with_other_values_adds_another_city():
    first = services.create_city(ACTOR, given("广东", "深圳市", "1"), key="one")
    second = services.create_city(ACTOR, given("广东", "珠海市", "1"), key="one")
    third = services.create_city(ACTOR, given("广东", "深圳市", "2"), key="one", anyway=True)
    assert [row[0] for row in stored()] == [first, second, third]
    assert services.create_city(ACTOR, given("广东", "珠海市", "1"), key="one") == second
    assert len(stored()) == 3


def test_long_key_and_long_names_fit():
    for _time in range(2):
        services.create_city(ACTOR, given("省" * 255, "市" * 255, "2147483647"), key="k" * 5000)
    assert len(stored()) == 1


def test_operator_may_send_a_key_too():
    made = {services.create_city(Actor.operator(), given(), key="one") for _twice in range(2)}
    assert made == {row[0] for row in stored()}


def test_operator_needs_no_key():
    assert services.create_city(Actor.operator(), given()) == stored()[0][0]


def test_keys_of_two_people_have_nothing_to_do_with_each_other():
    other = replace(ACTOR, id=2, name="other")
    first = services.create_city(ACTOR, given("广东", "深圳市", "1"), key="one")
    assert services.create_city(other, given("广东", "珠海市", "1"), key="one") != first


def test_old_idempotency_keys_are_deleted():
    services.create_city(ACTOR, given("广东", "深圳市", "1"), key="one")
    db.session.query(IdempotencyKey).update({"created_at": now() - timedelta(days=3)})
    db.session.commit()
    delete_old_keys()
    assert db.session.query(IdempotencyKey).count() == 0


def test_city_is_changed_and_its_version_rises():
    city_id = add_city()
    version = version_of(city_id)
    services.update_city(ACTOR, city_id, version, given("广东", "珠海市", "7"))
    row = services.load_city(ACTOR, city_id)
    assert (row.cityname, row.usernumber, row.version) == ("珠海市", 7, 2)
    assert queries.select_page(ACTOR, CityListing(search="珠海")).rows[0].id == city_id


def test_change_without_a_difference_writes_nothing():
    city_id = add_city()
    services.update_city(ACTOR, city_id, None, given("广东", "深圳市", "5"))
    assert services.load_city(ACTOR, city_id).version == 1


def test_outdated_form_is_refused():
    city_id = add_city()
    version = version_of(city_id)
    services.update_city(ACTOR, city_id, version, given("广东", "深圳市", "6"))
    for outdated in (version, None, "", "x"):
        with pytest.raises(services.Outdated):
            services.update_city(ACTOR, city_id, outdated, given("广东", "深圳市", "7"))
    assert services.load_city(ACTOR, city_id).usernumber == 6


def test_change_by_the_original_program_is_noticed():
    city_id = add_city()
    version = version_of(city_id)
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE city SET usernumber = 9")
    with pytest.raises(services.Outdated):
        services.update_city(ACTOR, city_id, version, given("广东", "深圳市", "7"))


def test_of_two_editors_with_one_form_version_one_is_refused(any_app):
    for number in range(5):
        city_id = add_city(city=f"c{number}")
        version = version_of(city_id)
        works = [
            partial(services.update_city, ACTOR, city_id, version, given("省", name, "1"))
            for name in (f"a{number}", f"b{number}")
        ]
        results = at_once(any_app, *works)
        refusals = [result for result in results if isinstance(result, services.Outdated)]
        assert len(refusals) == 1, results
        row = services.load_city(ACTOR, city_id)
        assert (row.cityname[0], row.version) == ("b" if results[0] is refusals[0] else "a", 2)


def test_names_of_another_city_are_refused_unless_confirmed():
    there = add_city(city="珠海市")
    city_id = add_city()
    version = version_of(city_id)
    with pytest.raises(services.AlreadyThere) as caught:
        services.update_city(ACTOR, city_id, version, given("广东", "珠海市", "5"))
    assert caught.value.city_id == there
    services.update_city(ACTOR, city_id, version, given("广东", "珠海市", "5"), anyway=True)
    # Names that were the same before are no news.
    version = version_of(city_id)
    services.update_city(ACTOR, city_id, version, given("广东", "珠海市", "6"))


def test_missing_city_is_not_found():
    with pytest.raises(NotFound):
        services.load_city(ACTOR, 99)
    with pytest.raises(NotFound):
        services.update_city(ACTOR, 99, None, given("", "", ""))
    with pytest.raises(NotFound):
        services.delete_city(ACTOR, 99)
    with pytest.raises(NotFound):
        services.restore_city(ACTOR, 99)


def test_removed_city_comes_back_under_its_id_as_it_was():
    city_id = add_city()
    before = tuple(services.load_city(ACTOR, city_id))
    removed_id, name = services.delete_city(ACTOR, city_id)
    assert name == "深圳市"
    assert stored() == []
    assert db.session.get(RemovedCity, removed_id).removed_by == "editor"
    assert services.restore_city(ACTOR, removed_id) == (city_id, "深圳市", None)
    assert tuple(services.load_city(ACTOR, city_id)) == before
    with pytest.raises(NotFound):
        services.restore_city(ACTOR, removed_id)


def test_row_without_values_and_times_is_removed_and_comes_back():
    add_as_original((None, None, None))
    db.session.execute(update(City).values(created_at=None, changed_at=None))
    db.session.commit()
    city_id = stored()[0][0]
    removed_id, name = services.delete_city(ACTOR, city_id)
    assert name == ""
    services.restore_city(ACTOR, removed_id)
    assert stored()[0][1:] == (None, None, None)
    row = services.load_city(ACTOR, city_id)
    assert (row.created_at, row.changed_at) == (None, None)


def test_id_of_the_newest_removed_city_is_not_given_again():
    city_id = add_city()
    services.delete_city(ACTOR, city_id)
    assert add_city(city="珠海市") > city_id


def test_restoring_to_an_id_in_use_is_refused():
    city_id = add_city()
    removed_id, _name = services.delete_city(ACTOR, city_id)
    add_city(city="珠海市", id=city_id)
    with pytest.raises(Conflict):
        services.restore_city(ACTOR, removed_id)
    assert len(stored()) == 1
    assert db.session.get(RemovedCity, removed_id) is not None


def test_restoring_reports_another_city_with_the_same_names():
    city_id = add_city()
    removed_id, _name = services.delete_city(ACTOR, city_id)
    add_city(city="珠海市")
    other_id = add_city()
    assert services.restore_city(ACTOR, removed_id) == (city_id, "深圳市", other_id)
    assert len(stored()) == 3


def test_only_an_id_in_use_is_reported_as_one():
    """Another constraint that refuses the row is a fault of ours."""
    removed_id, _name = services.delete_city(ACTOR, add_city())
    add_city()
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE UNIQUE INDEX ux_city_users ON city (usernumber)")
    try:
        with pytest.raises(IntegrityError):
            services.restore_city(ACTOR, removed_id)
    finally:
        with db.engine.begin() as connection:
            on_table = " ON city" if connection.dialect.name == "mysql" else ""
            connection.exec_driver_sql(f"DROP INDEX ux_city_users{on_table}")
    assert services.restore_city(ACTOR, removed_id)


def test_removing_and_undoing_twice_at_once_happens_once(any_app):
    city_id = add_city()
    results = at_once(any_app, *[lambda: services.delete_city(ACTOR, city_id)] * 2)
    assert sorted(isinstance(result, NotFound) for result in results) == [False, True], results
    removed_id = next(result[0] for result in results if isinstance(result, tuple))
    results = at_once(any_app, *[lambda: services.restore_city(ACTOR, removed_id)] * 2)
    assert sorted(isinstance(result, NotFound) for result in results) == [False, True], results
    assert len(stored()) == 1


def test_removed_cities_are_deleted_after_a_month():
    removed_id, _name = services.delete_city(ACTOR, add_city())
    db.session.get(RemovedCity, removed_id).removed_at = now() - timedelta(days=31)
    db.session.commit()
    with pytest.raises(NotFound, match="too long ago"):  # also before it is deleted
        services.restore_city(ACTOR, removed_id)
    assert delete_old_removed() == 1
    assert db.session.get(RemovedCity, removed_id) is None
    with pytest.raises(NotFound):
        services.restore_city(ACTOR, removed_id)


def test_sample_cities_are_read_before_the_transaction(any_app, monkeypatch):
    """On SQLite a file that is read inside of it makes all other writers wait."""
    read = services.read_sample
    in_service = []

    def note():
        in_service.append(db.session().info.get("in_service", False))
        return read()

    monkeypatch.setattr(services, "read_sample", note)
    assert services.add_sample_cities(ACTOR) == services.SAMPLE_COUNT
    assert claim("林小梅", with_sample=True) == 1
    assert in_service == [False, False]


def test_keys_of_rows_by_the_original_program_are_filled_in_by_the_clock():
    many = (("省", f"c{number}", number) for number in range(1100))
    add_as_original_before(*many, (None, "圳", 1))
    page = queries.select_page(ACTOR, CityListing(search="圳"))
    assert [row.cityname for row in page.rows] == ["圳"]
    assert queries.find_hits(ACTOR, CityListing(search="省")).total is None  # more than COUNT_MOST
    assert db.session.query(City).filter(City.province_key.is_(None)).count() == 0


@pytest.mark.parametrize(
    "listing", [CityListing(), CityListing(search="c"), CityListing(sort="city")]
)
def test_reading_a_list_fills_in_no_keys(listing):
    add_as_original(("省", "c", 1))
    found = queries.select_page(ACTOR, listing).rows
    assert len(found) == (listing == CityListing())
    compute_statistics()
    queries.list_provinces()
    assert db.session.query(City).filter(City.province_key.is_(None)).count() == 1
