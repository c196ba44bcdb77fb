"""Totals of a large register: shared for half a minute, with their moment."""

import sqlite3
from datetime import timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import OperationalError

from app.cities import cache, services
from app.cities.details.merging import form_version
from app.cities.details.queries import read_province
from app.cities.listing import list_page
from app.cities.models import City
from app.cities.queries import find_city
from app.cities.statistics.queries import read_statistics
from app.database.engine import db
from app.redis.client import redis_store
from app.times import at, now
from tests.cities.conftest import ACTOR, add_cities, given
from tests.factories import note_calls
from tests.html import Page

MANY = 6


@pytest.fixture(params=[(0, MANY), (3, MANY), (0, MANY - 1)], ids=["small", "late ids", "large"])
def is_large(request, monkeypatch, app):
    """A register of MANY cities, which is at the limit of a small one or above."""
    removed, large = request.param
    monkeypatch.setattr(cache, "LARGE", large)
    with app.app_context():
        add_cities(*(("p", f"c{number}", 1) for number in range(-removed, MANY)))
        db.session.execute(delete(City).where(City.id <= removed))
        db.session.commit()
    return large < MANY


def add_one(app):
    with app.app_context():
        services.create_city(ACTOR, given("p", "new", 1))


def counted():
    """The keys of the totals in Redis."""
    return [*redis_store.client.scan_iter("gz:city-totals:[cgp]*", _type="string")]


def test_a_total_of_the_list_shows_every_change_or_its_moment(app, as_role, is_large):
    viewer = as_role("viewer")
    for language, word in (("en", "counted just now"), ("zh", "刚刚 统计")):
        viewer.client.set_cookie("gz_language", language)
        note = Page(viewer.get("/cities")).text("h1 + .figure")
        assert (f"{MANY} · {word}" in note) == is_large
        assert Page(viewer.get("/cities")).has(".figure [data-zone] time[title]") == is_large
    add_one(app)
    page = Page(viewer.get("/cities"))
    assert page.text("h1 + .figure").startswith(str(MANY if is_large else MANY + 1))
    assert page.texts("td.main > a")[0] == "new"


# Where totals are, and how many of them.
SHOWN = [
    ("/cities", "h1 + .figure time", 1),
    ("/", ".stat .note time", 1),
    ("/cities/glance", "h1 + .figure time", 1),
    (f"/cities/{MANY}", "h1 + .figure time, .share-text time", 2),
]
AGES = [(0, "just now", "刚刚"), (1, "1 second ago", "1秒钟前"), (12, "12 seconds ago", "12秒钟前")]


@pytest.mark.parametrize(("path", "where", "count"), SHOWN)
def test_old_totals_say_how_old_they_are(as_role, is_large, monkeypatch, path, where, count):
    """To the second, also on a page that is cached."""
    viewer, draws = as_role("viewer"), note_calls(monkeypatch, list_page, "draw_list")
    counted = now()
    for language, column in (("en", 1), ("zh", 2)):
        viewer.client.set_cookie("gz_language", language)
        draws.clear()
        for age in AGES:
            with at(counted + timedelta(seconds=age[0])):
                page = Page(viewer.get(path))
            times = page.texts(where)
            assert times == [age[column]] * count * is_large
        assert len(draws) == (path == "/cities")


@pytest.mark.parametrize("is_large", [(0, MANY - 1)], indirect=True)
@pytest.mark.parametrize("path", ["/cities", "/cities/glance", "/cities/1"])
def test_what_shows_an_old_total_expires_with_it(app, as_role, is_large, path):
    viewer = as_role("viewer")
    viewer.get(path)
    with app.app_context():
        for key in counted():
            redis_store.client.pexpire(key, 5_000)
    add_one(app)
    viewer.get(path)
    with app.app_context():
        shown = [*redis_store.client.scan_iter("gz:cities:[flgp]*")]
        assert shown
        assert all(0 < redis_store.client.pttl(key) <= 5_000 for key in [*shown, *counted()])


def test_the_share_of_a_city_shows_every_change_or_the_moment_of_its_total(app, as_role, is_large):
    viewer = as_role("viewer")
    address = f"/cities/{MANY}"
    assert Page(viewer.get(address)).has(".share-text time") == is_large
    with app.app_context():
        row = find_city(MANY)
        services.update_city(ACTOR, MANY, form_version(row), given("p", row.cityname, "50"))
    page = Page(viewer.get(address))
    assert page.has(".share-text") != is_large  # 50 of 6 users
    if not is_large:
        assert page.text(".share-text").startswith("90.91%: 50 of 55 users")


def test_a_search_has_its_number_alone(as_role, is_large):
    note = Page(as_role("viewer").get("/cities?q=c1")).text("h1 + .figure")
    assert note.split(" ·")[0] == "1"
    assert "counted" not in note


def test_statistics_show_every_change_or_their_moment(app, as_role, is_large):
    viewer = as_role("viewer")
    assert Page(viewer.get("/cities/glance")).has(".head .figure time") == is_large
    with app.app_context():
        row = find_city(MANY)
        before = read_statistics(ACTOR), read_province(ACTOR, row)
    add_one(app)
    with app.app_context():
        figures, province = read_statistics(ACTOR), read_province(ACTOR, row)
    more = 0 if is_large else 1
    assert figures.cities == before[0].cities + more
    assert province.cities == before[1].cities + more
    assert (figures == before[0]) == is_large


@pytest.mark.parametrize(("code", "status"), [(9, 200), (1, 500)])
@pytest.mark.parametrize("is_large", [(0, MANY - 1)], indirect=True)
def test_what_takes_too_long_to_count_is_more(is_large, as_role, monkeypatch, code, status):
    error = sqlite3.OperationalError("interrupted")
    error.sqlite_errorcode = code

    def fail(*_args, **_more):
        raise OperationalError("SELECT", {}, error)

    monkeypatch.setattr(cache, "count_rows", fail)
    viewer = as_role("viewer")
    response = viewer.get("/cities")
    assert response.status_code == status
    if status == 200:
        assert Page(response).text("h1 + .figure").startswith("more than 1,000")
        assert "Rank" not in viewer.get("/cities/1").text
