"""The stored keys of names: always those of the names, and found by them is the same city."""

import pytest
from sqlalchemy import select, text, update

from app.cities import search_keys, services
from app.cities.listing.queries import CityListing, select_page
from app.cities.models import City
from app.cities.queries import find_city
from app.database.engine import db
from tests.cities.conftest import ACTOR, add_as_original, add_cities, add_city, given, version_of
from tests.cities.importing.staging import confirm, stage
from tests.factories import statements

pytestmark = pytest.mark.usefixtures("any_app")


def due():
    """The names of cities whose keys are due."""
    db.session.rollback()
    return list(db.session.scalars(select(City.cityname).where(City.keys_due)))


def rename_as_original(city_id, name):
    """What the original program does on its page for changes, before another request."""
    db.session.remove()
    with db.engine.begin() as connection:
        connection.execute(
            text("UPDATE city SET cityname = :name WHERE id = :id"), {"name": name, "id": city_id}
        )


def test_what_is_written_here_has_its_keys(person):
    first = services.create_city(ACTOR, given("广东", "Ａbc", "1"))
    services.update_city(ACTOR, first, version_of(first), given("广东", "ABC", "1"))
    removed_id, _name = services.delete_city(ACTOR, first)
    services.restore_city(ACTOR, removed_id)
    services.add_sample_cities(ACTOR)
    confirm(stage(person, "广东,ABC,2\n广东,新,3\n"), person)
    assert due() == []


def test_an_import_gives_a_renamed_city_its_keys(person):
    city_id = add_city("广东", "旧")
    rename_as_original(city_id, "新")
    confirm(stage(person, "广东,新,77\n"), person)
    assert due() == []
    assert [row.usernumber for row in select_page(ACTOR, CityListing(search="新")).rows] == [77]


def test_renamed_by_the_original_its_old_name_is_free():
    city_id = add_city("广东", "旧")
    rename_as_original(city_id, "新")
    assert search_keys.find_same("广东", "旧") is None
    assert search_keys.find_same("广东", "新") == city_id
    assert search_keys.find_same("广东", "新", other_than=city_id) is None


def test_the_first_of_several_equal_cities_is_found():
    cities = [add_city("广东", "深圳市"), add_city("广东", "深圳市")]
    add_as_original(("广东", "深圳市 ", 1))
    assert search_keys.find_same("广东", "深圳市") == cities[0]
    assert search_keys.find_same("广东", "深圳市", other_than=cities[0]) == cities[1]


def test_many_rows_without_keys_hide_none_with_keys():
    add_as_original(*(("省", f"c{number}", number) for number in range(600)))
    city_id = add_city("广东", "深圳市")
    assert search_keys.find_same("广东", "深圳市") == city_id


def test_a_new_city_asks_the_register_one_question(any_app):
    add_cities(*((f"p{number % 30}", f"c{number}", number) for number in range(6000)))
    with statements() as sent:
        services.create_city(ACTOR, given("p1", "new", "1"))
    [(statement, parameters)] = [pair for pair in sent if pair[0].startswith("SELECT")]
    explain = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN"
    with db.engine.begin() as connection:
        if explain == "EXPLAIN":
            connection.execute(text("ANALYZE TABLE city"))
        plan = str(connection.exec_driver_sql(f"{explain} {statement}", parameters).all())
    assert "ix_city_city_key" in plan
    assert "ix_city_keys_due" in plan
    assert "ix_city_province_same_usernumber" in plan


def test_keys_follow_a_name_whose_end_changes():
    """MariaDB takes "a" and "a " for equal; no key depends on spaces at the end."""
    city_id = add_city("广东", "a")
    for name, key in (("a ", "a"), ("b ", "b"), ("b\u3000x", "b x")):
        rename_as_original(city_id, name)
        search_keys.fill_keys()
        assert find_city(city_id).city_key == key
        db.session.rollback()


def test_emptied_names_are_due():
    city_id = add_city("广东", "a")
    db.session.execute(update(City).values(cityname=None))
    db.session.commit()
    assert due() == [None]
    search_keys.fill_keys()
    assert due() == []
    assert find_city(city_id).city_key == ""
