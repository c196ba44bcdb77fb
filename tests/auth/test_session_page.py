"""The page that shows the session, and the values one puts into it."""

import re

import pytest

from app.auth import session_values
from app.auth.session_values import KEYS
from app.errors import Invalid
from tests.factories import HTML, Browser

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
    assert "999" not in page.text
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


def test_a_session_holds_no_more_than_its_number_of_values():
    session = {}
    for n in range(KEYS):
        session_values.put_value(session, f"key {n}", "")
    with pytest.raises(Invalid):
        session_values.put_value(session, "one more", "")
    session_values.put_value(session, "key 0", "again")
    session_values.pop_value(session, "key 1")
    session_values.put_value(session, "one more", "")
    assert len(session_values.list_values(session)) == KEYS
    assert session_values.clear_values(session) == KEYS


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
