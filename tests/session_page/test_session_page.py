"""The page that shows the session, and the values that a person stores in it."""

from functools import partial

import pytest
from flask import Response, session

from app.auth.sessions.keys import values_key
from app.errors import Invalid, Unauthorized
from app.redis.client import redis_store
from app.session_page import services
from app.session_page.services import MAX_VALUES
from tests.factories import HTML, PASSWORD, Browser, at_once
from tests.html import Page

PAGE = "/session"
WRITES = ["/session/set", "/session/pop", "/session/clear"]


@pytest.fixture
def viewer(as_role):
    return as_role("viewer")


def store(browser, key, value):
    return browser.submit("/session/set", {"key": key, "value": value}, page=PAGE)


def values(browser):
    """The keys and values that the page lists."""
    page = Page(browser.get(PAGE))
    return dict(zip(page.texts("td.main"), page.texts("td.sub"), strict=True))


def facts(browser):
    """What the page shows about the session, by name."""
    return {
        row.select_one("dt").text: row.select_one("dd")
        for row in Page(browser.get(PAGE)).all(".facts > div")
    }


def test_visitors_are_sent_to_the_sign_in_page(browser):
    for path in (PAGE, "/session/get?key=a", "/get/", "/clear/"):
        response = browser.get(path)
        assert response.status_code == 303
        assert response.location.startswith("/login?next=")
        assert browser.client.get(path).status_code == 401


@pytest.mark.parametrize("path", WRITES)
def test_writes_need_a_post_with_a_token(viewer, path):
    assert viewer.get(path).status_code == 405
    assert viewer.client.post(path, data={"key": "a"}, headers=HTML).status_code == 400


@pytest.mark.parametrize("path", WRITES)
def test_writes_need_a_person(browser, path):
    response = browser.submit(path, {"key": "a"}, page="/login")
    assert (response.status_code, response.location) == (303, "/login?next=/&why=ended")


def test_a_value_is_stored_read_and_removed(viewer):
    response = store(viewer, " 城市 ", "深圳市 <b>")
    assert (response.status_code, response.location) == (303, PAGE)
    assert values(viewer) == {"城市": "深圳市 <b>"}
    read = viewer.get("/session/get?key=城市")
    assert read.status_code == 200
    assert Page(read).text("output") == "深圳市 <b>"
    assert viewer.submit("/session/pop", {"key": "城市"}, page=PAGE).status_code == 303
    response = viewer.get("/session/get?key=城市")
    assert response.status_code == 404
    assert "There is no value under this key." in Page(response).text("#get-key-error")
    assert viewer.submit("/session/pop", {"key": "城市"}, page=PAGE).status_code == 404


def test_the_same_key_again_replaces(viewer):
    store(viewer, "colour", "red")
    store(viewer, "colour", "green")
    assert values(viewer) == {"colour": "green"}


def test_clearing_removes_the_values_and_not_the_sign_in(viewer):
    store(viewer, "person", "999")
    store(viewer, "role", "admin")
    assert viewer.submit("/session/clear", page=PAGE).status_code == 303
    assert values(viewer) == {}
    assert viewer.get("/account").status_code == 200


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("", "v", "A key has 1 to 64 characters."), ("k" * 65, "v", "A key has 1 to 64 characters."),
     ("a\x07b", "v", "must not contain control characters"),
     ("k", "v" * 1001, "at most 1,000 characters")],
)  # fmt: skip
def test_invalid_input_is_shown_with_a_message_beside_the_field(viewer, key, value, message):
    response = store(viewer, key, value)
    assert response.status_code == 422
    page = Page(response)
    assert message in page.text(".field-error")
    assert page.one("#value")["value"] == value
    assert values(viewer) == {}


def test_the_fields_have_the_limits_of_the_rules(viewer):
    page = Page(viewer.get(PAGE))
    assert page.has("#key[maxlength='64'][required]")
    assert page.has("#value[maxlength='1000']")


def test_a_key_is_composed_before_its_length_is_checked(viewer):
    assert store(viewer, "e\u0301" * 64, "v").status_code == 303
    assert "\u00e9" * 64 in viewer.get(PAGE).text


def test_a_long_key_is_refused_when_reading_too(viewer):
    assert viewer.get("/session/get?key=" + "k" * 65).status_code == 422


def test_the_longest_key_and_value_are_stored(viewer):
    assert store(viewer, "键" * 64, "值" * 1000).status_code == 303
    assert "值" * 1000 in viewer.get(PAGE).text


