"""One's own account: the password, the other sessions, the preferences."""

import pytest

from app.auth import queries
from app.auth import services as auth
from app.auth.models import PASSWORD_LONGEST, PASSWORD_SHORTEST
from app.auth.sign_in.services import change_password
from app.errors import Invalid
from tests.auth.helpers import cookie_of, is_signed_in
from tests.factories import HTML, OPERATOR, PASSWORD, Browser, actor_of
from tests.html import Page

NEW = "another long password"


@pytest.fixture
def editor(as_role):
    return as_role("editor")


def change(browser, current=PASSWORD, password=NEW, again=None):
    """Send the form for a new password."""
    fields = {"current": current, "password": password, "again": again or password}
    return browser.submit("/account/password", fields)


def test_account_shows_name_and_role(editor, browser):
    assert Page(editor.get("/account")).texts(".facts dd")[:2] == ["editor", "Editor"]
    assert browser.get("/account").location == "/login?next=/account"


def test_the_form_shows_the_limits_of_the_model(editor):
    limits = f"{PASSWORD_SHORTEST} to {PASSWORD_LONGEST} characters of any kind."
    page = Page(editor.get("/account/password"))
    assert page.text("#password-help") == limits
    # A browser would cut off a longer one that is pasted, and nobody would see it.
    assert not page.has("[maxlength]")


def test_password_change_ends_the_other_sessions_but_not_this_one(app, editor):
    other = Browser(app)
    other.sign_in("editor")
    before = cookie_of(editor)
    response = change(editor)
    assert (response.status_code, response.location) == (303, "/account")
    assert cookie_of(editor) != before
    notice = Page(editor.get("/account")).text(".notice-text")
    assert notice == "Your password was changed. Your other sessions have ended."
    assert not is_signed_in(other)
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
def test_bad_input_is_reported_and_changes_nothing(fields, message, app, editor):
    with app.app_context():
        before = queries.find_person("editor").session_epoch
    response = change(editor, **fields)
    assert response.status_code == 422
    assert Page(response).texts(".error-summary li") == [message]
    assert PASSWORD not in response.text
    assert NEW not in response.text
    with app.app_context():
        assert queries.find_person("editor").session_epoch == before


def test_name_as_password_is_refused(app):
    with app.app_context():
        auth.create_person(OPERATOR, "long enough", PASSWORD, "viewer")
    browser = Browser(app)
    browser.sign_in("long enough")
    response = change(browser, password="Long Enough")
    assert response.status_code == 422
    assert Page(response).texts(".error-summary li") == ["The password must not be the name."]


def test_everything_that_is_wrong_is_reported_at_once(editor):
    response = change(editor, current="wrong one", password="short", again="shirt")
    assert response.status_code == 422
    assert Page(response).texts(".error-summary li") == [
        "This is not your current password.",
        "A password has 8 to 256 characters.",
        "The two new passwords differ.",
    ]
    response = change(editor, current="wrong one", password="password", again="passwort")
    assert Page(response).texts(".error-summary li") == [
        "This is not your current password.",
        "This is one of the most common passwords. Choose another one.",
        "The two new passwords differ.",
    ]
    # Both are wrong by rules of the service alone.
    response = change(editor, current="wrong one", password="password")
    assert len(Page(response).all(".error-summary li")) == 2


def test_a_password_that_was_not_typed_is_no_attempt(editor):
    for _try in range(7):
        response = change(editor, current="", password="short")
        assert response.status_code == 422
        assert Page(response).texts(".error-summary li") == [
            "Enter your current password.",
            "A password has 8 to 256 characters.",
        ]


def test_wrong_passwords_in_a_wrong_form_are_limited_too(editor):
    for _try in range(5):
        assert change(editor, current="wrong one", password="short").status_code == 422
    response = change(editor, current="wrong one", password="short")
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert "A password has 8 to 256 characters." in Page(response).texts(".error-summary li")


def test_a_service_does_not_take_an_empty_current_password(app, editor):
    with app.app_context():
        actor = actor_of(queries.find_person("editor").id)
        with pytest.raises(Invalid) as refused:
            change_password(actor, "", NEW)
    assert list(refused.value.fields) == ["current"]


def test_each_field_for_a_password_has_a_button_that_shows_it(editor):
    page = Page(editor.get("/account/password"))
    ids = [each["id"] for each in page.all("input[type=password]")]
    assert ids == ["current", "password", "again"]
    buttons = page.all("button[type=button][aria-pressed=false][data-show-password]")
    assert [each["data-show-password"] for each in buttons] == ids


def test_wrong_current_passwords_are_limited_like_wrong_sign_ins(editor):
    for _try in range(5):
        assert change(editor, current="wrong one").status_code == 422
    response = change(editor)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0


def test_preferences_are_stored_and_redirect_back(browser):
    response = browser.submit("/preferences", {"scheme": "dark", "next": "/numbers"}, page="/login")
    assert (response.status_code, response.location) == (303, "/numbers")
    assert Page(browser.get("/login")).has('html[data-bs-theme="dark"]')
    response = browser.submit(
        "/preferences",
        {"scheme": "pink", "language": "tlh", "next": "//evil.example"},
        page="/login",
    )
    assert response.location == "/"
    assert "Set-Cookie" not in response.headers
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
        ({}, 303),  # an old browser
    ],
)
def test_preferences_of_visitors_are_not_taken_from_pages_of_other_sites(browser, headers, status):
    data = {"scheme": "dark", "next": "/numbers"}
    response = browser.client.post("/preferences", data=data, headers={**HTML, **headers})
    assert response.status_code == status
    assert ("gz_scheme=dark" in response.headers.get("Set-Cookie", "")) is (status == 303)


def test_preferences_of_people_signed_in_need_the_token(editor):
    headers = {**HTML, "Sec-Fetch-Site": "same-origin"}
    assert editor.client.post("/preferences", data={}, headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("address", "sender", "status", "next_page"),
    [
        ("/session/set", "/session?tab=1", 422, "/session?tab=1"),
        ("/session/set", "/session/set", 422, "/"),
        ("/cities/new", "/cities", 422, "/cities/new"),
        ("/people/1/role", "/people/1", 403, "/people/1"),
        ("/people/1/role", "//evil.example/people/1", 400, "/"),
    ],
)
def test_language_can_be_chosen_on_a_refused_form(editor, address, sender, status, next_page):
    """And leads back to a page that can be opened."""
    referrer = sender if sender.startswith("//") else f"//localhost{sender}"
    headers = {**HTML, "Referer": f"http:{referrer}"}
    token = editor.token("/account")
    response = editor.client.post(address, data={"csrf_token": token}, headers=headers)
    assert response.status_code == status
    assert {
        each["value"] for each in Page(response).all("[action^='/preferences?'] [name=next]")
    } == {next_page}
    assert editor.get(next_page).status_code in (200, 302, 403)
