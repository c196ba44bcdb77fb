"""The list of people: sorted by its column headers, 50 to a page."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from app.actor import ANONYMOUS, Actor, Role, Via
from app.auth.models import Person
from app.auth.people_views import PEOPLE
from app.auth.queries import PeopleListing, select_people
from app.database.cursor import FIRST, LAST, write_cursor
from app.database.engine import db
from app.errors import Forbidden, Unauthorized
from tests.factories import add_person
from tests.html import Page

ADMIN = Actor(1, "admin", Role.ADMIN)
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def add_people(count):
    """So many people with ties in role and times; every third never signed in."""
    rows = [
        {
            "name": f"Person {number:03}", "name_key": f"person {number:03}", "password_hash": "-",
            "role": list(Role)[number % 3], "created_at": START + timedelta(days=number // 4),
            "signed_in_at": START + timedelta(hours=number // 5) if number % 3 else None,
        }
        for number in range(count)
    ]  # fmt: skip
    db.session.execute(insert(Person), rows)
    db.session.commit()


def expected(listing):
    """The ids in their order, worked out without SQL."""
    key = listing.column.key
    people = db.session.scalars(select(Person)).all()
    known = [person for person in people if getattr(person, key) is not None]
    rest = [person for person in people if getattr(person, key) is None]
    known.sort(key=lambda person: (getattr(person, key), person.id), reverse=listing.descending)
    rest.sort(key=lambda person: person.id, reverse=listing.descending)
    return [person.id for person in known + rest]


@pytest.mark.parametrize("sort", PeopleListing.SORTS)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_paging_shows_everybody_once_in_both_directions(any_app, sort, order):
    add_people(120)
    listing = PEOPLE.read({"sort": sort, "order": order})

    def walk(cursor, step):
        pages = []
        while cursor is not None:
            through = PEOPLE.read_cursor(listing, {"page": write_cursor(cursor)})
            page, total = select_people(ADMIN, listing, through)
            assert total == 120
            pages.append([person.id for person in page.rows])
            cursor = getattr(page, step)
        return pages

    wanted = expected(listing)
    assert walk(FIRST, "next") == [wanted[:50], wanted[50:100], wanted[100:]]
    assert walk(LAST, "previous") == [wanted[70:], wanted[20:70], wanted[:50]]


@pytest.mark.parametrize(
    ("actor", "refusal"),
    [
        (ANONYMOUS, Unauthorized),
        (Actor(2, "editor", Role.EDITOR), Forbidden),
        (Actor(1, "admin", Role.ADMIN, Via.TOKEN), Forbidden),
    ],
    ids=["visitor", "editor", "token"],
)
def test_people_are_listed_for_administrators_on_a_page(app, actor, refusal):
    with app.app_context(), pytest.raises(refusal):
        select_people(actor, PeopleListing(), FIRST)


def test_headers_sort_and_the_pager_leads_to_the_next_page(app, browser):
    with app.app_context():
        add_person("admin", "admin")
        add_people(60)
    browser.sign_in("admin")
    page = Page(browser.get("/people"))
    assert page.text("h1 + .figure") == "61"
    assert page.text(".pager > .figure") == "1–50 of 61"
    assert page.text("th[aria-sort=ascending]") == "Name"
    [following] = page.links(".pager a[rel=next]")
    assert Page(browser.get(following)).text(".pager > .figure") == "51–61 of 61"
    newest = Page(browser.get("/people?sort=signed-in"))
    assert newest.texts("td.main > a")[0] == "admin"
    assert newest.links("th[aria-sort=descending] a") == ["/people?sort=signed-in&order=asc"]


def test_few_people_need_no_pager(as_role):
    page = Page(as_role("admin").get("/people?sort=password_hash&page=x"))
    assert not page.has(".pager")
    assert page.text("th[aria-sort=ascending]") == "Name"


def test_people_are_searched_by_name_in_any_case(app, as_role):
    admin = as_role("admin")
    with app.app_context():
        add_person("Ada")
        add_person("林梅")
    assert Page(admin.get("/people?q=ADA")).texts("td.main > a") == ["Ada"]
    page = Page(admin.get("/people?q=梅&sort=added"))
    assert page.texts("td.main > a") == ["林梅"]
    assert page.text("h1 + .figure") == "1"
    assert page.one("input[name=q]")["value"] == "梅"
    assert page.one("form[role=search] input[name=sort]")["value"] == "added"
    nobody = Page(admin.get("/people?q=%25"))
    assert nobody.text(".empty p") == "No name contains this text."
    assert nobody.links(".empty a") == ["/people"]