@pytest.fixture
def store_id(app):
    """A session in Redis, outside of any request."""
    key = "gz:session:some"
    with app.app_context():
        redis_store.client.set(key, "{}", ex=100)
        yield key


def test_a_session_holds_a_limited_number_of_values(store_id):
    for n in range(MAX_VALUES):
        services.set_value(store_id, f"key {n}", "")
    with pytest.raises(Invalid):
        services.set_value(store_id, "one more", "")
    services.set_value(store_id, "key 0", "again")
    services.pop_value(store_id, "key 1")
    services.set_value(store_id, "one more", "")
    assert len(services.list_values(store_id)) == MAX_VALUES
    assert services.clear_values(store_id) == MAX_VALUES


def test_values_stored_at_once_are_limited_too(app, store_id):
    works = [partial(services.set_value, store_id, f"key {n}", "") for n in range(MAX_VALUES + 3)]
    results = at_once(app, *works)
    assert sum(isinstance(result, Invalid) for result in results) == 3
    assert len(services.list_values(store_id)) == MAX_VALUES


def test_an_ended_session_takes_no_value(store_id):
    redis_store.client.delete(store_id)
    with pytest.raises(Unauthorized):
        services.set_value(store_id, "key", "")
    assert not redis_store.client.exists(values_key(store_id))


def test_a_slow_request_does_not_lose_a_value(app, viewer):
    """The slow request of two writes the session as it found it; the value remains."""
    headers = {"Cookie": f"gz={viewer.client.get_cookie('gz').value}"}
    with app.test_request_context("/account", headers=headers):
        app.preprocess_request()
        store(viewer, "colour", "red")
        session["written"] = "by the slow one"
        app.process_response(Response("done"))
    assert ">red<" in viewer.get(PAGE).text


def test_values_live_as_long_as_the_session(app, viewer):
    client = app.extensions["redis"]
    store(viewer, "colour", "red")
    [values] = client.keys("gz:session:*:values")
    key = values.removesuffix(":values")
    assert abs(client.ttl(values) - client.ttl(key)) <= 1
    for name in (key, values):
        client.expire(name, 100)
    client.delete(f"{key}:seen")
    viewer.get("/account")
    assert client.ttl(values) > 40_000
    viewer.submit("/logout", page="/account")
    assert not client.exists(values)


def test_values_stay_when_the_password_changes_and_not_at_a_new_sign_in(app, viewer):
    fields = {"current": PASSWORD, "password": "another password", "again": "another password"}
    store(viewer, "colour", "red")
    assert viewer.submit("/account/password", fields).status_code == 303
    assert ">red<" in viewer.get(PAGE).text
    viewer.submit("/logout", page=PAGE)
    viewer.sign_in("viewer", "another password")
    assert "No values yet" in viewer.get(PAGE).text
    assert not app.extensions["redis"].keys("gz:session:*:values")


@pytest.mark.parametrize("path", ["/set/", "/get/", "/pop/", "/clear/"])
def test_legacy_addresses_redirect_to_the_page_and_change_nothing(viewer, path):
    store(viewer, "key", "as it was")
    response = viewer.get(f"{path}?key=key&value=changed")
    assert response.status_code == 303
    page = Page(viewer.get(response.location))
    assert (page.one("#key")["value"], page.one("#value")["value"]) == ("key", "changed")
    assert values(viewer) == {"key": "as it was"}


def test_a_value_stored_by_one_worker_is_read_by_another(make_app, as_role):
    first, second = as_role("viewer"), Browser(make_app())
    store(first, "colour", "vermilion")
    second.client.set_cookie("gz", first.client.get_cookie("gz").value)
    assert values(second) == {"colour": "vermilion"}


def test_the_page_shows_worker_requests_and_expiry(viewer, monkeypatch):
    def count_requests():
        return int(facts(viewer)["Requests"].text)

    before = count_requests()
    assert count_requests() == before + 1
    viewer.get("/account")
    assert count_requests() == before + 3
    monkeypatch.setattr("os.getpid", lambda: 4711)
    shown = facts(viewer)
    assert shown["Answered by"].text.startswith("worker 4711 ")
    assert "a different worker" in shown["Last written by"].text
    for name in ("Signed in since", "Expires if unused", "Expires at the latest"):
        assert shown[name].select_one("time[datetime]")
