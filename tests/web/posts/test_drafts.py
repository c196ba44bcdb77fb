"""What was typed survives the end of the session, and a token of an earlier one."""

import io
import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import select
from wtforms import PasswordField

from app.cities.models import City
from app.database.engine import db
from app.web.forms import BaseForm
from app.web.posts import csrf
from app.web.posts.drafts import SECONDS, fields_left_out
from tests.factories import HTML, PASSWORD, Browser, csrf_token
from tests.html import Page
from tests.web.test_security_matrix import JSON, TABLE, Walker, example, filled

__all__ = ["filled"]

TYPED = {"province": "安省", "city": "失市 <&>", "number": "７ 424"}
SAID = "This form was out of date, and nothing was saved yet. Check it and send it again."
GONE = "The form you had sent is no longer stored."
SOMEBODY_ELSE = (
    "You are signed in as admin, and somebody else sent this form. Nothing was changed. "
    "Whoever sent it sees it here after signing in within ten minutes."
)


@pytest.fixture
def editor(filled):
    return Walker(filled, "editor").browser


def form_of(browser, page, selector="form.form"):
    """The action of a form, and its hidden fields."""
    shown = Page(browser.get(page))
    form = shown.one(selector)
    hidden = form.select("input[type=hidden][name]")
    return form["action"], {tag["name"]: tag.get("value", "") for tag in hidden}


def keys(app):
    return app.extensions["redis"].keys("gz:form:*")


def post(browser, action, data, **headers):
    return browser.client.post(action, data=data, headers={**HTML, **headers})


def end_session(browser):
    browser.client.delete_cookie("gz")


def sign_in(browser, location, name="editor"):
    """Sign in on the page to which a form led; returns the page that is shown then."""
    assert urlsplit(location).path == "/login"
    page = browser.get(location)
    target = Page(page).one("form.form input[name=next]")["value"]
    data = {"name": name, "password": PASSWORD, "next": target}
    response = post(browser, "/login", {**data, "csrf_token": csrf_token(page.text)})
    assert response.status_code == 303
    return browser.get(response.location)


def assert_typed(response):
    page = Page(response)
    for name, value in TYPED.items():
        assert page.one(f"form.form [name={name}]")["value"] == value
    assert page.texts(".notice-text") == [SAID]


def test_a_new_city_survives_the_end_of_the_session(editor, filled):
    action, hidden = form_of(editor, "/cities/new")
    end_session(editor)
    response = post(editor, action, {**hidden, **TYPED})
    assert response.status_code == 303
    said = Page(editor.get(response.location)).text(".notice-text")
    assert said == "Please sign in again. Your form was stored and will be shown again afterwards."
    shown = sign_in(editor, response.location)
    assert_typed(shown)
    action, again = form_of(editor, "/cities/new?draft=3")
    assert again["key"] == hidden["key"]
    assert again["csrf_token"] != hidden["csrf_token"]
    assert post(editor, action, {**again, **TYPED}).status_code == 303
    with filled.app_context():
        assert (
            db.session.scalar(select(City.usernumber).where(City.cityname == TYPED["city"])) == 7424
        )


def test_a_changed_city_keeps_the_version_it_was_opened_with(editor, filled):
    action, hidden = form_of(editor, "/cities/1")
    end_session(editor)
    response = post(editor, action, {**hidden, **TYPED}, Referer="http://localhost/cities/1")
    with filled.app_context():
        db.session.get(City, 1).usernumber = 4711
        db.session.commit()
    assert_typed(sign_in(editor, response.location))
    action, again = form_of(editor, "/cities/1?draft=3")
    assert again["version"] == hidden["version"]
    assert post(editor, action, {**again, **TYPED}).status_code == 409


def test_the_token_of_an_earlier_session_shows_the_form_again(editor, caplog):
    action, hidden = form_of(editor, "/cities/new")
    end_session(editor)
    editor.sign_in("editor")
    caplog.clear()
    response = post(editor, action, {**hidden, **TYPED})
    assert [r.message for r in caplog.records if r.name == "gazetteer.events"] == ["form-refused"]
    assert (response.status_code, response.location) == (303, "/cities/new?draft=3")
    assert_typed(editor.get(response.location))


def test_a_page_of_the_previous_release_has_no_signature_and_a_valid_token(editor):
    _action, hidden = form_of(editor, "/cities/new")
    assert post(editor, "/cities/new", {**hidden, **TYPED}).location == "/cities"


def test_a_form_without_a_page_of_its_own_is_shown_on_the_page_where_it_was(editor):
    action, hidden = form_of(editor, "/session")
    end_session(editor)
    data = {**hidden, "key": "colour", "value": "red"}
    response = post(editor, action, data, Referer="http://localhost/session?f=1.2.3&x=1")
    target = parse_qs(urlsplit(response.location).query)["next"]
    assert target == ["/session?x=1&draft=3"]
    shown = Page(sign_in(editor, response.location))
    assert (shown.one("#key")["value"], shown.one("#value")["value"]) == ("colour", "red")


