"""The start page of visitors, and of an installation in which there is nobody."""

import pytest

from app.cities import services as cities
from tests.cities.conftest import given
from tests.factories import OPERATOR, Browser, add_person
from tests.html import Page


def test_a_visitor_sees_what_this_is_and_what_is_public(app, browser):
    with app.app_context():
        add_person("ada", "admin")
    page = Page(browser.get("/"))
    assert page.text("h1") == "Gazetteer"
    assert page.text("title") == "A team’s cities and files · Gazetteer"
    assert page.one("meta[name=description]")["content"] == page.text("main .lead")
    assert page.texts("main li a") == ["Numbers"]
    assert page.links("main .btn-primary") == ["/login"]
    assert not page.has(".notice")
    assert page.links("a.brand") == ["/"]


def test_the_description_is_in_the_language_of_the_reader(browser):
    texts = [
        Page(browser.get("/login", headers={"Accept-Language": language})).one(
            "meta[name=description]"
        )["content"]
        for language in ("zh", "en", "zh")
    ]
    assert texts[0] == texts[2] != texts[1]


def test_public_cities_are_named(make_app):
    app = make_app(PUBLIC_READ="1")
    with app.app_context():
        add_person("ada", "admin")
        cities.create_city(OPERATOR, given())
    page = Page(Browser(app).get("/"))
    assert page.texts("main li a") == ["Cities", "Numbers", "At a glance"]
    assert "深圳市" not in page.text("main")
    assert not page.has(".feed")


@pytest.mark.parametrize("path", ["/", "/login"])
def test_an_unclaimed_installation_says_where_its_link_is(app, browser, path):
    assert "flask setup-link" in Page(browser.get(path)).text(".notice")
    with app.app_context():
        add_person("ada", "admin")
    assert not Page(browser.get(path)).has(".notice")


@pytest.mark.parametrize("path", ["/", "/login"])
def test_visitors_get_the_page_without_a_database(make_app, tmp_path, path):
    app = make_app(own=True, DATABASE_URL=f"sqlite:///{tmp_path}/missing/x.sqlite")
    assert Browser(app).get(path).status_code == 200
