"""URLs of lists: parsing of arguments, links of column headers, chips and pager."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

import pytest

from app.cities.listing.list_page import CITIES
from app.cities.listing.queries import CityListing
from app.database.cursor import BY_ID, FIRST, LAST, Cursor, Sort, read_text
from app.database.keyset import COUNT_MOST, Listing, Page
from app.web.listings import Filter, ListAddress, bounded_text, read_flag, read_words, total_text


@dataclass(frozen=True)
class Things(Listing):
    """A list with a filter of each type."""

    SORTS: ClassVar = {"id": BY_ID, "name": Sort(read_text)}

    sort: str = "id"
    descending: bool = True
    words: str = ""
    exact: str = ""
    old: bool = False
    day: date | None = None
    owner: int | None = None


THINGS = ListAddress(
    "cities.list_cities",  # any address will do
    Things,
    {
        "words": Filter("q", read_words(5)),
        "exact": Filter("exact", bounded_text(5)),
        "old": Filter("old", read_flag),
        "day": Filter("day", date.fromisoformat),
    },
)


@pytest.mark.parametrize(
    ("args", "listing"),
    [
        ({}, Things()),
        ({"sort": "secret", "order": "up", "old": "yes"}, Things()),
        ({"q": " a \0 bcdefg", "exact": " ab  cdef"}, Things(words="a bcd", exact=" ab  ")),
        ({"old": "1", "day": "2026-02-28"}, Things(old=True, day=date(2026, 2, 28))),
        ({"sort": "name"}, Things("name", False)),
        ({"sort": "name", "order": "desc"}, Things("name", True)),
        ({"order": "asc"}, Things(descending=False)),
    ],
)
def test_unknown_arguments_are_the_default(args, listing):
    assert THINGS.read(args) == listing


@pytest.mark.parametrize(
    ("listing", "args"),
    [
        (Things(), {}),
        (Things("name", True, "a"), {"q": "a", "sort": "name", "order": "desc"}),
        (Things(old=True), {"old": "1"}),
        (Things("name", False, day=date(2026, 2, 8)), {"day": "2026-02-08", "sort": "name"}),
        (Things(descending=False), {"order": "asc"}),
    ],
)
def test_arguments_lead_back_to_the_listing(listing, args):
    assert THINGS.args(listing) == args
    assert THINGS.read(args) == listing


def test_fields_without_an_argument_come_from_the_view():
    assert THINGS.read({"owner": "5"}) == Things()
    assert THINGS.args(Things(owner=7)) == {}


def view(listing, page, total=120):
    return CITIES.show(listing, page, total)


def test_headers_sort_in_the_default_order_and_then_in_reverse(app):
    with app.test_request_context():
        shown = view(CityListing(sort="users", search="a"), Page([1], None, None, 1))
        assert shown.head("users") == ("/cities?q=a&sort=users&order=asc", "descending")
        assert shown.head("city") == ("/cities?q=a&sort=city", None)
        assert shown.head("changed") == ("/cities?q=a&sort=changed", None)


def test_chips_remove_one_filter_or_all(app):
    with app.test_request_context():
        listing = CityListing(sort="city", descending=False, search="a", province="b", flawed=True)
        shown = view(listing, Page([], None, None, 1))
        assert shown.url(search="") == "/cities?province=b&flawed=1&sort=city"
        assert shown.plain_url == "/cities?sort=city"
        assert listing.is_filtered
        assert not CityListing(sort="city", descending=False).is_filtered


def test_steps_lead_to_the_pages_that_exist(app):
    before, after = Cursor(False, 70, None, 51), Cursor(True, 21, None, 100)
    with app.test_request_context():
        middle = view(CityListing(), Page([*range(50)], before, after, 51))
        steps = middle.steps
        assert steps["first"] == "/cities"
        cursors = [
            CITIES.read_cursor(CityListing(), {"page": steps[name].split("page=")[1]})
            for name in ("previous", "next", "last")
        ]
        assert cursors == [before, after, LAST]
        assert middle.place == "51–100 of 120"
        only = view(CityListing(), Page([1], None, None, 1), 1)
        assert set(only.steps.values()) == {None}


def test_place_is_never_beyond_the_total(app):
    """The total of a large register is older than the page."""
    more = Cursor(True, 21, None, 200)
    with app.test_request_context():
        assert [
            view(CityListing(), Page([*range(rows)], None, following, 151), 120).place
            for rows, following in [(50, more), (40, None)]
        ] == ["151–200 of more than 200", "151–190 of 190"]
        last = view(CityListing(), Page([*range(20)], None, None, 101), 120)
        assert last.place == "101–120 of 120"


def test_place_without_a_start_says_the_total(app):
    with app.test_request_context():
        assert view(CityListing(), Page([1], None, None, None), None).place == (
            "more than 1,000 in all"
        )
        assert total_text(COUNT_MOST) == "1,000"
        assert CITIES.read_cursor(CityListing(), {"page": "x"}) == FIRST


class Plain(Listing):
    """A list without filters."""

    SORTS: ClassVar = {"name": Sort(read_text), "id": BY_ID}


def test_a_list_is_sorted_by_the_first_of_its_sorts():
    plain = ListAddress("cities.list_cities", Plain, {})
    assert plain.read({}) == Plain(sort="name")
    assert not plain.read({"sort": "id"}).is_filtered
    assert plain.args(plain.read({"sort": "id"})) == {"sort": "id"}
