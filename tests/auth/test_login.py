"""Signing in and out: what is told, what is counted, where one goes on to."""

import re
import time
import unicodedata

import pytest

from app.auth import passwords, queries, rules, sign_in
from app.auth import services as auth
from app.errors import Invalid
from app.redis.rate_limit import Limit
from app.session_page import services
from app.web.urls import safe_next
from tests.factories import HTML, OPERATOR, PASSWORD, Browser, add_person, at_once

WRONG = {"name": "editor", "password": "not the password"}


@pytest.fixture
def people(app):
    """One person of each role."""
    with app.app_context():
        for role in ("viewer", "editor", "admin"):
            add_person(role, role)


def test_wrong_password_is_told_without_saying_which_half(people, browser):
    bodies = []
    for name in ("editor", "nobody-here"):
        answer = browser.submit("/login", {"name": name, "password": "not the password"})
        assert answer.status_code == 422
        assert "Name and password do not match." in answer.text
        assert f'value="{name}"' in answer.text
        assert "not the password" not in answer.text
        bodies.append(re.sub(f'name="csrf_token"[^>]*>|{name}', "", answer.text))
    assert bodies[0] == bodies[1]


def test_somebody_disabled_is_told_no_more_than_a_wrong_password(app, people, browser):
    with app.app_context():
        auth.set_active(OPERATOR, queries.find_person("editor").id, False)
    answer = browser.submit("/login", {"name": "editor", "password": PASSWORD})
    assert answer.status_code == 422
    assert "Name and password do not match." in answer.text


def test_unknown_name_takes_as_long_as_a_wrong_password(app, people):
    def fastest(name):
        times = []
        for _try in range(4):
            begin = time.thread_time()  # of this thread: others may use the machine
            assert sign_in.verify(name, "not the password") is None
            times.append(time.thread_time() - begin)
        return min(times)

    with app.app_context():
        # The hash that factories make is cheaper.
        auth.create_person(OPERATOR, "real-hash", PASSWORD, "viewer")
        kept = queries.find_person("real-hash").password_hash
        assert kept.split("$")[0] == passwords.DUMMY_HASH.split("$")[0]
        known, unknown = fastest("real-hash"), fastest("nobody-here")
    assert 0.5 < known / unknown < 2


def test_sign_in_leads_on_and_makes_a_new_session_id(people, browser):
    browser.get("/login")
    before = browser.client.get_cookie("gz").value
    answer = browser.submit(
        "/login?next=/numbers", {"name": "Editor", "password": PASSWORD, "next": "/numbers"}
    )
    assert answer.status_code == 303
    assert answer.location == "/numbers"
    after = browser.client.get_cookie("gz").value
    assert after != before
    assert browser.get("/account").status_code == 200
    browser.client.set_cookie("gz", before)
    assert browser.get("/account").location.startswith("/login")


def test_name_is_found_in_any_case_and_width_and_with_blanks_around(people, browser):
    assert browser.sign_in(" Ｅditor ").status_code == 303


def test_who_is_signed_in_goes_on_from_the_sign_in_page(people, browser):
    browser.sign_in("viewer")
    assert browser.get("/login?next=/numbers").location == "/numbers"
    assert browser.get("/login?next=//evil.example").location == "/cities"


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
    answer = browser.submit("/login", {"name": "viewer", "password": PASSWORD, "next": target})
    assert answer.status_code == 303
    assert answer.location == "/cities"


@pytest.mark.parametrize("target", ["/", "/cities?q=%E5%9C%B3&page=2", "/files/1", "/a//b", "/@x"])
def test_next_leads_to_pages_of_the_site(target):
    assert safe_next(target, "/fallback") == target


def test_page_asked_for_comes_back_after_the_sign_in(people, browser):
    answer = browser.get("/cities?q=%E5%9C%B3&n=a%2Fb")
    assert answer.status_code == 303
    page = browser.get(answer.location)
    assert 'name="next"' in page.text
    answer = browser.submit(
        "/login",
        {"name": "viewer", "password": PASSWORD, "next": "/cities?q=%E5%9C%B3&n=a%2Fb"},
    )
    assert answer.location == "/cities?q=%E5%9C%B3&n=a%2Fb"


def test_sixth_wrong_try_in_a_minute_is_slowed_and_keeps_the_name(people, browser):
    for _try in range(5):
        assert browser.submit("/login", WRONG).status_code == 422
    answer = browser.submit("/login", {**WRONG, "password": PASSWORD})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert 'value="editor"' in answer.text
    assert "Too many wrong attempts" in answer.text
    assert "Gazetteer</a>" in answer.text
    assert browser.submit("/login", {**WRONG, "name": "ＥDITOR"}).status_code == 429
    # Neither another name nor another address is shut out.
    assert browser.submit("/login", {**WRONG, "name": "viewer"}).status_code == 422
    elsewhere = {"environ_overrides": {"REMOTE_ADDR": "10.0.0.7"}}
    answer = browser.submit("/login", {"name": "editor", "password": PASSWORD}, **elsewhere)
    assert answer.status_code == 303


def test_address_that_tries_many_names_is_slowed(app, people, browser):
    with app.app_context():
        for _try in range(17):
            sign_in.count(Limit(sign_in.WRONG_PER_ADDRESS, "sign-in:127.0.0.1"))
    for number in range(3):
        answer = browser.submit("/login", {"name": f"name-{number}", "password": "wrong one"})
        assert answer.status_code == 422
    answer = browser.submit("/login", {"name": "viewer", "password": PASSWORD})
    assert answer.status_code == 429


