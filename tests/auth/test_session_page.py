"""The page that shows the session, and the values one puts into it."""

import re
from functools import partial

import pytest
from flask import Response, session

from app.auth.sessions import values_key
from app.errors import Invalid, Unauthorized
from app.redis.client import redis_store
from app.session_page import services
from app.session_page.services import KEYS
from tests.factories import HTML, PASSWORD, Browser, at_once

PAGE = "/session"
WRITES = ["/session/set", "/session/pop", "/session/clear"]


@pytest.fixture
def viewer(as_role):
    return as_role("viewer")


def put(browser, key, value):
    return browser.submit("/session/set", {"key": key, "value": value}, page=PAGE)


def test_nobody_signed_in_is_led_to_the_sign_in(browser):
    for path in (PAGE, "/session/get?key=a", "/get/", "/clear/"):
        answer = browser.get(path)
        assert answer.status_code == 303
        assert answer.location.startswith("/login?next=")
        assert browser.client.get(path).status_code == 401


@pytest.mark.parametrize("path", WRITES)
def test_writes_need_a_post_with_a_token(viewer, path):
    assert viewer.get(path).status_code == 405
    assert viewer.client.post(path, data={"key": "a"}, headers=HTML).status_code == 400


@pytest.mark.parametrize("path", WRITES)
def test_writes_need_a_person(browser, path):
    answer = browser.submit(path, {"key": "a"}, page="/login")
    assert (answer.status_code, answer.location) == (303, "/login")


def test_a_value_is_put_read_and_removed(viewer):
    answer = put(viewer, " 城市 ", "深圳市 <b>")
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert "深圳市 &lt;b&gt;" in viewer.get(PAGE).text
    read = viewer.get("/session/get?key=城市")
    assert read.status_code == 200
    assert re.search(r"<output[^>]*>深圳市 &lt;b&gt;</output>", read.text)
    assert viewer.submit("/session/pop", {"key": "城市"}, page=PAGE).status_code == 303
    answer = viewer.get("/session/get?key=城市")
    assert answer.status_code == 404
    assert "There is no value under this key." in answer.text
    assert viewer.submit("/session/pop", {"key": "城市"}, page=PAGE).status_code == 404


def test_the_same_key_again_replaces(viewer):
    put(viewer, "colour", "red")
    put(viewer, "colour", "green")
    page = viewer.get(PAGE).text
    assert ">green<" in page
    assert ">red<" not in page


def test_clearing_takes_the_values_and_not_the_sign_in(viewer):
    put(viewer, "person", "999")
    put(viewer, "role", "admin")
    assert viewer.submit("/session/clear", page=PAGE).status_code == 303
    page = viewer.get(PAGE)
    assert page.status_code == 200
    assert ">999<" not in page.text
    assert viewer.get("/account").status_code == 200


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("", "v", "A key has 1 to 64 characters."), ("k" * 65, "v", "A key has 1 to 64 characters."),
     ("a\x07b", "v", "no control characters"), ("k", "v" * 1001, "at most 1000 characters")],
)  # fmt: skip
def test_bad_input_is_told_beside_the_field_and_kept(viewer, key, value, message):
    answer = put(viewer, key, value)
    assert answer.status_code == 422
    assert message in answer.text
    assert f'value="{value}"' in answer.text
    assert "No value yet" in viewer.get(PAGE).text


def test_a_long_key_is_refused_when_reading_too(viewer):
    assert viewer.get("/session/get?key=" + "k" * 65).status_code == 422


def test_the_longest_key_and_value_are_kept(viewer):
    assert put(viewer, "键" * 64, "值" * 1000).status_code == 303
    assert "值" * 1000 in viewer.get(PAGE).text


@pytest.fixture
def store_id(app):
    """A session in Redis, outside of any request."""
    key = "gz:session:some"
    with app.app_context():
        redis_store.client.set(key, "{}", ex=100)
        yield key


