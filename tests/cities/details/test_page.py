"""The page of a city: where it is, its place and share, its history."""

import pytest

from app.cities.details import page as details
from app.database import keyset
from tests.cities.conftest import value
from tests.factories import HTML, statements
from tests.html import Page

ROWS = [("广东", "深圳市", 60), ("广东", "广州市", 140), ("河北", "石家庄", 90), ("", "无省市", 5)]


def test_the_page_says_where_the_city_is_and_its_share(as_role, cities):
    cities(*ROWS)
    page = Page(as_role("viewer").get("/cities/1"))
    assert page.texts(".crumbs a") == ["Cities", "广东"]
    assert page.links(".crumbs a")[1].startswith("/cities?province=%E5%B9%BF")
    assert page.text(".head .quiet") == "Rank 3 of 4 by users"
    assert page.text(".share-text") == "30%: 60 of 200 users in 2 cities"
    assert page.all(".share rect")[1]["width"] == "30.0%"
    assert not page.has("main form")


def test_a_city_without_a_province_or_a_number_has_no_share(as_role, cities):
    cities(*ROWS, ("广东", "东莞市", None), ("海南", "三沙市", 0))
    viewer = as_role("viewer")
    page = Page(viewer.get("/cities/4"))
    assert page.texts(".crumbs a") == ["Cities"]
    assert not page.has(".share")
    page = Page(viewer.get("/cities/5"))
    assert not page.has(".share, .head .quiet")
    assert not Page(viewer.get("/cities/6")).has(".share")


def test_the_place_of_a_city_far_down_is_not_counted(as_role, cities, monkeypatch):
    monkeypatch.setattr(keyset, "COUNT_MOST", 1)
    cities(*ROWS)
    assert Page(as_role("viewer").get("/cities/2")).text(".head .quiet").startswith("Rank 1 ")
    assert not Page(as_role("viewer").get("/cities/1")).has(".head .quiet")


@pytest.mark.parametrize(
    ("users", "total", "share"),
    [
        (5, 200, 2.5),
        (5, 0, None),
        (None, 200, None),
        (-1, 200, None),
        (0, 10, 0),
        (9, 3, None),
        (3, 3, 100),
    ],
)
def test_share_is_a_part_of_a_whole(users, total, share):
    assert details.share_of(users, total) == share


def test_the_history_says_who_changed_what_and_undoes_it(as_role, cities, rows):
    cities(*ROWS)
    editor = as_role("editor")
    page = editor.get("/cities/1")
    assert Page(page).text(".side .feed-none") == "No changes have been recorded."
    data = {"province": "广东", "city": "深圳市", "number": "61", "version": value(page, "version")}
    assert editor.submit("/cities/1", data).status_code == 303
    page = Page(editor.get("/cities"))
    assert page.text(".notice") == "深圳市 was saved. Open Undo"
    assert page.links(".notice a") == ["/cities/1"]
    undo = page.one(".notice button")["formaction"]
    page = Page(editor.get("/cities/1"))
    assert "changed" in page.text(".side .feed li")
    assert page.text(".side .feed del").endswith("60")
    assert page.text(".side .feed ins").endswith("61")
    assert page.one(".side .feed button")["formaction"] == undo
    viewer = Page(as_role("viewer").get("/cities/1"))
    assert "editor" in viewer.text(".side .feed li")
    assert not viewer.has(".side button")
    assert editor.submit(undo, page="/cities/1").status_code == 303
    assert rows()[0][3] == 60


def test_visitors_see_no_names(make_app, as_role, cities):
    cities(*ROWS)
    editor = as_role("editor")
    version = value(editor.get("/cities/1"), "version")
    editor.submit("/cities/1", {"province": "广东", "city": "x", "number": "1", "version": version})
    page = Page(make_app(PUBLIC_READ="1").test_client().get("/cities/1", headers=HTML))
    assert page.text("h1") == "x"
    assert not page.has(".feed")
    assert "editor" not in page.text("main")


def test_the_page_needs_few_queries(app, as_role, cities):
    cities(*ROWS)
    editor = as_role("editor")
    page = editor.get("/cities/1")
    data = {"province": "广东", "city": "深圳市", "number": "61", "version": value(page, "version")}
    editor.submit("/cities/1", data)
    editor.get("/cities/1")
    with app.app_context(), statements() as sent:
        assert editor.get("/cities/1").status_code == 200
    assert len([text for text, _values in sent if text.startswith("SELECT")]) <= 9, sent
