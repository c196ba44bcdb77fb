"""Totals that cannot be counted in time: pages show the last ones, or say so."""

import re
from datetime import timedelta

import pytest

from app.cities import cache, services
from app.redis import cache as shared
from app.redis.client import redis_store
from app.redis.lock import Lock
from app.times import at, now
from tests.cities.conftest import ACTOR, add_cities, given
from tests.factories import too_slow
from tests.html import Page

MANY = 6
PAGES = ["/", "/cities", "/cities/glance", "/cities/1"]
TOTALS = re.compile(r"sum\(city|^SELECT count\(\*\) AS count_1 \nFROM city")
SMALL = re.compile(rf"{TOTALS.pattern}|^SELECT CASE")  # which counts if the register is small


@pytest.fixture(autouse=True)
def register(app, monkeypatch):
    """A large register; the last totals of few cities are stored too."""
    monkeypatch.setattr(cache, "LARGE", MANY - 1)
    monkeypatch.setattr(cache, "COUNT_MOST", 0)
    with app.app_context():
        add_cities(*(("p", f"c{number}", number) for number in range(MANY)))


def expire(app, last=False):
    """What is shared for half a minute, or with the last totals."""
    with app.app_context():
        for key in redis_store.client.scan_iter("gz:cit*"):
            if last or ":last:" not in key:
                redis_store.client.delete(key)


@pytest.mark.parametrize("large", [MANY - 1, MANY])
def test_pages_are_shown_without_totals_that_were_never_counted(app, as_role, monkeypatch, large):
    monkeypatch.setattr(cache, "LARGE", large)
    viewer = as_role("viewer")
    totals = SMALL if large == MANY else TOTALS
    with too_slow(app, totals.search) as sent:
        pages = {path: viewer.get(path) for path in PAGES}
        tried = len(sent)
        again = [viewer.get(path).status_code for path in PAGES]
    assert tried
    assert len(sent) == tried
    assert [page.status_code for page in pages.values()] == again == [200] * len(PAGES)
    start = Page(pages["/"])
    assert start.texts(".stat .value")[:2] == ["–", "–"]
    assert "could not be counted yet" in start.texts(".stat .note")
    assert not start.has(".start-steps a[href='/cities/new']")
    assert "could not be counted yet" in Page(pages["/cities/glance"]).text(".empty")


def test_a_change_does_not_try_again_what_took_too_long(app, as_role):
    viewer = as_role("viewer")
    with too_slow(app, TOTALS.search) as sent:
        for _change in range(3):
            tried = len(sent)
            assert [viewer.get(path).status_code for path in PAGES] == [200] * len(PAGES)
            with app.app_context():
                services.create_city(ACTOR, given("q", f"new {_change}", 1))
    assert len(sent) == tried


def test_the_last_totals_are_shown_with_their_age(app, as_role):
    viewer, counted = as_role("viewer"), now()
    with at(counted):
        for path in PAGES:
            viewer.get(path)
    expire(app)
    with app.app_context():
        services.create_city(ACTOR, given("p", "new", 100))
    with too_slow(app, TOTALS.search), at(counted + timedelta(seconds=45)):
        start, listed, glance, city = (Page(viewer.get(path)) for path in PAGES)
    assert start.texts(".stat .value")[:2] == ["6", "15"]
    assert "counted 45 seconds ago" in start.texts(".stat .note")
    assert listed.text("h1 + .figure").startswith("6 · counted 45 seconds ago")
    assert listed.texts("td.main > a")[0] == "new"
    assert glance.text("h1 + .figure") == "counted 45 seconds ago"
    assert glance.texts("dl.stats dd")[:2] == ["15", "6"]
    assert city.text("h1 + .figure").endswith("by users · counted 45 seconds ago")
    expire(app)
    assert Page(viewer.get("/")).texts(".stat .value")[:2] == ["7", "115"]


def test_a_page_does_not_fail_because_another_request_is_counting(app, as_role, monkeypatch):
    monkeypatch.setattr(shared, "WAIT_SECONDS", 0.05)
    viewer = as_role("viewer")
    for key in ("gz:city-totals:cities", "gz:city-totals:glance", "gz:cities:glance"):
        for value in ("–", "6"):
            expire(app, last=True)
            with app.app_context():
                if value != "–":
                    viewer.get("/")
                    expire(app)
                lock = Lock(f"gz:lock:{key}")
                redis_store.client.set(lock.key, lock.token, px=lock.lease)
                with lock.renewed():
                    response = viewer.get("/")
                redis_store.client.delete(lock.key)
            assert response.status_code == 200
            # The cities alone may be unknown: the rest of the totals is counted nevertheless.
            found = Page(response).texts(".stat .value")[0]
            assert found == ("6" if key == "gz:city-totals:cities" else value)


def test_around_the_limit_totals_show_every_change_or_their_moment(app, as_role, monkeypatch):
    monkeypatch.setattr(cache, "LARGE", MANY - 1)
    viewer, true = as_role("viewer"), MANY
    viewer.get("/cities")  # counts more than the limit
    for change in range(4):
        with app.app_context():
            if change:
                services.create_city(ACTOR, given("p", f"new {change}", 1))
            else:
                services.delete_city(ACTOR, 2)
        true += 1 if change else -1
        start, glance = Page(viewer.get("/")), Page(viewer.get("/cities/glance"))
        assert start.has(".stat .note time") or start.texts(".stat .value")[0] == str(true)
        assert glance.has(".head .figure time") or glance.texts("dl.stats dd")[1] == str(true)
        city = Page(viewer.get("/cities/1"))
        assert city.has(".share-text time") or not city.has(".share-text")
