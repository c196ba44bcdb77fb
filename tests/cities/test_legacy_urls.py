"""The addresses of the original program."""

from functools import partial

import pytest

from tests.cities.conftest import NEW, value
from tests.factories import add_person, add_token
from tests.html import Page


@pytest.fixture
def script(app):
    """A function that sends a form as a script with an editor's token does."""
    with app.app_context():
        token = add_token(add_person("script", "editor"))

    def post(path, data, accept="*/*"):
        headers = {"Authorization": f"Bearer {token}"} | ({"Accept": accept} if accept else {})
        return app.test_client().post(path, data=data, headers=headers)

    return post


@pytest.mark.parametrize(
    ("old", "today"),
    [
        ("/select", "/cities"),
        ("/insert_page", "/cities/new"),
        ("/alter?id=1&provincename=x&cityname=y&usernumber=3", "/cities/1"),
        ("/delete?id=1", "/cities/1/delete"),
    ],
)
def test_old_pages_lead_to_todays(as_role, cities, rows, old, today):
    cities(("广东", "深圳市", 1))
    person = as_role("editor")
    response = person.get(old)
    assert (response.status_code, response.location) == (302, today)
    assert person.get(today).status_code == 200
    assert rows() == [(1, "广东", "深圳市", 1)]


@pytest.mark.parametrize("path", ["/alter", "/delete"])
@pytest.mark.parametrize("query", ["", "?id=", "?id=x", "?id=-1", "?id=1.5", "?id=99", "?id=１"])
def test_bad_id_is_404(as_role, path, query):
    response = as_role("editor").get(path + query, follow_redirects=True)
    assert response.status_code == 404
    assert Page(response).text("h1") == "Page not found"


def test_insert_adds_as_the_form_does(as_role, rows):
    person = as_role("editor")
    assert person.get("/insert").status_code == 405
    assert person.submit("/insert", NEW, page="/cities/new").status_code == 303
    assert rows() == [(1, "广东", "深圳市", 17494398)]
    page = person.submit("/insert", {**NEW, "number": "x"}, page="/cities/new")
    assert page.status_code == 422
    assert Page(page).one("form.form")["action"].startswith("/cities/new?f=")


def test_alter_without_a_version_asks_before_it_writes_over(as_role, cities, rows):
    cities(("广东", "深圳市", 1))
    person = as_role("editor")
    page = person.submit("/alter", {**NEW, "id": "1"}, page="/cities/new")
    assert page.status_code == 428
    assert "does not say which state" in Page(page).text(".notice.caution")
    assert rows() == [(1, "广东", "深圳市", 1)]
    data = {**NEW, "id": "1", "version": value(page, "version")}
    assert person.submit("/alter", data, page="/cities/new").status_code == 303
    assert rows() == [(1, "广东", "深圳市", 17494398)]


@pytest.mark.parametrize("accept", [None, "*/*", "application/json"])
def test_a_script_that_alters_is_told_what_is_saved_and_sends_that_version(script, accept):
    post = partial(script, accept=accept)
    assert post("/insert", NEW).status_code == 303
    refused = post("/alter", {**NEW, "id": "1", "number": "5"})
    assert (refused.status_code, refused.mimetype) == (428, "application/json")
    assert "does not say which state" in refused.json["error"]
    saved = {"city": "深圳市", "province": "广东", "number": 17494398}
    assert refused.json["values"].items() >= saved.items()
    version = refused.json["version"]
    assert post("/alter", {**NEW, "id": "1", "number": "5", "version": version}).status_code == 303
    late = post("/alter", {**NEW, "id": "1", "number": "6", "version": version})
    assert (late.status_code, late.mimetype) == (409, "application/json")
    assert late.json["values"] == {**refused.json["values"], "number": 5}
    again = {**NEW, "id": "1", "number": "6", "version": late.json["version"]}
    assert post("/alter", again).status_code == 303


@pytest.mark.parametrize(
    ("path", "data", "status", "more"),
    [
        ("/insert", {**NEW, "number": "x"}, 422, {"fields": ["number"]}),
        (
            "/insert",
            {"province": "", "city": "a\u202eb"},
            422,
            {"fields": ["city", "number", "province"]},
        ),
        ("/insert", {**NEW, "city": "there"}, 422, {"id": 1}),
        ("/cities/new", {**NEW, "city": "there"}, 422, {"id": 1}),
        ("/alter", {**NEW, "id": "1", "number": "-1"}, 422, {"fields": ["number"]}),
        ("/alter", {**NEW, "id": "99"}, 404, {}),
        ("/alter", NEW, 404, {}),
        ("/cities/2", {**NEW, "city": "there"}, 428, {}),
    ],
)
def test_a_script_is_refused_in_json(script, path, data, status, more):
    for name in ("there", "other"):
        assert script("/insert", {**NEW, "city": name}).status_code == 303
    refused = script(path, data)
    assert (refused.status_code, refused.mimetype) == (status, "application/json")
    assert refused.json["status"] == status
    assert refused.json["error"]
    for name, wanted in more.items():
        found = refused.json[name]
        assert (sorted(found) if isinstance(found, dict) else found) == wanted


def test_alter_of_no_city_is_404_with_what_was_typed(as_role):
    person = as_role("editor")
    page = person.submit("/alter", {**NEW, "id": "9"}, page="/cities/new")
    assert page.status_code == 404
    assert value(page, "city") == "深圳市"
    assert person.submit("/alter", NEW, page="/cities/new").status_code == 404


@pytest.mark.parametrize("path", ["/insert", "/alter"])
def test_old_writing_addresses_need_role_and_token(as_role, browser, cities, rows, path):
    cities(("广东", "深圳市", 1))
    data = {**NEW, "id": "1"}
    assert as_role("viewer").submit(path, data, page="/account").status_code == 403
    assert browser.submit(path, data, page="/login").status_code == 303
    assert as_role("editor").client.post(path, data=data).status_code == 400
    assert rows() == [(1, "广东", "深圳市", 1)]
