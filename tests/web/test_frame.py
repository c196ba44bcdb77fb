"""The frame of a page is drawn once for many, and shows everybody their own."""

import itertools

import pytest
from flask import render_template

from app.current import actor
from app.web import frame
from app.web.navigation import MenuItem, add_to_bar
from tests.factories import HTML, Browser, add_person
from tests.html import Page

ROLES = (None, "viewer", "editor", "admin")
LANGUAGES, SCHEMES = ("en", "zh"), ("auto", "light", "dark")
PATHS = (
    "/", "/cities", "/files", "/account", "/login", "/nothing", "/cities/999", "/people",
    "/cities?q=%3Cb%3E&sort=users", "/login?next=/cities", "/pi/1/2",
)  # fmt: skip
NAMES = (
    "Ada", "<b>\"&'{0}</b>", "100% %s %(name)s %%", f"{frame.SLOT}0-", f"%({frame.SLOT}0-)s",
    "ß ǆ", "深圳",
)  # fmt: skip


@pytest.fixture
def drawn(app, monkeypatch):
    """Draws every bar of `app` from the request alone too, and compares; returns what decided how
    each was drawn."""
    found = []

    def draw_twice(forms, sign_in):
        bar = frame.current_bar(forms, sign_in)
        stored = frame.navigation_bar(forms, sign_in)
        who = actor()
        person = frame.PersonSlots(who.name, who.name[:1].upper()) if who.is_signed_in else None
        assert stored == render_template("_bar.html", bar=bar, person=person)
        assert frame.SLOT not in stored.replace(who.name, "")
        found.append(bar)
        return stored

    monkeypatch.setitem(app.jinja_env.globals, "navigation_bar", draw_twice)
    frame.draw_bar.cache_clear()
    return found


@pytest.mark.parametrize("role", ROLES)
def test_a_stored_bar_is_the_one_of_the_request(app, as_role, drawn, role):
    browser = as_role(role) if role else Browser(app)
    for language, scheme in itertools.product(LANGUAGES, SCHEMES):
        browser.client.set_cookie("gz_language", language)
        browser.client.set_cookie("gz_scheme", scheme)
        for path in PATHS:
            first, again = (browser.get(path) for _each in range(2))
            assert first.status_code == again.status_code
            if first.status_code != 303 and role:
                assert first.text == again.text
    assert {(bar.locale, bar.colour_scheme) for bar in drawn} >= set(
        itertools.product(LANGUAGES, SCHEMES)
    )
    assert len(drawn) > len(set(drawn)) > 10
    assert frame.draw_bar.cache_info().misses == len(set(drawn))


def test_the_bar_of_a_form_that_was_not_sent_is_the_one_of_the_request(as_role, drawn):
    as_role("editor").get("/cities/new?draft=1")
    assert drawn[-1].returns
    as_role("editor").client.post("/cities/new", data={"csrf_token": "old"}, headers=HTML)
    as_role("editor").client.post("/cities/new", data=b"x" * 10**6, headers=HTML)
    assert len(drawn) == 3


def test_everybody_sees_their_own_name_and_token(app, drawn):
    browsers = {}
    for name in NAMES:
        with app.app_context():
            add_person(name)
        browsers[name] = Browser(app)
        browsers[name].begin_session(name)
    seen = {}
    for _twice in range(2):
        for name, browser in browsers.items():
            page = Page(browser.get("/cities"))
            assert page.text(".menu-name") == " ".join(name.split())
            assert page.one(".avatar-button")["title"] == name
            assert page.one(".avatar-button")["aria-label"] == f"Menu of {name}"
            assert page.one(".avatar").text == name[:1].upper()
            tokens = {field["value"] for field in page.all(".bar [name=csrf_token]")}
            actions = {form["action"] for form in page.all(".bar form, #preferences")}
            assert seen.setdefault(name, (tokens, actions)) == (tokens, actions)
    assert len({str(each) for each in seen.values()}) == len(NAMES)
    assert len(set(drawn)) == 1


def test_the_form_of_the_bar_leads_back_to_its_page(as_role):
    viewer = as_role("viewer")
    for path in ("/cities", "/cities?q=%25s&sort=users", "/files?q=%22%3Cb%3E"):
        for _twice in range(2):
            assert Page(viewer.get(path)).one("#preferences [name=next]")["value"] == path


def test_an_entry_is_there_while_it_is_visible(make_app):
    app, visible = make_app(own=True), [True]
    add_to_bar(app, MenuItem("health.healthz", "Health", 1, lambda _actor: visible[0]))
    browser = Browser(app)
    for shown in (True, False, True):
        visible[0] = shown
        texts = Page(browser.get("/login")).texts("header > div > .nav-links a")
        assert ("Health" in texts) == shown


def test_the_current_entry_is_that_of_the_page(as_role):
    viewer = as_role("viewer")
    for path, label in (("/cities", "Cities"), ("/files", "Files"), ("/cities", "Cities")):
        assert Page(viewer.get(path)).texts(".nav-links [aria-current]") == [label]


def test_a_site_has_its_own_name_in_a_process_with_others(make_app):
    for name in ("North", "100% <South>", "North"):
        page = Page(Browser(make_app(SITE_NAME=name)).get("/login"))
        assert page.text(".brand") == name
