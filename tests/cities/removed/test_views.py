"""The pages of removed cities."""

import pytest

from tests.cities.conftest import NEW
from tests.factories import HTML
from tests.html import Page

LIST, EMPTY = "/cities/removed", "/cities/removed/empty"


@pytest.fixture
def gone(as_role, cities):
    """Two cities that an editor removed; returns that browser."""
    cities(("广东", "深圳市", 17_494_398), ("海南", "三沙市", 5))
    editor = as_role("editor")
    for city_id in (1, 2):
        editor.submit(f"/cities/{city_id}/delete")
    editor.get("/cities")
    return editor


def message(response):
    return Page(response).text(".notice")


def test_the_list_says_what_was_removed_by_whom_and_restores_it(gone, rows):
    assert LIST in Page(gone.get("/cities")).links(".head-actions a")
    page = Page(gone.get(LIST))
    assert page.texts("tbody .main") == ["三沙市", "深圳市"]
    assert page.texts("tbody .n") == ["5", "17,494,398"]
    assert [text.split()[-1] for text in page.texts("tbody .by")] == ["editor", "editor"]
    assert page.text("tbody tr:first-child .when") == "just now"
    assert page.text(".head .quiet") == "2"
    assert not page.has(f"a[href='{EMPTY}']")
    headers = {**HTML, "Referer": f"http://localhost{LIST}?q=x"}
    response = gone.submit("/cities/removed/1/restore", page=LIST, headers=headers)
    assert (response.status_code, response.location) == (303, f"{LIST}?q=x")
    page = Page(gone.get(LIST))
    assert page.text(".notice") == "深圳市 was restored. Open"
    assert page.links(".notice a") == ["/cities/1"]
    assert page.texts("tbody .main") == ["三沙市"]
    assert rows() == [(1, "广东", "深圳市", 17_494_398)]


def test_the_list_is_searched(gone):
    assert Page(gone.get(f"{LIST}?q=深圳")).texts("tbody .main") == ["深圳市"]
    page = Page(gone.get(f"{LIST}?q=nowhere"))
    assert page.text(".empty p") == "No removed city matches this search."
    assert page.links(".empty a") == [LIST]


def test_an_empty_list_says_so(as_role):
    page = Page(as_role("editor").get(LIST))
    assert page.text(".empty") == "There are no cities to restore."


def test_the_address_of_a_removed_city_says_so_and_offers_to_restore_it(gone, as_role, rows):
    response = gone.get("/cities/1")
    assert response.status_code == 404
    page = Page(response)
    assert page.text("h1") == "深圳市"
    assert message(response) == (
        "editor removed this city just now . It can be restored for 30 days after its removal."
    )
    assert page.texts("main dd") == ["深圳市", "广东", "17,494,398"]
    assert page.links(".crumbs a") == ["/cities", LIST]
    headers = {**HTML, "Referer": "http://localhost/cities/1"}
    button = "/cities/removed/1/restore"
    assert page.one(f"form[action^='{button}?']")
    response = gone.submit(button, page="/cities/1", headers=headers)
    assert (response.status_code, response.location) == (303, "/cities/1")
    assert gone.get("/cities/1").status_code == 200
    viewer = Page(as_role("viewer").get("/cities/2"))
    assert viewer.text("h1") == "三沙市"
    assert not viewer.has("main button")
    assert viewer.links(".crumbs a") == ["/cities"]


def test_the_page_of_a_removed_city_has_its_history(gone, as_role):
    page = Page(gone.get("/cities/1"))
    assert page.texts(".side h2") == ["History"]
    feed = page.texts(".side .feed > li")
    assert feed == ["E You removed this city just now Restore"]
    admin = as_role("admin")
    admin.submit("/cities/removed/2/restore", page=LIST)
    admin.submit("/cities/2/delete")
    feed = Page(as_role("viewer").get("/cities/2")).texts(".side .feed > li")
    assert [text.split(" this city")[0] for text in feed] == [
        "A admin removed",
        "A admin restored",
        "E editor removed",
    ]


def test_scripts_and_visitors_do_not_get_the_page_of_a_removed_city(gone, browser, make_app):
    response = gone.get("/cities/1", headers={"Accept": "application/json"})
    assert response.status_code == 404
    assert "not in the register" in response.json["error"]
    open_to_all = make_app(PUBLIC_READ="1").test_client().get("/cities/1", headers=HTML)
    assert open_to_all.status_code == 404
    assert "深圳市" not in open_to_all.text
    assert browser.get("/cities/1").location.startswith("/login")
    assert gone.get("/cities/9").status_code == 404


def test_an_administrator_empties_the_list_after_a_question(gone, as_role, rows):
    admin = as_role("admin")
    assert EMPTY in Page(admin.get(LIST)).links(".head-actions a")
    page = Page(admin.get(EMPTY))
    assert page.text("h1") == "Delete all removed cities permanently?"
    assert page.text(".lead").startswith("2 removed cities can no longer be restored")
    assert "cannot be undone" in page.text("form.form")
    assert page.text(".btn-danger") == "Delete 2 cities permanently"
    until = page.one("form.form [name=until]")["value"]
    gone.submit("/cities/new", NEW)
    gone.submit("/cities/3/delete")
    response = admin.submit(EMPTY, {"until": until})
    assert (response.status_code, response.location) == (303, LIST)
    page = Page(admin.get(LIST))
    assert page.text(".notice") == "2 removed cities were deleted permanently."
    assert page.texts("tbody .main") == ["深圳市"], "what was removed after the question stays"
    again = admin.submit(EMPTY, {"until": until})
    assert again.status_code == 409
    assert "Nothing is left to delete" in Page(again).text(".error-summary")


@pytest.mark.parametrize("until", ["", "soon", "2026-01-01", "2026-01-01T00:00:00"])
def test_a_question_without_its_moment_is_asked_again(gone, as_role, until):
    response = as_role("admin").submit(EMPTY, {"until": until})
    assert response.status_code == 422
    assert "out of date" in Page(response).text(".error-summary")
    assert len(Page(gone.get(LIST)).all("tbody tr")) == 2


def test_with_nothing_removed_the_question_has_no_button(as_role):
    page = Page(as_role("admin").get(EMPTY))
    assert not page.has(".btn-danger")
    assert page.links(".submit-row a") == [LIST]
