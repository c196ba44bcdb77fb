"""Signing in and out: messages, limits on guessing, and the page that follows."""

import re
import unicodedata
from functools import partial

import pytest

from app.actor import ANONYMOUS
from app.auth import passwords, queries, rules
from app.auth import services as auth
from app.auth.sign_in import limits
from app.auth.sign_in import services as sign_in
from app.auth.sign_in.limits import count_wrong
from app.errors import Invalid
from app.redis.rate_limit import resolve
from app.session_page import services
from app.web.urls import safe_next
from tests.auth.helpers import cookie_of, is_signed_in
from tests.factories import HTML, OPERATOR, PASSWORD, Browser, add_person, at_once
from tests.html import Page

WRONG = {"name": "editor", "password": "not the password"}


@pytest.fixture
def people(app):
    """One person of each role."""
    with app.app_context():
        for role in ("viewer", "editor", "admin"):
            add_person(role, role)


def test_refusal_does_not_say_whether_name_or_password_was_wrong(people, browser):
    bodies = []
    for name in ("editor", "nobody-here"):
        response = browser.submit("/login", {"name": name, "password": "not the password"})
        assert response.status_code == 422
        page = Page(response)
        assert page.texts(".error-summary li") == ["Name and password do not match."]
        assert page.one("#name")["value"] == name
        assert "not the password" not in response.text
        bodies.append(re.sub(f'name="csrf_token"[^>]*>|{name}', "", response.text))
    assert bodies[0] == bodies[1]


def test_disabled_person_sees_the_message_of_a_wrong_password(app, people, browser):
    with app.app_context():
        auth.set_active(OPERATOR, queries.find_person("editor").id, False)
    response = browser.submit("/login", {"name": "editor", "password": PASSWORD})
    assert response.status_code == 422
    assert Page(response).texts(".error-summary li") == ["Name and password do not match."]


def test_sign_in_redirects_and_starts_a_session_with_a_new_id(people, browser):
    before = "x" * 43
    browser.client.set_cookie("gz", before)
    response = browser.submit(
        "/login?next=/numbers", {"name": "Editor", "password": PASSWORD, "next": "/numbers"}
    )
    assert response.status_code == 303
    assert response.location == "/numbers"
    after = cookie_of(browser)
    assert after != before
    assert is_signed_in(browser)
    browser.client.set_cookie("gz", before)
    assert not is_signed_in(browser)


def test_name_is_found_in_any_case_and_width_and_with_spaces_around(people, browser):
    assert browser.sign_in(" Ｅditor ").status_code == 303


def test_sign_in_page_redirects_people_who_are_signed_in(people, browser):
    browser.sign_in("viewer")
    assert browser.get("/login?next=/numbers").location == "/numbers"
    assert browser.get("/login?next=//evil.example").location == "/"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example", "http:evil.example", "//evil.example", "///evil.example",
        "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\t/evil.example",
        "/\n/evil.example", "/\r\n/evil.example", "\t//evil.example", " //evil.example",
        "/ /evil.example", "javascript:alert(1)", "data:text/html,x", "evil.example", "?x", "#x",
        "", "/\x00/evil.example", "/\x7f", "/a\\..\\..\\evil", "/" + "a" * 3000,
        "／／evil.example", "@evil.example", "https:/evil.example",
    ],
)  # fmt: skip
def test_next_never_leads_off_the_site(target):
    assert safe_next(target, "/fallback") == "/fallback"


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_sign_in_never_leads_off_the_site(target, people, browser):
    response = browser.submit("/login", {"name": "viewer", "password": PASSWORD, "next": target})
    assert response.status_code == 303
    assert response.location == "/"


@pytest.mark.parametrize("target", ["/", "/cities?q=%E5%9C%B3&page=2", "/files/1", "/a//b", "/@x"])
def test_next_leads_to_pages_of_the_site(target):
    assert safe_next(target, "/fallback") == target


