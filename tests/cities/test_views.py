"""The pages that add, change and remove a city."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from app.cities import services
from app.cities.details.merging import form_version
from app.cities.fields import values_of
from app.database.engine import db
from tests.cities.conftest import ACTOR, NEW, add_as_original, value
from tests.factories import SPACES, add_person
from tests.html import Page, text_of


def message(page):
    """The text of the message above a list or a form."""
    return Page(page).text(".notice-text")


def change(app, city_id, actor, **values):
    """A change in another request."""
    with app.test_request_context():
        row = services.load_city(actor, city_id)
        version = form_version(row)
        services.update_city(actor, city_id, version, values_of(row) | values)


CANCEL = ".submit-row a"
WRITES = ["/cities/new", "/cities/1", "/cities/1/delete", "/cities/removed/1/restore"]


@pytest.mark.parametrize("path", WRITES)
def test_viewers_may_not_write(as_role, cities, path):
    cities(("广东", "深圳市", 1))
    response = as_role("viewer").submit(path, NEW, page="/account")
    assert response.status_code == 403


@pytest.mark.parametrize("path", WRITES)
def test_anonymous_may_not_write(browser, cities, rows, path):
    cities(("广东", "深圳市", 1))
    assert browser.submit(path, NEW, page="/login").status_code == 303
    assert browser.client.post(path, data=NEW).status_code in (400, 401)
    assert rows() == [(1, "广东", "深圳市", 1)]


@pytest.mark.parametrize("path", WRITES)
def test_writing_needs_the_token_of_the_session(as_role, cities, rows, path):
    cities(("广东", "深圳市", 1))
    assert as_role("editor").client.post(path, data=NEW).status_code == 400
    assert rows() == [(1, "广东", "深圳市", 1)]


def test_get_of_an_address_that_only_writes_is_405(as_role):
    response = as_role("editor").get("/cities/removed/1/restore")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


@pytest.mark.parametrize(
    "path", ["/cities/99", "/cities/99/delete", "/cities/0", f"/cities/{2**70}", "/cities/-1"]
)
def test_missing_city_is_404(as_role, path):
    assert as_role("editor").get(path).status_code == 404


def test_city_is_added_at_the_top(as_role, rows):
    person = as_role("editor")
    response = person.submit("/cities/new", NEW)
    assert (response.status_code, response.location) == (303, "/cities")
    assert rows() == [(1, "广东", "深圳市", 17494398)]
    page = person.get("/cities")
    assert message(page) == "深圳市 was added. Open"
    assert Page(page).links(".notice a") == ["/cities/1"]


def test_number_as_the_list_shows_it_can_be_typed(as_role, cities, rows):
    cities(("广东", "深圳市", 7_424_000))
    person = as_role("editor")
    shown = Page(person.get("/cities")).text("td.n")
    assert person.submit("/cities/new", {**NEW, "city": "上海", "number": shown}).status_code == 303
    assert [row[3] for row in rows()] == [7_424_000, 7_424_000]


@pytest.mark.parametrize("space", SPACES, ids=ascii)
def test_spaces_of_every_kind_may_be_typed_around_values_and_between_thousands(
    as_role, rows, space
):
    typed = {
        "province": f"{space}广东",
        "city": f"深圳市{space}",
        "number": f"{space}７{space}424{space}000",
    }
    assert as_role("editor").submit("/cities/new", typed).status_code == 303
    assert rows() == [(1, "广东", "深圳市", 7_424_000)]


def test_form_sent_twice_adds_one_city(as_role, rows):
    person = as_role("editor")
    data = {**NEW, "key": value(person.get("/cities/new"), "key")}
    for _time in range(2):
        assert person.submit("/cities/new", data).status_code == 303
        assert Page(person.get("/cities")).links(".notice a") == ["/cities/1"]
    assert len(rows()) == 1


def test_form_shown_again_by_the_back_button_adds_another_city(as_role, rows):
    person = as_role("editor")
    key = value(person.get("/cities/new"), "key")
    person.submit("/cities/new", {**NEW, "key": key})
    person.submit("/cities/new", {**NEW, "city": "珠海市", "key": key})
    assert "/cities/2" in Page(person.get("/cities")).links(".notice a")
    assert [row[2] for row in rows()] == ["深圳市", "珠海市"]


def test_bad_input_is_reported_beside_its_field_and_stays(as_role, rows):
    page = as_role("editor").submit(
        "/cities/new", {"province": "  ", "city": "<b>&\"'", "number": "12 Mio"}
    )
    assert page.status_code == 422
    errors = ["Province is empty.", "“12 Mio” is not a whole number from 0 to 2,147,483,647."]
    assert Page(page).texts(".error-summary li") == errors
    assert Page(page).texts(".field-error") == [f"Error: {error}" for error in errors]
    assert value(page, "city") == "<b>&\"'"
    assert value(page, "number") == "12 Mio"
    assert rows() == []


def test_missing_fields_are_bad_input(as_role):
    person = as_role("editor")
    assert person.submit("/cities/new", {}).status_code == 422
    person.submit("/cities/new", NEW)
    assert person.submit("/cities/1", {}, page="/cities/new").status_code == 422


def test_same_names_are_reported_with_a_link_and_added_anyway(as_role, cities, rows):
    cities(("广东", "深圳市", 1))
    person = as_role("editor")
    page = person.submit("/cities/new", NEW)
    assert page.status_code == 422
    assert message(page) == "A city with this name already exists in this province: 广东 深圳市"
    assert Page(page).links(".notice a") == ["/cities/1"]
    assert Page(page).text('button[name="anyway"]') == "Add anyway"
    assert value(page, "number") == "17494398"
    data = {**NEW, "key": value(page, "key"), "anyway": "1"}
    assert person.submit("/cities/new", data).status_code == 303
    assert len(rows()) == 2


def test_city_is_changed_and_the_person_comes_back_to_their_list(as_role, cities, rows):
    cities(("广东", "深圳市", 1))
    person = as_role("editor")
    headers = {"Accept": "text/html", "Referer": "http://localhost/cities?sort=users&q=%E6%B7%B1"}
    page = person.get("/cities/1", headers=headers)
    url = "/cities?sort=users&q=%E6%B7%B1"
    assert Page(page).links(CANCEL) == [url]
    data = {**NEW, "version": value(page, "version"), "next": value(page, "next")}
    response = person.submit("/cities/1", data)
    assert (response.status_code, response.location) == (303, url)
    assert rows() == [(1, "广东", "深圳市", 17494398)]


@pytest.mark.parametrize(
    "referrer",
    ["http://evil.example/cities", "http://localhost/account", "http://localhost//x", ""],
)
def test_other_places_one_came_from_are_not_followed(as_role, cities, referrer):
    cities(("广东", "深圳市", 1))
    page = as_role("editor").get("/cities/1", headers={"Accept": "text/html", "Referer": referrer})
    assert Page(page).links(CANCEL) == ["/cities"]


def test_next_never_leads_off_the_site(as_role, cities):
    cities(("广东", "深圳市", 1))
    person = as_role("editor")
    data = {**NEW, "version": value(person.get("/cities/1"), "version")}
    response = person.submit("/cities/1", {**data, "next": "//evil.example"})
    assert response.location == "/cities"
    response = person.submit("/cities/1/delete", {"next": "https://evil.example"}, page="/cities/1")
    assert response.location == "/cities"


def test_outdated_form_shows_both_and_is_saved_when_sent_again(app, as_role, cities, rows):
    cities(("广东", "深圳市", 1))
    with app.app_context():
        ada = replace(ACTOR, id=add_person("Ada", "editor"))
    person = as_role("editor")
    version = value(person.get("/cities/1"), "version")
    change(app, 1, ada, users=2)
    page = person.submit("/cities/1", {**NEW, "number": "3,000", "version": version})
    assert page.status_code == 409
    heads, *rows_shown = [
        [text_of(cell) for cell in row.select("th, td")] for row in Page(page).all(".conflict tr")
    ]
    assert heads == ["Field", "Saved by Ada, just now", "Yours"]
    assert rows_shown[:3] == [
        ["City", "深圳市", "深圳市"], ["Province", "广东", "广东"], ["Users", "2", "3,000"],
    ]  # fmt: skip
    assert Page(page).texts(".conflict strong") == ["3,000"]
    assert value(page, "number") == "3,000"
    assert rows()[0][3] == 2
    again = {**NEW, "number": "3", "version": value(page, "version")}
    assert person.submit("/cities/1", again).status_code == 303
    assert rows()[0][3] == 3


def test_conflict_names_no_person_when_another_program_saved_last(app, as_role, cities):
    cities(("广东", "深圳市", 1))
    person = as_role("editor")
    version = value(person.get("/cities/1"), "version")
    with app.app_context():
        change(app, 1, replace(ACTOR, id=add_person("Ada", "editor")), users=2)
        db.session.execute(text("UPDATE city SET usernumber = 4"))
        db.session.commit()
    page = person.submit("/cities/1", {**NEW, "number": "x", "version": version})
    assert page.status_code == 422
    page = person.submit("/cities/1", {**NEW, "version": version})
    assert Page(page).texts(".conflict thead th") == ["Field", "Saved (author unknown)", "Yours"]
    assert Page(page).texts(".conflict strong") == ["17,494,398"]


def test_city_removed_in_the_meantime_can_be_added_again(app, as_role, cities, rows):
    cities(("广东", "深圳市", 1))
    person = as_role("editor")
    version = value(person.get("/cities/1"), "version")
    with app.test_request_context():
        services.delete_city(ACTOR, 1)
    data = {**NEW, "version": version}
    page = person.submit("/cities/1", data, page="/cities/new")
    assert page.status_code == 404
    assert "removed in the meantime" in message(page)
    assert Page(page).one("form.form")["action"].startswith("/cities/new?f=")
    assert value(page, "number") == "17494398"
    data["key"] = value(page, "key")
    assert person.submit("/cities/new", data).status_code == 303
    assert rows() == [(2, "广东", "深圳市", 17494398)]


@pytest.mark.parametrize(
    "sent", [{"users": 2}, {"city": "珠海市"}, {"number": "x"}], ids=["changed", "taken", "bad"]
)
def test_what_was_typed_stays_when_the_city_is_removed_at_that_moment(
    app, as_role, cities, monkeypatch, sent
):
    """The city is removed after the service refused the form, before the page is drawn."""
    cities(("广东", "深圳市", 1), ("广东", "珠海市", 1))
    person = as_role("editor")
    version = value(person.get("/cities/1"), "version")
    if "users" in sent:
        change(app, 1, ACTOR, users=2)
    load = services.load_city

    def remove_first(actor, city_id):
        db.session.rollback()
        services.delete_city(ACTOR, city_id)
        return load(actor, city_id)

    monkeypatch.setattr(services, "load_city", remove_first)
    data = {**NEW, "number": "17494398", "version": version, **sent}
    page = person.submit("/cities/1", data, page="/cities/new")
    assert page.status_code == 404
    assert "removed in the meantime" in message(page)
    assert value(page, "number") == data["number"]


def test_names_of_another_city_are_reported_on_the_edit_form(as_role, cities, rows):
    cities(("广东", "珠海市", 1), ("广东", "深圳市", 2))
    person = as_role("editor")
    data = {**NEW, "city": "珠海市", "version": value(person.get("/cities/2"), "version")}
    page = person.submit("/cities/2", data)
    assert page.status_code == 422
    assert Page(page).text('button[name="anyway"]') == "Save anyway"
    assert person.submit("/cities/2", {**data, "anyway": "1"}).status_code == 303
    assert rows()[1][2] == "珠海市"


def test_flawed_row_is_marked_and_saving_asks_for_the_rules(app, as_role, rows):
    with app.app_context():
        add_as_original((None, "深圳市", -1))
    person = as_role("editor")
    page = person.get("/cities/1")
    assert "A value is missing or negative here." in message(page)
    data = {"version": value(page, "version"), "province": "", "city": "深圳市", "number": "-1"}
    response = person.submit("/cities/1", data)
    assert response.status_code == 422
    assert rows() == [(1, None, "深圳市", -1)]
    assert person.submit("/cities/1", {**data, **NEW}).status_code == 303


def test_viewer_reads_the_facts_without_a_form(as_role, cities):
    cities(("广东", "深圳市", 17_494_398))
    page = as_role("viewer").get("/cities/1")
    facts = "main .two > div:first-child > .panel:first-child dd.figure"
    assert Page(page).text(facts) == "17,494,398"
    assert not Page(page).has('input[name="province"], a[href$="/delete"]')


def test_city_with_a_name_of_spaces_has_one_name_everywhere(app, as_role):
    with app.app_context():
        add_as_original(("广东", " \u3000", 1))
    editor, called = as_role("editor"), "City without a name"
    assert Page(editor.get("/cities/1")).text("h1") == called
    assert Page(as_role("viewer").get("/cities/1")).text("h1") == called
    assert Page(editor.get("/cities/1/delete")).text("h1") == f"Remove {called}?"
    assert Page(editor.get("/cities")).text("td.main > a") == called
    editor.submit("/cities/1/delete")
    assert message(editor.get("/cities")) == f"{called} was removed. Undo"


def test_the_page_of_a_city_removes_it_at_once_and_leads_back_to_the_list(as_role, cities, rows):
    cities(("广东", "深圳市", 1))
    person, came = as_role("editor"), "/cities?q=%E6%B7%B1"
    headers = {"Accept": "text/html", "Referer": f"http://localhost{came}"}
    page = Page(person.get("/cities/1", headers=headers))
    assert page.one(".head form")["action"].partition("?")[0] == "/cities/1/delete"
    data = {"next": page.one(".head [name=next]")["value"]}
    response = person.submit("/cities/1/delete", data, page="/cities/1")
    assert (response.status_code, response.location, rows()) == (303, came, [])
    page = person.get(came)
    assert message(page) == "深圳市 was removed. Undo"


def test_the_question_says_where_it_is_and_leads_back_to_the_city(as_role, cities):
    cities(("广东", "深圳市", 1))
    page = Page(as_role("editor").get("/cities/1/delete"))
    assert page.texts(".crumbs a") == ["Cities", "广东", "深圳市"]
    assert page.links(".crumbs a")[-1] == "/cities/1"
    assert page.links(".submit-row a") == ["/cities/1"]


def test_removing_asks_and_can_be_undone(as_role, cities, rows):
    cities(("广东", "深圳市", 1), ("河北", "石家庄", 2))
    person = as_role("editor")
    assert Page(person.get("/cities/1/delete")).text("h1") == "Remove 深圳市?"
    assert len(rows()) == 2
    response = person.submit("/cities/1/delete")
    assert (response.status_code, response.location) == (303, "/cities")
    page = person.get("/cities")
    assert message(page) == "深圳市 was removed. Undo"
    assert Page(page).one(".notice button")["formaction"] == "/cities/removed/1/restore"
    assert rows() == [(2, "河北", "石家庄", 2)]
    assert person.submit("/cities/removed/1/restore", page="/cities").status_code == 303
    assert message(person.get("/cities")) == "深圳市 was restored. Open"
    assert rows() == [(1, "广东", "深圳市", 1), (2, "河北", "石家庄", 2)]
    assert person.submit("/cities/removed/1/restore", page="/cities").status_code == 404
    assert person.submit("/cities/1/delete").status_code == 303
    assert person.submit("/cities/1/delete", page="/cities").status_code == 404


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            "深圳市 was restored. Another city in this province has the same name. "
            "Show the other city",
        ),
        ("zh", "已恢复“深圳市”。这个省份下还有一个同名城市。 查看另一个城市"),
    ],
)
def test_restored_city_whose_names_another_has_now(as_role, cities, language, expected):
    cities(("广东", "深圳市", 1))
    person = as_role("editor")
    person.submit("/cities/1/delete")
    person.submit("/cities/new", NEW)
    headers = {"Accept": "text/html", "Accept-Language": language}
    person.submit("/cities/removed/1/restore", page="/cities", headers=headers)
    page = person.get("/cities")
    assert message(page) == expected
    assert Page(page).links(".notice a") == ["/cities/2"]


def test_button_of_a_row_leads_back_to_its_list(as_role, cities):
    cities(("广东", "深圳市", 1))
    response = as_role("editor").submit(
        "/cities/1/delete",
        page="/cities",
        headers={"Accept": "text/html", "Referer": "http://localhost/cities?q=x&page=abc"},
    )
    assert response.location == "/cities?q=x&page=abc"
