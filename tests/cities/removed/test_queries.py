"""The list of removed cities: order, pages, search, the time after which a city is not on it."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from app.cities import services
from app.cities.models import RemovedCity
from app.cities.removed import queries
from app.cities.removed.queries import RemovedCityListing
from app.cities.search_keys import REMOVED_KEYS
from app.database.cursor import FIRST, LAST
from app.database.engine import db
from app.database.stored_keys import refresh
from app.times import now
from tests.cities.conftest import ACTOR, add_city
from tests.factories import OPERATOR, statements

pytestmark = pytest.mark.usefixtures("any_app")


def remove(city, province="广东"):
    """The id of a city that was added and removed."""
    city_id = add_city(province, city)
    services.delete_city(ACTOR, city_id)
    return city_id


def names(cursor=FIRST, size=50, **filters):
    page, _total = queries.select_removed(ACTOR, RemovedCityListing(**filters, size=size), cursor)
    return "".join(row.cityname for row in page.rows)


def test_the_last_removed_comes_first():
    for name in "abc":
        remove(name)
    assert names() == "cba"
    assert names(descending=False) == "abc"
    page, total = queries.select_removed(ACTOR, RemovedCityListing(), FIRST)
    assert (total, page.rows[0].removed_by) == (3, "editor")


def test_pages_are_read_by_key_in_both_directions():
    for name in "abcdefg":
        remove(name)
    first, _total = queries.select_removed(ACTOR, RemovedCityListing(size=3), FIRST)
    assert names(first.next, 3) == "dcb"
    assert names(LAST, 3) == "cba"
    last, _total = queries.select_removed(ACTOR, RemovedCityListing(size=3), LAST)
    assert names(last.previous, 3) == "fed"


@pytest.mark.parametrize("search", ["深圳", "广东深圳", "深圳广东", "shēn", "100%"])
def test_search_is_that_of_the_list_of_cities(search):
    remove("深圳市 shen 100%")
    remove("珠海市")
    assert names(search=search) == "深圳市 shen 100%"


def test_rows_of_the_previous_release_are_found_once_their_keys_are_filled_in():
    remove("深圳市")
    db.session.execute(update(RemovedCity).values(search_key=None))
    db.session.commit()
    assert names(search="深圳") == ""
    assert names() == "深圳市"
    refresh(REMOVED_KEYS)
    assert names(search="深圳") == "深圳市"


def test_a_city_that_can_no_longer_be_restored_is_not_on_the_list():
    city_id = remove("a")
    moment = now() - timedelta(days=30, seconds=1)
    db.session.execute(update(RemovedCity).values(removed_at=moment))
    db.session.commit()
    assert names() == ""
    assert queries.count_removed(OPERATOR) == 0
    assert queries.find_removed(ACTOR, city_id) is None


def test_a_page_of_many_is_read_by_an_index(any_app):
    moment = now()
    rows = [
        {
            "city_id": number,
            "version": 1,
            "provincename": "广东",
            "cityname": f"c{number}",
            "removed_at": moment - timedelta(seconds=number),
            "removed_by": "Ada",
        }
        for number in range(1, 3001)
    ]
    with db.engine.begin() as connection:
        connection.execute(insert(RemovedCity), rows)
    with statements() as sent:
        page, total = queries.select_removed(ACTOR, RemovedCityListing(size=3), FIRST)
    assert [row.cityname for row in page.rows] == ["c1", "c2", "c3"]
    assert total is None  # more than 1,000
    statement, values = sent[-1]
    explain = "EXPLAIN" if db.engine.dialect.name == "mysql" else "EXPLAIN QUERY PLAN"
    with db.engine.connect() as connection:
        plan = str(connection.exec_driver_sql(f"{explain} {statement}", values).all())
    assert "ix_removed_city_removed_at" in plan
    assert "filesort" not in plan
    assert "TEMP B-TREE" not in plan