def test_sign_in_redirects_to_the_page_that_was_requested(people, browser):
    response = browser.get("/cities?q=%E5%9C%B3&n=a%2Fb")
    assert response.status_code == 303
    page = Page(browser.get(response.location))
    assert page.one("form.form input[name=next]")["value"] == "/cities?q=%E5%9C%B3&n=a%2Fb"
    response = browser.submit(
        "/login",
        {"name": "viewer", "password": PASSWORD, "next": "/cities?q=%E5%9C%B3&n=a%2Fb"},
    )
    assert response.location == "/cities?q=%E5%9C%B3&n=a%2Fb"


def test_sixth_wrong_attempt_in_a_minute_is_refused_and_shows_the_name(people, browser):
    for _attempt in range(5):
        assert browser.submit("/login", WRONG).status_code == 422
    response = browser.submit("/login", {**WRONG, "password": PASSWORD})
    assert response.status_code == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 61
    page = Page(response)
    assert page.one("#name")["value"] == "editor"
    assert page.text(".error-summary li").startswith("Too many wrong attempts.")
    assert browser.submit("/login", {**WRONG, "name": "ＥDITOR"}).status_code == 429
    # Neither another name nor another address is locked.
    assert browser.submit("/login", {**WRONG, "name": "viewer"}).status_code == 422
    elsewhere = {"environ_overrides": {"REMOTE_ADDR": "10.0.0.7"}}
    response = browser.submit("/login", {"name": "editor", "password": PASSWORD}, **elsewhere)
    assert response.status_code == 303


def test_attempts_of_an_address_with_many_names_are_limited(app, people, browser):
    with app.app_context():
        for _attempt in range(17):
            count_wrong("sign-in:address", "127.0.0.1")
    for number in range(3):
        response = browser.submit("/login", {"name": f"name-{number}", "password": "wrong one"})
        assert response.status_code == 422
    response = browser.submit("/login", {"name": "viewer", "password": PASSWORD})
    assert response.status_code == 429


def test_correct_attempts_are_not_counted(people, app):
    for _attempt in range(6):
        Browser(app).sign_in("viewer")


def age_attempts(app, seconds):
    """Make all attempts so far that much older."""
    store = app.extensions["redis"]
    for key in store.keys("gz:rate:*"):
        for name in store.zrange(key, 0, -1):
            store.zincrby(key, -seconds, name)


def test_at_most_five_wrong_attempts_are_accepted_in_any_minute(people, app, browser):
    """Also around the turn of a minute; each one expires a minute after it was made."""
    assert browser.submit("/login", WRONG).status_code == 422
    age_attempts(app, 50_000)
    for _attempt in range(4):
        assert browser.submit("/login", WRONG).status_code == 422
    response = browser.submit("/login", WRONG)
    assert response.status_code == 429
    assert 5 <= int(response.headers["Retry-After"]) <= 10
    age_attempts(app, 11_000)
    assert browser.submit("/login", WRONG).status_code == 422
    response = browser.submit("/login", WRONG)
    assert response.status_code == 429
    assert 40 <= int(response.headers["Retry-After"]) <= 49
    age_attempts(app, 60_000)
    assert browser.submit("/login", {**WRONG, "password": PASSWORD}).status_code == 303


def test_a_correct_attempt_between_wrong_ones_resets_nothing(people, app):
    for _attempt in range(4):
        assert Browser(app).submit("/login", WRONG).status_code == 422
    Browser(app).sign_in("editor")
    assert Browser(app).submit("/login", WRONG).status_code == 422
    assert Browser(app).submit("/login", WRONG).status_code == 429


def sign_in_at_once(app, *typed):
    """What each of several browsers is answered that send a password at the same time."""
    browsers = [Browser(app) for _password in typed]
    tokens = [browser.token("/login") for browser in browsers]

    def attempt(browser, token, password):
        data = {"name": "editor", "password": password, "csrf_token": token}
        return browser.client.post("/login", data=data, headers=HTML).status_code

    works = [partial(attempt, *each) for each in zip(browsers, tokens, typed, strict=True)]
    return at_once(app, *works)


def test_limit_holds_for_attempts_at_once(people, app):
    assert sorted(sign_in_at_once(app, *["wrong one"] * 9)) == [422] * 5 + [429] * 4


