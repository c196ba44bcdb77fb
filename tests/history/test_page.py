"""The page of the history."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from app.actor import Actor
from app.database.engine import db
from app.history.models import HistoryEntry
from app.history.services import Change, prune
from app.times import now
from tests.factories import HTML, entries
from tests.history.conftest import ADA, SCRIPT, change, register_kinds
from tests.html import Page

ROWS, CHIPS = "table.history tbody tr", ".chips a.chip"


@pytest.fixture
def admin(app, as_role, monkeypatch):
    """An administrator's browser, with a few entries to look at."""
    register_kinds(app, monkeypatch)
    browser = as_role("admin")
    with app.app_context():
        change(ADA, "ship.create", Change(1, after={"port": "Oslo", "ship": "Beagle"}))
        change(SCRIPT, "ship.update", Change(1, {"crew": 5}, {"crew": 7}), batch_id="12")
        change(Actor.operator(), "ship.update", Change(2, {"port": "<b>"}, {"port": 'a"b'}))
        change(ADA, "ship.delete", Change(9, before={"port": "Oslo", "ship": "Gjøa"}))
    return browser


def shown(browser, query=""):
    """The page with these filters."""
    return Page(browser.get(f"/history?{query}"))


def test_entries_are_listed_newest_first(admin):
    page = shown(admin)
    assert page.texts(ROWS) == [
        "just now Ada Lovelace Ship removed Gjøa Port before: Oslo",
        'just now Command line Ship changed <Fram> Port before: <b> → after: a"b',
        "just now Ada Lovelace by token Ship changed Beagle Crew before: 5 → after: 7"
        " All changes of this batch",
        "just now Ada Lovelace Ship added Beagle Port Oslo",
    ]
    assert page.texts(f"{ROWS} .main") == ["Gjøa", "<Fram>", "Beagle", "Beagle"]
    assert page.links(f"{ROWS} .main a") == ["/ships/2", "/ships/1", "/ships/1"]
    assert set(page.links("a[aria-current=page]")) == {"/history"}
    assert not page.has(".pager")


def test_filters_are_in_the_address_and_removable(admin):
    assert len(shown(admin, "person=7").all(ROWS)) == 3
    assert len(shown(admin, "person=0").all(ROWS)) == 1
    assert len(shown(admin, "kind=ship").all(ROWS)) == 4
    page = shown(admin, "person=7&kind=ship&batch=12")
    assert len(page.all(ROWS)) == 1
    assert page.text("select[name=person] option[selected][value='7']") == "Ada Lovelace"
    assert page.text("select[name=kind] option[selected][value=ship]") == "Ship"
    assert page.one("input[type=hidden][name=batch]")["value"] == "12"
    assert page.texts(CHIPS) == [
        "Remove the filter Ada Lovelace",
        "Remove the filter Ship",
        "Remove the filter One batch",
    ]
    assert page.links(CHIPS) == [
        "/history?kind=ship&batch=12",
        "/history?person=7&batch=12",
        "/history?person=7&kind=ship",
    ]
    assert page.links(".chips a.clear") == ["/history"]
    assert shown(admin).links(f"{ROWS} .changes a.batch") == ["/history?batch=12"]


def test_a_batch_is_not_called_by_its_id(app, admin):
    batch = "76fff113d4324a809abe93cbc5e67c83"
    with app.app_context():
        change(ADA, "ship.create", Change(3, after={"crew": 1}), batch_id=batch)
    page = shown(admin)
    assert page.texts(f"{ROWS} .changes")[0] == "Crew 1 All changes of this batch"
    assert page.links(f"{ROWS} .changes a.batch")[0] == f"/history?batch={batch}"
    own = shown(admin, f"batch={batch}")
    assert own.text(f"{ROWS} .changes") == "Crew 1"
    assert batch not in own.text("main")


