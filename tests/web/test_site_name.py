"""SITE_NAME: what the pages call the site."""

from app.setup.services import create_link_path
from tests.factories import Browser
from tests.html import Page

NAME = "Register <North> & 北方"


def test_bar_and_titles_have_the_name_of_the_site(make_app):
    page = Page(Browser(make_app(SITE_NAME=NAME)).get("/login"))
    assert page.text(".brand") == NAME
    assert page.text("title") == f"Sign in · {NAME}"


def test_pages_of_errors_have_it_too(make_app):
    page = Page(Browser(make_app(SITE_NAME=NAME)).get("/nothing"))
    assert page.text(".brand") == NAME
    assert page.text("title").endswith(f"· {NAME}")


def test_set_up_has_it(make_app):
    app = make_app(SITE_NAME=NAME)
    with app.app_context():
        link = create_link_path()
    assert Page(Browser(app).get(link)).text("h1") == f"Set up {NAME}"


def test_the_default_is_gazetteer(browser):
    assert Page(browser.get("/login")).text(".brand") == "Gazetteer"