def test_files_are_named_and_not_stored(editor, filled):
    action, hidden = form_of(editor, "/cities/import")
    end_session(editor)
    file = (io.BytesIO(b"a secret of the file"), "城市.csv")
    response = post(editor, action, {**hidden, "note": "x", "file": file})
    assert "secret" not in filled.extensions["redis"].get(keys(filled)[0])
    said = Page(sign_in(editor, response.location)).text(".notice-text")
    assert said == f"{SAID} Choose these files again: 城市.csv"


def test_another_person_does_not_see_it(editor, filled):
    action, hidden = form_of(editor, "/cities/new")
    end_session(editor)
    response = post(editor, action, {**hidden, **TYPED})
    assert_not_shown(sign_in(editor, response.location, "admin"), SOMEBODY_ELSE)
    assert keys(filled) == ["gz:form:3"]


def assert_not_shown(response, reason):
    page = Page(response)
    assert TYPED["city"] not in response.text
    assert page.one("#city")["value"] == ""
    assert page.texts(".notice-text") == [reason]


def test_a_form_sent_while_somebody_else_is_signed_in_waits_for_its_sender(editor, filled):
    action, hidden = form_of(editor, "/cities/new")
    end_session(editor)
    editor.sign_in("admin")
    response = post(editor, action, {**hidden, **TYPED})
    assert (response.status_code, response.location) == (303, "/cities/new?draft=3")
    assert keys(filled) == ["gz:form:3"]
    assert_not_shown(editor.get(response.location), SOMEBODY_ELSE)
    # Nor under the number of whoever is signed in.
    shown = [editor.get(f"/cities/new?draft={number}") for number in range(6)]
    assert [TYPED["city"] in page.text for page in shown] == [False] * 6
    assert [GONE in page.text for page in shown].count(True) == 1
    # Its sender signs in and is led to it.
    action, hidden = form_of(editor, response.location, "form[action^='/logout']")
    assert_typed(sign_in(editor, post(editor, action, hidden).location))


def test_signing_in_on_the_page_of_a_draft_leads_to_it(editor):
    action, hidden = form_of(editor, "/cities/new")
    end_session(editor)
    post(editor, action, {**hidden, **TYPED})
    assert_typed(sign_in(editor, editor.get("/cities/new?draft=3").location))


def test_of_two_forms_the_page_of_the_first_says_that_it_is_gone(editor):
    first, hidden = form_of(editor, "/cities/new")
    second, _hidden = form_of(editor, "/cities/1")
    end_session(editor)
    led_to = post(editor, first, {**hidden, **TYPED}).location
    post(editor, second, {**hidden, **TYPED})
    assert_not_shown(sign_in(editor, led_to), GONE)
    assert_typed(editor.get("/cities/1?draft=3"))


def test_only_the_last_one_is_stored_for_ten_minutes(editor, filled):
    action, hidden = form_of(editor, "/cities/new")
    other, _hidden = form_of(editor, "/cities/1")
    end_session(editor)
    post(editor, other, {**hidden, **TYPED})
    post(editor, action, {**hidden, **TYPED})
    (key,) = keys(filled)
    assert key == "gz:form:3"
    assert SECONDS - 60 < filled.extensions["redis"].ttl(key) <= SECONDS == 600
    editor.sign_in("editor")
    assert_typed(editor.get("/cities/new?draft=3"))
    assert SAID not in editor.get("/cities/1?draft=3").text
    assert SAID not in editor.get("/cities/new").text


@pytest.mark.parametrize("text", ["", "{", "[]", '{"path": "/cities/new"}', '{"pairs": 5}'])
def test_a_draft_that_cannot_be_read_is_none(text, editor, filled):
    filled.extensions["redis"].set("gz:form:3", text)
    assert editor.get("/cities/new?draft=3").status_code == 200
    filled.extensions["redis"].delete("gz:form:3")
    filled.extensions["redis"].lpush("gz:form:3", "x")
    assert editor.get("/cities/new?draft=3").status_code == 200


def changed(action, **parts):
    """The action with another part of its signature."""
    path, _mark, query = action.partition("?f=")
    names = ("person", "day", "mac")
    found = {**dict(zip(names, query.split("."), strict=True)), **parts}
    return f"{parts.get('path', path)}?f={'.'.join(found[name] for name in names)}"


@pytest.mark.parametrize(
    "change",
    [
        {"person": "4"}, {"person": "03"}, {"person": "-3"}, {"person": ""}, {"day": "1"},
        {"mac": "A" * 22}, {"mac": ""}, {"path": "/cities/1"}, {"person": "٣"}, {"mac": "x.y.z"},
    ],
)  # fmt: skip
def test_a_signature_that_is_not_ours_is_none(change, editor, filled):
    action, hidden = form_of(editor, "/cities/new")
    end_session(editor)
    response = post(editor, changed(action, **change), {**hidden, **TYPED})
    assert (response.status_code, response.location) == (
        303,
        ended(change.get("path", "/cities/new")),
    )
    assert not keys(filled)


def ended(page):
    return "/login?" + urlencode({"next": page, "why": "ended"}, safe="/")