def test_right_passwords_sent_at_once_are_all_accepted(people, app, monkeypatch):
    """Five may be unresolved at a time; the others wait. They are not wrong attempts."""
    monkeypatch.setattr(passwords, "TURN_SECONDS", 60)
    monkeypatch.setattr(limits, "PAUSES", (0, *[0.05] * 600))
    assert sign_in_at_once(app, *[PASSWORD] * 26) == [303] * 26
    found = sign_in_at_once(app, *["wrong one"] * 9, *[PASSWORD] * 9)
    assert found.count(422) == 5
    assert set(found[9:]) <= {303, 429}
    assert set(found[:9]) == {422, 429}


def test_whoever_waits_too_long_for_the_attempts_of_others_is_asked_to_come_back(
    people, app, browser, monkeypatch
):
    monkeypatch.setattr(limits, "PAUSES", (0, 0.01))
    with app.app_context():
        editor = limits.stranger_limits(2, "editor", "127.0.0.1")
        attempts = [limits.begin_attempt(*editor) for _number in range(5)]
    right = {**WRONG, "password": PASSWORD}
    response = browser.submit("/login", right)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
    text = "Many people are signing in right now. Try again in a moment."
    assert Page(response).texts(".error-summary li") == [text]
    with app.app_context():
        for attempt in attempts:
            resolve(attempt, counts=False)
    assert browser.submit("/login", right).status_code == 303


def test_what_was_typed_as_a_name_is_not_stored_in_redis(app, browser):
    browser.submit("/login", {"name": "my secret by mistake", "password": "x"})
    keys = app.extensions["redis"].keys("*")
    assert keys
    assert not any("secret" in key for key in keys)


def test_empty_form_is_refused_beside_both_fields(browser):
    response = browser.submit("/login", {"name": "", "password": ""})
    assert response.status_code == 422
    messages = ["Enter your name.", "Enter your password."]
    assert Page(response).texts(".error-summary li") == messages


def test_long_name_and_password_are_refused_as_wrong(people, browser):
    response = browser.submit("/login", {"name": "x" * 4_000, "password": "y" * 3_900})
    assert response.status_code == 422


def test_a_name_that_nobody_can_have_is_not_folded_whole(app, monkeypatch):
    """Each of these becomes 18 characters when folded: half a million took four seconds."""
    long, folded = "\ufdfa" * 430_000, []
    normalize = unicodedata.normalize

    def normalize_counted(form, text):
        folded.append(len(text))
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", normalize_counted)
    with app.test_request_context("/login"):
        with pytest.raises(Invalid):
            sign_in.sign_in(ANONYMOUS, long, "not the password", "192.0.2.1")
        assert queries.find_person(long) is None
        for check in (rules.check_name, services.check_key):
            with pytest.raises(Invalid):
                check(long)
        assert queries.find_person("short") is None
    assert set(folded) == {5}


def test_sign_out_is_a_post_and_ends_the_session(people, app, browser):
    browser.sign_in("viewer")
    old = cookie_of(browser)
    response = browser.get("/logout")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
    assert is_signed_in(browser)
    response = browser.submit("/logout", page="/account")
    assert response.status_code == 303
    assert response.headers["Clear-Site-Data"] == '"cache"'
    assert browser.client.get_cookie("gz") is None
    assert not is_signed_in(browser)
    replay = Browser(app)
    replay.client.set_cookie("gz", old)
    assert not is_signed_in(replay)


def test_signing_out_in_a_second_tab_has_the_same_response(people, browser):
    browser.sign_in("viewer")
    token = browser.token("/account")
    headers = {**HTML, "Sec-Fetch-Site": "same-origin"}
    for _tab in range(2):
        response = browser.client.post("/logout", data={"csrf_token": token}, headers=headers)
        assert (response.status_code, response.location) == (303, "/login?why=out")
    page = Page(browser.get(response.location))
    assert page.text(".notice.good .notice-text") == "You are signed out."
    assert page.has("input[type=password]")
    from_elsewhere = {**HTML, "Sec-Fetch-Site": "cross-site"}
    assert browser.client.post("/logout", headers=from_elsewhere).status_code == 400


def test_sign_in_page_has_fields_that_password_managers_know(browser):
    page = Page(browser.get("/login"))
    assert page.has('#name[autocomplete="username"]')
    assert page.has('#password[type="password"][autocomplete="current-password"]')
