"""The page of the history."""

import re
from html import unescape

import pytest

from app.actor import Actor
from app.history.services import Change, record_pruning
from app.times import now
from tests.factories import HTML
from tests.history.conftest import ADA, SCRIPT, change, register_kinds


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


def body(page):
    """The text of the table's rows, one line each."""
    found = re.search(r"<tbody>(.*)</tbody>", page.text, re.DOTALL)
    rows = found[1].split("</tr>")[:-1] if found else []
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in rows]


def test_entries_are_listed_newest_first(admin):
    page = admin.get("/history")
    assert body(page) == [
        "just now Ada Lovelace Ship removed Gjøa Port before: Oslo",
        'just now Command line Ship changed <Fram> Port before: <b> → after: a"b',
        "just now Ada Lovelace by token Ship changed Beagle Crew before: 5 → after: 7 Batch 12",
        "just now Ada Lovelace Ship added Beagle Port Oslo",
    ]
    assert '<a href="/ships/1">Beagle</a>' in page.text
    assert "/ships/9" not in page.text
    assert '<a href="/history" aria-current="page">' in page.text
    assert 'class="pager"' not in page.text


def test_filters_are_in_the_address_and_removable(admin):
    assert len(body(admin.get("/history?person=7"))) == 3
    assert len(body(admin.get("/history?person=0"))) == 1
    assert len(body(admin.get("/history?kind=ship"))) == 4
    page = admin.get("/history?person=7&kind=ship&batch=12")
    assert len(body(page)) == 1
    assert '<option value="7" selected>Ada Lovelace</option>' in page.text
    assert '<option value="ship" selected>Ship</option>' in page.text
    assert '<input type="hidden" name="batch" value="12">' in page.text
    chips = re.findall(r'<a class="chip" href="([^"]+)"', page.text)
    assert [unescape(each) for each in chips] == [
        "/history?kind=ship&batch=12",
        "/history?person=7&batch=12",
        "/history?person=7&kind=ship",
    ]
    assert '<a class="clear" href="/history">' in page.text
    assert 'href="/history?batch=12"' in admin.get("/history").text


def test_long_ids_of_batches_are_cut(app, admin):
    batch = "76fff113d4324a809abe93cbc5e67c83"
    with app.app_context():
        change(ADA, "ship.create", Change(3, after={"crew": 1}), batch_id=batch)
    page = admin.get(f"/history?batch={batch}")
    [row] = body(page)
    assert row.endswith("Crew 1 Batch 76fff113")
    assert f'href="/history?batch={batch}"' in page.text


def test_what_no_entry_matches(admin):
    for query in (
        "person=99",
        "kind=comet",
        "day=2020-02-01",
        "batch=none",
        "person=7&day=2020-02-01",
    ):
        page = admin.get(f"/history?{query}")
        assert page.status_code == 200
        assert "No entry matches these filters." in page.text
    assert 'value="2020-02-01"' in page.text
    assert "Feb 1, 2020" in page.text
    assert len(body(admin.get("/history?person=x&day=x&page=x"))) == 4


def test_pager_keeps_the_filters(app, admin):
    with app.app_context():
        change(ADA, "ship.update", *(Change(1, {"crew": n}, {"crew": n + 1}) for n in range(60)))
    page = admin.get("/history?person=7")
    assert "1–50 of 63" in page.text
    following = unescape(re.search(r'href="([^"]+)" rel="next"', page.text)[1])
    assert following.startswith("/history?person=7&page=")
    assert len(body(admin.get(following))) == 13


def test_empty_history_says_what_belongs_there(as_role):
    assert "Nothing has been changed yet." in as_role("admin").get("/history").text


def test_page_is_for_administrators(app, as_role, browser):
    assert browser.get("/history?kind=city").location == "/login?next=/history?kind%3Dcity"
    assert browser.client.get("/history").status_code == 401
    for role in ("viewer", "editor"):
        person = as_role(role)
        assert person.client.get("/history", headers=HTML).status_code == 403
        assert 'href="/history"' not in person.get("/cities").text


def test_pruning_is_an_entry_too(app, admin):
    app.test_cli_runner().invoke(args=["history", "prune", "--before", "2026-01-01"])
    assert len(body(admin.get("/history"))) == 4
    with app.app_context():
        record_pruning(Actor.operator(), now().replace(year=2026, month=1, day=1, hour=0), 12_345)
    assert "Command line Old entries deleted History" in body(admin.get("/history"))[0]
    assert "Entries 12,345" in body(admin.get("/history"))[0]