def test_right_tries_are_not_counted(people, app):
    for _try in range(6):
        Browser(app).sign_in("viewer")


def age_tries(app, seconds):
    """As if every try so far had been made that much earlier."""
    store = app.extensions["redis"]
    for key in store.keys("gz:rate:*"):
        for name in store.zrange(key, 0, -1):
            store.zincrby(key, -seconds, name)


def test_no_more_than_five_wrong_tries_fit_into_any_minute(people, app, browser):
    """Not around the border of two minutes either; each of the five frees its own place."""
    assert browser.submit("/login", WRONG).status_code == 422
    age_tries(app, 50_000)
    for _try in range(4):
        assert browser.submit("/login", WRONG).status_code == 422
    answer = browser.submit("/login", WRONG)
    assert answer.status_code == 429
    assert 5 <= int(answer.headers["Retry-After"]) <= 10
    age_tries(app, 11_000)
    assert browser.submit("/login", WRONG).status_code == 422
    answer = browser.submit("/login", WRONG)
    assert answer.status_code == 429
    assert 40 <= int(answer.headers["Retry-After"]) <= 49
    age_tries(app, 60_000)
    assert browser.submit("/login", {**WRONG, "password": PASSWORD}).status_code == 303


def test_a_right_try_between_wrong_ones_frees_no_place(people, app):
    for _try in range(4):
        assert Browser(app).submit("/login", WRONG).status_code == 422
    Browser(app).sign_in("editor")
    assert Browser(app).submit("/login", WRONG).status_code == 422
    assert Browser(app).submit("/login", WRONG).status_code == 429


def test_limit_holds_for_tries_at_once(people, app, redis_url):
    browsers = [Browser(app) for _number in range(9)]
    tokens = [browser.token("/login") for browser in browsers]

    def attempt(browser, token):
        data = {**WRONG, "csrf_token": token}
        return browser.client.post("/login", data=data, headers=HTML).status_code

    works = [lambda b=b, t=t: attempt(b, t) for b, t in zip(browsers, tokens, strict=True)]
    assert sorted(at_once(app, *works)) == [422] * 5 + [429] * 4


def test_what_was_typed_as_a_name_is_not_kept_in_redis(app, browser):
    browser.submit("/login", {"name": "my secret by mistake", "password": "x"})
    keys = app.extensions["redis"].keys("*")
    assert keys
    assert not any("secret" in key for key in keys)


def test_empty_form_says_what_is_missing(browser):
    answer = browser.submit("/login", {"name": "", "password": ""})
    assert answer.status_code == 422
    assert "Enter your name." in answer.text
    assert "Enter your password." in answer.text


def test_huge_name_and_password_are_only_wrong(people, browser):
    answer = browser.submit("/login", {"name": "x" * 100_000, "password": "y" * 100_000})
    assert answer.status_code == 422


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
            sign_in.check_credentials(long, "not the password", "192.0.2.1")
        assert queries.find_person(long) is None
        for check in (rules.check_name, services.check_key):
            with pytest.raises(Invalid):
                check(long)
        assert queries.find_person("short") is None
    assert set(folded) == {5}


def test_a_sign_in_page_that_was_open_too_long_is_shown_again(people, app, browser):
    token = browser.token("/login?next=/numbers")
    store = app.extensions["redis"]
    store.delete(*store.keys("gz:session:*"))  # as after an hour
    data = {"name": "viewer", "password": PASSWORD, "next": "/numbers", "csrf_token": token}
    answer = browser.client.post("/login", data=data, headers=HTML)
    assert (answer.status_code, answer.location) == (303, "/login?next=/numbers")
    page = browser.get(answer.location).text
    assert "This page was open too long. Please try again." in page
    assert 'value="/numbers"' in page
    data["next"] = "//evil.example"
    answer = browser.client.post("/login", data=data, headers=HTML)
    assert (answer.status_code, answer.location) == (303, "/login")
    # Sent by nothing that shows pages, or without any token, it is refused.
    assert browser.client.post("/login", data=data).status_code == 400
    del data["csrf_token"]
    assert browser.client.post("/login", data=data, headers=HTML).status_code == 400
    assert browser.sign_in("viewer").status_code == 303


def test_sign_out_is_a_post_and_final(people, app, browser):
    browser.sign_in("viewer")
    old = browser.client.get_cookie("gz").value
    answer = browser.get("/logout")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert browser.get("/account").status_code == 200
    answer = browser.submit("/logout", page="/account")
    assert answer.status_code == 303
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert browser.client.get_cookie("gz") is None
    assert browser.get("/account").location.startswith("/login")
    replay = Browser(app)
    replay.client.set_cookie("gz", old)
    assert replay.get("/account").location.startswith("/login")


def test_signing_out_in_a_second_tab_is_answered_like_the_first(people, browser):
    browser.sign_in("viewer")
    token = browser.token("/account")
    headers = {**HTML, "Sec-Fetch-Site": "same-origin"}
    for _tab in range(2):
        answer = browser.client.post("/logout", data={"csrf_token": token}, headers=headers)
        assert (answer.status_code, answer.location) == (303, "/login")
    from_elsewhere = {**HTML, "Sec-Fetch-Site": "cross-site"}
    assert browser.client.post("/logout", headers=from_elsewhere).status_code == 400


def test_sign_in_page_has_fields_that_password_managers_know(browser):
    text = browser.get("/login").text
    assert 'type="password"' in text
    assert 'autocomplete="current-password"' in text
    assert 'autocomplete="username"' in text
