"""One's own account: the password, the other sessions, the preferences."""

import json
import re

import pytest

from app.auth import queries
from app.auth import services as auth
from app.auth.models import PASSWORD_LONGEST, PASSWORD_SHORTEST
from tests.factories import HTML, OPERATOR, PASSWORD, Browser

NEW = "another long password"


@pytest.fixture
def editor(as_role):
    return as_role("editor")


def change(browser, current=PASSWORD, password=NEW, again=None):
    """Send the form for a new password."""
    fields = {"current": current, "password": password, "again": again or password}
    return browser.submit("/account/password", fields)


def test_account_shows_who_one_is(editor, browser):
    text = editor.get("/account").text
    assert "editor" in text
    assert "Editor" in text
    assert browser.get("/account").location == "/login?next=/account"


def test_the_form_shows_the_limits_of_the_model(editor):
    limits = f"{PASSWORD_SHORTEST} to {PASSWORD_LONGEST} characters of any kind."
    page = editor.get("/account/password").text
    assert limits in page
    # A browser would cut off a longer one that is pasted, and nobody would see it.
    assert "maxlength" not in page


def test_password_change_ends_the_other_sessions_and_keeps_this_one(app, editor):
    other = Browser(app)
    other.sign_in("editor")
    before = editor.client.get_cookie("gz").value
    answer = change(editor)
    assert (answer.status_code, answer.location) == (303, "/account")
    assert editor.client.get_cookie("gz").value != before
    assert "Your password was changed." in editor.get("/account").text
    assert other.get("/account").location.startswith("/login")
    assert other.submit("/login", {"name": "editor", "password": PASSWORD}).status_code == 422
    assert other.sign_in("editor", NEW).status_code == 303


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"current": "wrong one"}, "This is not your current password."),
        ({"current": ""}, "Enter your current password."),
        ({"password": ""}, "Enter a new password."),
        ({"password": "short"}, "A password has 8 to 256 characters."),
        ({"password": "x" * 257}, "A password has 8 to 256 characters."),
        ({"again": "something else"}, "The two new passwords differ."),
    ],
)
def test_bad_input_is_told_and_changes_nothing(fields, message, app, editor):
    answer = change(editor, **fields)
    assert answer.status_code == 422
    assert message in answer.text
    assert PASSWORD not in answer.text
    assert NEW not in answer.text
    with app.app_context():
        assert queries.find_person("editor").session_epoch == 1


def test_name_as_password_is_refused(app):
    with app.app_context():
        auth.create_person(OPERATOR, "long enough", PASSWORD, "viewer")
    browser = Browser(app)
    browser.sign_in("long enough")
    answer = change(browser, password="Long Enough")
    assert answer.status_code == 422
    assert "The password must not be the name." in answer.text


def test_wrong_present_passwords_are_slowed_like_wrong_sign_ins(editor):
    for _try in range(5):
        assert change(editor, current="wrong one").status_code == 422
    answer = change(editor)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_session_that_somebody_planted_is_worth_nothing(app, editor):
    thief = Browser(app)
    thief.get("/login")
    planted = thief.client.get_cookie("gz").value
    victim = Browser(app)
    victim.client.set_cookie("gz", planted)
    victim.sign_in("editor")
    assert thief.get("/account").location.startswith("/login")
    assert victim.get("/account").status_code == 200


def test_session_ends_when_unused_and_when_too_old(make_app, as_role):
    app = make_app(SESSION_IDLE_HOURS="2", SESSION_ABSOLUTE_DAYS="3")
    as_role("editor")
    browser = Browser(app)
    browser.sign_in("editor")
    store = app.extensions["redis"]
    [key] = [k for k in store.keys("gz:session:*") if store.type(k) == "string"
             and len(k) == 75 and '"editor"' in store.get(k) and store.ttl(k) <= 7200]  # fmt: skip
    assert 7100 < store.ttl(key) <= 7200
    kept = json.loads(store.get(key))
    for age, status in ((3 * 86400 - 60, 200), (3 * 86400 + 60, 303)):
        store.set(key, json.dumps({**kept, "since": kept["since"] - age}), ex=7200)
        assert browser.get("/account").status_code == status
    assert store.get(key) is None