def test_a_session_holds_no_more_than_its_number_of_values(store_id):
    for n in range(KEYS):
        services.put_value(store_id, f"key {n}", "")
    with pytest.raises(Invalid):
        services.put_value(store_id, "one more", "")
    services.put_value(store_id, "key 0", "again")
    services.pop_value(store_id, "key 1")
    services.put_value(store_id, "one more", "")
    assert len(services.list_values(store_id)) == KEYS
    assert services.clear_values(store_id) == KEYS


def test_values_put_at_once_are_all_kept_up_to_the_limit(app, store_id):
    works = [partial(services.put_value, store_id, f"key {n}", "") for n in range(KEYS + 3)]
    results = at_once(app, *works)
    assert sum(isinstance(result, Invalid) for result in results) == 3
    assert len(services.list_values(store_id)) == KEYS


def test_an_ended_session_takes_no_value(store_id):
    redis_store.client.delete(store_id)
    with pytest.raises(Unauthorized):
        services.put_value(store_id, "key", "")
    assert not redis_store.client.exists(values_key(store_id))


def test_a_slow_request_loses_nobody_a_value(app, viewer):
    """Two requests at once: the slow one writes the session as it found it, the value stays."""
    headers = {"Cookie": f"gz={viewer.client.get_cookie('gz').value}"}
    with app.test_request_context("/account", headers=headers):
        app.preprocess_request()
        put(viewer, "colour", "red")
        session["written"] = "by the slow one"
        app.process_response(Response("done"))
    assert ">red<" in viewer.get(PAGE).text


def test_values_live_as_long_as_the_session(app, viewer):
    store = app.extensions["redis"]
    put(viewer, "colour", "red")
    [values] = store.keys("gz:session:*:values")
    kept = values.removesuffix(":values")
    assert abs(store.ttl(values) - store.ttl(kept)) <= 1
    for key in (kept, values):
        store.expire(key, 100)
    store.delete(f"{kept}:seen")
    viewer.get("/account")
    assert store.ttl(values) > 40_000
    viewer.submit("/logout", page="/account")
    assert not store.exists(values)


def test_values_stay_when_the_password_changes_and_not_at_a_new_sign_in(app, viewer):
    fields = {"current": PASSWORD, "password": "another password", "again": "another password"}
    put(viewer, "colour", "red")
    assert viewer.submit("/account/password", fields).status_code == 303
    assert ">red<" in viewer.get(PAGE).text
    data = {"name": "viewer", "password": "another password", "csrf_token": viewer.token(PAGE)}
    assert viewer.client.post("/login", data=data, headers=HTML).status_code == 303
    assert "No value yet" in viewer.get(PAGE).text
    assert not app.extensions["redis"].keys("gz:session:*:values")


@pytest.mark.parametrize("path", ["/set/", "/get/", "/pop/", "/clear/"])
def test_old_addresses_lead_to_the_page_and_change_nothing(viewer, path):
    put(viewer, "kept", "as it was")
    answer = viewer.get(f"{path}?key=kept&value=changed")
    assert answer.status_code == 303
    page = viewer.get(answer.location).text
    assert 'value="kept"' in page
    assert 'value="changed"' in page
    assert ">as it was<" in page


def test_a_value_put_on_one_worker_is_there_on_another(make_app, as_role):
    first, second = as_role("viewer"), Browser(make_app())
    put(first, "colour", "vermilion")
    second.client.set_cookie("gz", first.client.get_cookie("gz").value)
    assert "vermilion" in second.get(PAGE).text


def test_the_page_names_worker_requests_and_ends(viewer, monkeypatch):
    def requests_seen():
        return int(re.search(r"Requests seen</dt><dd>(\d+)<", viewer.get(PAGE).text)[1])

    before = requests_seen()
    assert requests_seen() == before + 1
    viewer.get("/account")
    assert requests_seen() == before + 3
    monkeypatch.setattr("os.getpid", lambda: 4711)
    page = viewer.get(PAGE).text
    assert re.search(r"Answered by</dt><dd>worker 4711 ", page)
    assert "another one" in page
    for name in ("Signed in since", "Ends if unused", "Ends in any case"):
        assert re.search(rf"{name}</dt><dd><time datetime=", page)