@pytest.mark.parametrize(("days", "is_stored"), [(0, True), (1, True), (2, False)])
def test_a_signature_counts_today_and_tomorrow(days, is_stored, editor, filled, monkeypatch):
    action, hidden = form_of(editor, "/cities/new")
    end_session(editor)
    day = csrf.day_number()
    monkeypatch.setattr(csrf, "day_number", lambda: day + days)
    post(editor, action, {**hidden, **TYPED})
    assert bool(keys(filled)) is is_stored


@pytest.mark.parametrize(
    ("headers", "size"),
    [
        ({"Origin": "https://evil.example"}, 0),
        ({"Sec-Fetch-Site": "cross-site"}, 0),
        ({"Referer": "https://evil.example/cities/new"}, 0),
        (JSON, 0),
        ({}, 66_000),
    ],
)
def test_what_is_not_ours_or_too_large_is_not_stored(headers, size, editor, filled):
    action, hidden = form_of(editor, "/cities/new")
    end_session(editor)
    response = post(editor, action, {**hidden, **TYPED, "note": "x" * size}, **headers)
    assert response.status_code == (401 if headers == JSON else 303)
    # Nor if somebody else has signed in since.
    editor.sign_in("admin")
    response = post(editor, action, {**hidden, **TYPED, "note": "x" * size}, **headers)
    assert response.status_code == (413 if size else 400)
    assert not keys(filled)


def test_the_largest_form_of_a_member_is_stored(editor, filled):
    action, hidden = form_of(editor, "/cities/new")
    end_session(editor)
    post(editor, action, {**hidden, **TYPED, "note": "x" * 60_000})
    assert len(json.loads(filled.extensions["redis"].get("gz:form:3"))["pairs"]) >= 4


def pages(browser):
    """The path of every page and its content."""
    for address, method in TABLE:
        if method == "GET":
            with browser.get(example(address)) as response:
                if response.mimetype == "text/html":
                    yield example(address), Page(response)


def test_a_password_is_never_stored(filled):
    admin = Walker(filled, "admin").browser
    forms = [
        (path, form["action"])
        for path, page in pages(admin)
        for form in page.all("form:has(input[type=password])")
    ]
    assert forms
    for path, action in forms:
        data = {"current": PASSWORD, "password": PASSWORD, "again": ""}
        stranger = Browser(filled)
        headers = {"Referer": f"http://localhost{path}"}
        assert post(stranger, action, data, **headers).location == ended(path)
        assert post(admin, action, {**data, "csrf_token": "x"}, **headers).status_code == 400
        assert not keys(filled)
        for browser in (stranger, admin):
            post(browser, action, {**data, "csrf_token": "x", "label": "typed"}, **headers)
            stored = json.loads(filled.extensions["redis"].getdel(*keys(filled)))
            assert stored["pairs"] == [["label", "typed"]]


def test_the_label_of_a_token_survives_without_the_password(editor):
    action, hidden = form_of(editor, "/account/tokens")
    end_session(editor)
    response = post(editor, action, {**hidden, "label": "laptop", "password": PASSWORD})
    shown = sign_in(editor, response.location)
    assert Page(shown).one("#label")["value"] == "laptop"
    assert PASSWORD not in shown.text


@pytest.mark.parametrize(
    ("action", "page"),
    [
        ("/account/password", "/account/password"),
        ("/people/2/disable", "/people/2"),
        ("/upload", "/files"),
        ("/cities/import", "/cities/import"),
    ],
)
def test_what_is_not_stored_leads_back_to_its_page(action, page, filled):
    browser = Walker(filled, "admin").browser
    end_session(browser)
    headers = {"Referer": f"http://localhost{page}"}
    response = post(browser, action, {"x": "1"}, **headers)
    said = Page(browser.get(response.location)).text(".notice-text")
    assert said == "Please sign in again, then repeat what you did."
    shown = sign_in(browser, response.location, "admin")
    while shown.status_code == 302:
        shown = browser.get(shown.location)
    assert (shown.request.path, shown.status_code) == (page, 200)


def test_all_fields_for_passwords_are_known():
    found = {
        name
        for form in all_forms(BaseForm)
        for name, field in vars(form).items()
        if getattr(field, "field_class", None) is PasswordField
    }
    assert {"current", "password", "again"} <= found == fields_left_out() - {"csrf_token"}


def all_forms(base):
    return [base, *(each for form in base.__subclasses__() for each in all_forms(form))]


@pytest.mark.parametrize("role", ["viewer", "editor", "admin"])
def test_every_form_of_a_member_is_signed(role, filled):
    browser, count = Walker(filled, role).browser, 0
    for path, page in pages(browser):
        for form in page.all("form[method=post]"):
            if form.get("id", "").endswith("-actions"):
                # Nothing is typed in them; their buttons have the addresses.
                assert not form.select("input:not([type=hidden]), select, textarea, button")
                continue
            count += 1
            assert re.search("[?&]f=", form["action"]), (path, form["action"])
    assert count > 20
