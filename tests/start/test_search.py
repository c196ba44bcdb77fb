"""The search in everything."""

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from app.cities import services as cities
from app.redis import flight
from app.start import search
from tests.cities.conftest import ACTOR, given
from tests.cities.listing.test_searching import all_turns_taken
from tests.factories import add_person
from tests.files.helpers import store
from tests.html import Page


@pytest.fixture
def filled(app, as_role):
    """An administrator's browser, and something of every kind with the word "harbour"."""
    browser = as_role("admin")
    with app.test_request_context():
        for number in range(8):
            cities.create_city(ACTOR, given("Harbour province", f"city {number}", str(number)))
        store(1, "harbour/notes.txt", b"1", with_folder=True)
        add_person("Harbour Master", "viewer")
    return browser


@pytest.fixture
def many_people(app):
    with app.app_context():
        for number in range(7):
            add_person(f"Pilot {number}", "viewer")


def found(browser, words):
    return Page(browser.get(f"/search?q={words}"))


def test_a_few_of_each_kind_are_found(filled):
    page = found(filled, "HARBOUR")
    assert page.texts("h2 > span") == ["Cities", "Files", "People"]
    assert len(page.all("[aria-labelledby=found-cities] li")) == 6
    assert page.links("h2 a") == ["/cities?q=HARBOUR"]
    assert "notes.txt" in page.text("[aria-labelledby=found-files]")
    assert page.texts("[aria-labelledby=found-people] li a") == ["Harbour Master"]
    for url in page.links("main a"):
        assert filled.get(url).status_code == 200, url
    assert page.one("input[type=search]")["value"] == "HARBOUR"


def test_pages_are_found_by_their_names_in_both_languages(as_role):
    browser = as_role("viewer")
    assert found(browser, "numb").links("[aria-labelledby=found-pages] a") == ["/numbers"]
    chinese = browser.get(
        "/search?q=城市", headers={"Accept": "text/html", "Accept-Language": "zh"}
    )
    assert "/cities" in Page(chinese).links("[aria-labelledby=found-pages] a")
    for words in ("计算", "π", "PI", "fib", "圆周率"):
        assert found(browser, words).links("main section a") == ["/numbers"], words
    assert found(browser, "download").links("main section a") == ["/files"]
    assert found(browser, "密码").links("main section a") == ["/account/password"]
    assert not found(browser, "import").links("main section a")
    editor = as_role("editor")
    for words in ("import", "导入", "csv"):
        pages = found(editor, words).links("main section a")
        assert pages == ["/cities/import", "/cities/imports"], words
    assert found(editor, "add city").links("main section a") == ["/cities/new"]
    for words in ("上传", "upload"):
        assert found(editor, words).links("main section a") == ["/files", "/files/scripts"], words
    for words in ("time zone", "时区"):
        assert found(editor, words).links("main section a") == ["/account"], words
    assert not found(browser, "people").links("main section a")
    assert found(as_role("admin"), "people").links("main section a") == ["/people"]


def test_the_lists_of_removed_things_are_found_by_those_who_may_open_them(as_role):
    lists = {"editor": ["/cities/removed", "/files/removed"], "viewer": ["/files/removed"]}
    for role, urls in lists.items():
        browser = as_role(role)
        links = found(browser, "removed").links("[aria-labelledby=found-pages] a")
        assert sorted(links) == urls
        assert all(browser.get(url).status_code == 200 for url in urls)


def test_people_are_for_administrators_alone(filled, as_role):
    assert found(as_role("editor"), "harbour").texts("h2 > span") == ["Cities", "Files"]


def test_all_results_of_people_are_those_with_the_words(filled, many_people):
    [url] = found(filled, "pilot").links("h2 a")
    assert url == "/people?q=pilot"
    names = Page(filled.get(url)).texts("tbody .main")
    assert len(names) == 7
    assert all(name.startswith("Pilot") for name in names)


def test_invisible_characters_alone_are_no_search(filled):
    page = found(filled, "%E2%80%8B%20%E2%80%8B")
    assert "Search for the name" in page.text(".empty")
    assert not page.links("main section a")
    # Neither in a list, where all folders would be read.
    assert not Page(filled.get("/files?q=%E2%80%8B")).has(".place")


def test_percent_and_underscore_are_letters(filled):
    for words in ("%25", "_", "100%25"):
        assert found(filled, words).has(".empty"), words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "Search for the name"),
        ("%20%00", "Search for the name"),
        ("nowhere", "Nothing was found for “nowhere”."),
        ("a" * 201, "at most 200 characters"),
    ],
)
def test_what_cannot_be_found_is_said(as_role, words, said):
    page = found(as_role("viewer"), words)
    assert said in page.text(".empty")
    assert page.has("input[type=search]")


@pytest.mark.parametrize(("code", "status"), [(9, 200), (1, 500)])
def test_a_kind_that_takes_too_long_is_left_out(filled, monkeypatch, code, status):
    """The others are shown; another error of the database is one of the page."""
    error = sqlite3.OperationalError("interrupted")
    error.sqlite_errorcode = code

    def fail(*_args, **_more):
        raise OperationalError("SELECT", {}, error)

    monkeypatch.setattr(search, "read_rows", fail)
    response = filled.get("/search?q=harbour")
    assert response.status_code == status
    if status == 200:
        page = Page(response)
        assert "This took too long" in page.text("[aria-labelledby=found-files]")
        assert len(page.all("[aria-labelledby=found-cities] li")) == 6


def test_the_search_is_in_the_bar_and_on_the_start_page(as_role, browser):
    page = Page(as_role("viewer").get("/"))
    assert page.links("header [data-search]") == ["/search"]
    assert page.one("main form[role=search]")["action"] == "/search"
    assert not Page(browser.get("/")).has("[data-search]")
    assert browser.get("/search?q=a").location.startswith("/login")


def test_it_waits_for_its_turn_as_the_searches_of_lists(filled, monkeypatch):
    monkeypatch.setattr(flight.search_turns, "seconds", 0)
    with all_turns_taken():
        response = filled.get("/search?q=harbour")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
