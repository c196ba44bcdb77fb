"""Readers in different time zones: they share the cached list, which is in the zone of the site,
and everything else is in theirs."""

from datetime import UTC, datetime

import pytest

from app.cities.exporting import views
from app.cities.listing import list_page
from tests.cities.conftest import add_city
from tests.factories import note_calls
from tests.html import Page

MOMENT = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)


@pytest.fixture
def city(app):
    with app.app_context():
        return add_city(changed_at=MOMENT)


def in_zone(browser, zone):
    browser.client.set_cookie("gz_zone", zone)
    return browser


def test_the_shared_list_is_in_the_zone_of_the_site(as_role, city, monkeypatch):
    drawn = note_calls(monkeypatch, list_page, "draw_list")
    for zone in ("America/New_York", "Asia/Kolkata"):
        page = Page(in_zone(as_role("viewer"), zone).get("/cities"))
        assert page.one("html")["data-zone"] == zone
        assert page.one(".sheet")["data-zone"] == "Asia/Shanghai"
        time = page.one(".sheet time")
        assert time["datetime"] == "2026-03-01T20:30:00.000+00:00"
        assert time["title"].replace("\u202f", " ") == (
            "Mar 2, 2026, 4:30:00 AM GMT+08:00 (China Standard Time)"
        )
    assert len(drawn) == 1


@pytest.mark.parametrize(
    ("zone", "shown", "name"),
    [
        ("America/New_York", "Mar 1, 2026, 3:30:00 PM GMT-05:00", "Eastern Standard Time"),
        ("Asia/Kolkata", "Mar 2, 2026, 2:00:00 AM GMT+05:30", "India Standard Time"),
    ],
)
def test_the_page_of_a_city_is_in_the_zone_of_its_reader(as_role, city, zone, shown, name):
    page = Page(in_zone(as_role("viewer"), zone).get(f"/cities/{city}"))
    times = {(each.text.replace("\u202f", " "), each["title"]) for each in page.all("main time")}
    assert (shown, name) in times
    assert {title for _, title in times} == {name}


@pytest.mark.parametrize(
    ("zone", "day"), [("America/New_York", "2026-03-01"), ("Asia/Shanghai", "2026-03-02")]
)
def test_the_name_of_an_export_has_the_day_of_its_reader(as_role, city, monkeypatch, zone, day):
    monkeypatch.setattr(views, "now", lambda: MOMENT)
    response = in_zone(as_role("viewer"), zone).get("/cities/export.csv")
    assert response.headers["Content-Disposition"] == f'attachment; filename="cities-{day}.csv"'
