"""Files that cannot be counted in time: pages show the last totals, or say so."""

import re
from datetime import timedelta

import pytest

from app.files.cache import CACHE
from app.files.folders import queries
from app.redis import cache as shared
from app.redis.client import redis_store
from app.redis.lock import Lock
from app.times import at, now
from tests.cities.conftest import add_city
from tests.factories import add_person, too_slow
from tests.files.helpers import store
from tests.html import Page

PAGES = ["/", "/files", "/cities/glance"]
TOTALS = re.compile(r"(sum|max)\(file|^SELECT count\(\*\) AS count_1 \nFROM file")


@pytest.fixture(autouse=True)
def files(app, monkeypatch):
    monkeypatch.setattr(queries, "SOON_COUNTED", 0)
    with app.test_request_context():
        add_city()
        person = add_person("owner", "editor")
        store(person, "a.txt", b"1")
        store(person, "folder/b.txt", b"22", with_folder=True)


def forget(app):
    """Every value, but not the last totals."""
    with app.app_context():
        for key in redis_store.client.scan_iter(f"{CACHE.prefix}:*"):
            if ":last:" not in key:
                redis_store.client.delete(key)


def test_pages_are_shown_without_totals_that_were_never_counted(app, as_role):
    viewer = as_role("viewer")
    with too_slow(app, TOTALS.search) as sent:
        start, listed, glance = (Page(viewer.get(path)) for path in PAGES)
        tried = len(sent)
        again = [viewer.get(path).status_code for path in PAGES]
    assert tried
    assert len(sent) == tried
    assert again == [200] * len(PAGES)
    assert start.texts(".stat .value")[2] == "–"
    assert "could not be counted yet" in start.texts(".stat .note")
    assert not start.has(".start-steps")
    assert listed.text("h1 + .figure") == "could not be counted yet"
    assert listed.one("td.n span")["title"] == "could not be counted yet"
    assert "more than" not in listed.text("main")
    assert "–" in glance.texts("dl.stats dd")


def test_the_last_totals_are_shown_with_their_age(app, as_role):
    viewer, counted = as_role("viewer"), now()
    with at(counted):
        for path in PAGES:
            viewer.get(path)
    forget(app)
    with too_slow(app, TOTALS.search), at(counted + timedelta(seconds=45)):
        start, listed = (Page(viewer.get(path)) for path in PAGES[:2])
    assert start.texts(".stat .value")[2] == "2"
    assert "counted 45 seconds ago" in start.texts(".stat .note")
    assert listed.text("h1 + .figure") == "2 files, 3 B · counted 45 seconds ago"


def test_a_page_does_not_fail_because_another_request_is_counting(app, as_role, monkeypatch):
    monkeypatch.setattr(shared, "WAIT_SECONDS", 0.05)
    viewer = as_role("viewer")
    viewer.get("/files")
    with app.app_context():
        client = redis_store.client
        begin = (f'{CACHE.prefix}:["totals"', f"{CACHE.prefix}:below")
        keys = [key for key in client.scan_iter(f"{CACHE.prefix}:*") if key.startswith(begin)]
        forget(app)
        assert len(keys) == 2
        for key in keys:
            lock = Lock(f"gz:lock:{key}")
            client.set(lock.key, lock.token, px=30_000)
    assert viewer.get("/files").status_code == 200