def test_use_extends_the_idle_time(app, editor):
    store = app.extensions["redis"]
    [key] = [k for k in store.keys("gz:session:*") if k.count(":") == 2]
    store.expire(key, 100)
    store.delete(f"{key}:seen")
    editor.get("/account")
    assert store.ttl(key) > 40_000


def test_slow_request_begun_before_the_sign_out_does_not_bring_the_session_back(app, editor):
    interface = app.session_interface
    cookie = editor.client.get_cookie("gz").value
    token = editor.token("/account")
    with app.test_request_context("/account", headers={"Cookie": f"gz={cookie}"}) as slow:
        app.preprocess_request()
        assert slow.session["name"] == "editor"
        answer = editor.client.post("/logout", data={"csrf_token": token})
        assert answer.status_code == 303
        slow.session["late"] = "write"
        response = app.response_class()
        interface.save_session(app, slow.session, response)
        assert "Set-Cookie" not in response.headers
    replay = Browser(app)
    replay.client.set_cookie("gz", cookie)
    assert replay.get("/account").location.startswith("/login")


def test_preferences_are_kept_and_lead_back(browser):
    answer = browser.submit("/preferences", {"scheme": "dark", "next": "/numbers"}, page="/login")
    assert (answer.status_code, answer.location) == (303, "/numbers")
    assert 'data-bs-theme="dark"' in browser.get("/login").text
    answer = browser.submit(
        "/preferences",
        {"scheme": "pink", "language": "tlh", "next": "//evil.example"},
        page="/login",
    )
    assert answer.location == "/cities"
    assert "Set-Cookie" not in answer.headers
    assert browser.get("/preferences").status_code == 405


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "http://localhost"}, 303),
        ({"Referer": "http://localhost/numbers?pi=1"}, 303),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 400),
        ({"Sec-Fetch-Site": "same-site"}, 400),
        ({"Origin": "http://evil.example"}, 400),
        ({"Origin": "null"}, 400),
        ({"Referer": "http://evil.example/http://localhost/"}, 400),
        ({"Origin": "http://localhost.evil.example"}, 400),
        ({}, 400),
    ],
)
def test_preferences_of_visitors_are_taken_from_pages_of_this_site_only(browser, headers, status):
    data = {"scheme": "dark", "next": "/numbers"}
    answer = browser.client.post("/preferences", data=data, headers={**HTML, **headers})
    assert answer.status_code == status
    assert ("gz_scheme=dark" in answer.headers.get("Set-Cookie", "")) is (status == 303)


def test_preferences_of_people_signed_in_need_the_token(editor):
    headers = {**HTML, "Sec-Fetch-Site": "same-origin"}
    assert editor.client.post("/preferences", data={}, headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("address", "sender", "status", "onward"),
    [
        ("/session/set", "/session?tab=1", 422, "/session?tab=1"),
        ("/session/set", "/session/set", 422, "/"),
        ("/cities/new", "/cities", 422, "/cities/new"),
        ("/people/1/role", "/people/1", 403, "/people/1"),
        ("/people/1/role", "//evil.example/people/1", 403, "/"),
    ],
)
def test_language_is_chosen_on_a_refused_form_too(editor, address, sender, status, onward):
    """Back on a page that can be opened, whatever address the form was sent to."""
    referrer = sender if sender.startswith("//") else f"//localhost{sender}"
    headers = {**HTML, "Referer": f"http:{referrer}"}
    token = editor.token("/account")
    answer = editor.client.post(address, data={"csrf_token": token}, headers=headers)
    assert answer.status_code == status
    next_field = re.search(r'name="next" value="([^"]*)"', answer.text)
    assert next_field
    assert next_field[1] == onward
    assert editor.get(onward).status_code in (200, 302, 403)