def test_what_no_entry_matches(admin):
    for query in (
        "person=99",
        "kind=comet",
        "day=2020-02-01",
        "batch=none",
        "person=7&day=2020-02-01",
    ):
        response = admin.get(f"/history?{query}")
        assert response.status_code == 200
        page = Page(response)
        assert page.text(".empty p") == "No entry matches these filters."
        assert page.links(".empty-actions a") == ["/history"]
    assert page.one("input[name=day]")["value"] == "2020-02-01"
    assert page.texts(CHIPS) == ["Remove the filter Ada Lovelace", "Remove the filter Feb 1, 2020"]


def test_a_day_is_that_of_the_reader(app, admin):
    with app.app_context():
        for entry in entries():
            db.session.execute(
                update(HistoryEntry)
                .where(HistoryEntry.id == entry.id)
                .values(at=datetime(2026, 3, 1, 20, 30, tzinfo=UTC))
            )
        db.session.commit()
    for zone, day, other in (
        ("America/New_York", "2026-03-01", "2026-03-02"),
        ("Asia/Shanghai", "2026-03-02", "2026-03-01"),
    ):
        admin.client.set_cookie("gz_zone", zone)
        assert len(shown(admin, f"day={day}").all(ROWS)) == 4
        assert shown(admin, f"day={other}").all(ROWS) == []
        assert zone in shown(admin).one(".filter-label")["title"]


def test_values_that_are_no_filter_are_ignored_with_a_message(admin):
    page = shown(admin, "person=x&day=2020-02-30&page=x")
    assert len(page.all(ROWS)) == 4
    message = "This filter could not be read and was ignored: "
    assert page.text(".notice.caution") == f"{message}Person, Day."
    assert shown(admin, "person=7&day=x").text(".notice.caution") == f"{message}Day."
    assert not shown(admin, "person=&day=&kind=comet").has(".notice.caution")


def test_pager_keeps_the_filters(app, admin):
    with app.app_context():
        change(ADA, "ship.update", *(Change(1, {"crew": n}, {"crew": n + 1}) for n in range(60)))
    page = shown(admin, "person=7")
    assert page.text(".pager > .figure") == "1–50 of 63"
    [following] = page.links(".pager a[rel=next]")
    assert following.startswith("/history?person=7&page=")
    assert len(Page(admin.get(following)).all(ROWS)) == 13


def test_places_beyond_the_count_are_true(app, admin):
    with app.app_context():
        change(ADA, "ship.update", *(Change(1, {"crew": n}, {"crew": n + 1}) for n in range(1070)))
    page, places = shown(admin, "person=7"), []
    while following := page.links(".pager a[rel=next]"):
        page = Page(admin.get(following[0]))
        places.append(page.text(".pager > .figure"))
    assert places[-4:] == [
        "901–950 of more than 1,000",
        "951–1,000 of more than 1,000",
        "1,001–1,050 of more than 1,050",
        "1,051–1,073 of 1,073",
    ]
    [back] = page.links(".pager a[rel=prev]")
    assert Page(admin.get(back)).text(".pager > .figure") == places[-2]


def test_empty_history_says_what_belongs_there(as_role):
    page = shown(as_role("admin"))
    assert page.text(".empty p").startswith("Nothing has been changed yet.")
    assert not page.has("table")


def test_page_is_for_administrators(app, as_role, browser):
    assert browser.get("/history?kind=city").location == "/login?next=/history?kind%3Dcity"
    assert browser.client.get("/history").status_code == 401
    for role in ("viewer", "editor"):
        person = as_role(role)
        assert person.client.get("/history", headers=HTML).status_code == 403
        assert not Page(person.get("/cities")).has("a[href='/history']")
    assert Page(as_role("admin").get("/cities")).has("a[href='/history']")


def test_pruning_is_an_entry_too(app, flask, admin):
    flask("history", "prune", "--before", "2026-01-01")
    assert len(shown(admin).all(ROWS)) == 4
    with app.app_context():
        change(ADA, "ship.update", *[Change(1, {}, {})] * 1230)
        prune(Actor.operator(), now())
    [row] = shown(admin).texts(ROWS)
    assert "Command line Old entries deleted History" in row
    assert "Entries 1,234" in row
