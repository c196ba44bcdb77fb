"""Paging by key: every row once, in every order, both ways, with ties and rows without values."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, text

from app.cities.exporting.queries import batches
from app.cities.listing import queries
from app.cities.listing.list_page import CITIES
from app.cities.listing.queries import CityListing
from app.cities.models import City
from app.cities.rules import keys
from app.database.cursor import FIRST, LAST, Cursor, write_cursor
from app.database.engine import db
from app.database.keyset import cursor_at
from tests.cities.conftest import ACTOR

SIZE = 7


@pytest.fixture
def many(any_app):
    """Rows with ties in every column, and some without values."""
    chance = random.Random(1)
    start = datetime(2026, 1, 1, 12, 0, 0, 5, UTC)
    rows = []
    for number in range(60):
        province = chance.choice(["广东", "河北", "Ａ省", None, ""])
        city = chance.choice(["深圳市", "石家庄", "a", "B", "ß", None, "  "])
        rows.append(
            {
                "id": number + 1,
                "provincename": province,
                "cityname": city,
                "usernumber": chance.choice([None, 0, 5, 5, 900, -3]),
                "changed_at": chance.choice([None, start, start + timedelta(seconds=number % 3)]),
                **keys(province, city),
            }
        )
    db.session.execute(insert(City.__table__), rows)
    db.session.commit()
    return rows


def expected(rows, listing):
    """The ids in their order, worked out without a database."""
    column = {"id": "id", "users": "usernumber", "changed": "changed_at"}.get(
        listing.sort, f"{listing.sort}_key"
    )
    with_value = [r for r in rows if r[column] not in (None, "")]
    without = [r for r in rows if r[column] in (None, "")]
    with_value.sort(key=lambda r: (r[column], r["id"]), reverse=listing.descending)
    without.sort(key=lambda r: r["id"], reverse=listing.descending)
    return [r["id"] for r in with_value + without]


def through_address(cursor, listing):
    """The cursor after its way through an address."""
    text = write_cursor(cursor)
    assert len(text) < 80
    return CITIES.read_cursor(listing, {"page": text})


def walk(listing, start, step):
    """The pages from one end of the list to the other, each by the cursor of the one before."""
    page = queries.select_page(ACTOR, listing, start)
    yield page
    while cursor := getattr(page, step):
        page = queries.select_page(ACTOR, listing, through_address(cursor, listing))
        yield page


def ids(pages):
    """The ids of the rows of several pages."""
    return [row.id for page in pages for row in page.rows]


def test_the_pages_have_every_row_once_in_both_directions(many):
    for sort in CityListing.SORTS:
        for descending in (True, False):
            listing = CityListing(sort=sort, descending=descending, size=SIZE)
            wanted = expected(many, listing)
            forward = list(walk(listing, FIRST, "next"))
            assert forward[0].previous is None
            assert ids(forward) == wanted, listing
            assert [page.start for page in forward] == list(range(1, 61, SIZE))

            *back, first = walk(listing, LAST, "previous")
            assert ids([first]) == wanted[:SIZE]
            assert ids(back[:1]) == wanted[-SIZE:]
            # The first page is always a full one, so the page after it may begin within it.
            found = ids(reversed(back))
            again = len(found) + SIZE - len(wanted)
            assert 0 <= again < SIZE
            assert found == wanted[SIZE - again :], listing


def test_batches_give_every_row_once_and_hold_no_connection(many):
    for sort in CityListing.SORTS:
        listing = CityListing(sort=sort, descending=False)
        found = []
        for batch in batches(ACTOR, listing, 11):
            assert db.engine.pool.checkedout() == 0
            found += [row.id for row in batch]
        assert found == expected(many, listing)


def test_last_page_knows_its_place_from_the_total(many):
    page = queries.select_page(ACTOR, CityListing(size=SIZE), LAST, total=60)
    assert page.start == 54
    assert page.next is None


def test_row_that_was_removed_leaves_the_place_in_the_list(many):
    listing = CityListing(sort="users", descending=True, size=SIZE)
    first = queries.select_page(ACTOR, listing, FIRST)
    db.session.delete(db.session.get(City, first.rows[-1].id))
    db.session.commit()
    second = queries.select_page(ACTOR, listing, first.next)
    assert [row.id for row in second.rows] == expected(many, listing)[SIZE : 2 * SIZE]


@pytest.mark.parametrize(
    "text",
    ["", "?", "深圳", "a" * 9999, "Pg", "PjEyfmFiYw", "fn5-", "%00", "PDF-" + "OTk5" * 7],
)
def test_bad_cursor_is_the_first_page(text):
    assert CITIES.read_cursor(CityListing(sort="users"), {"page": text}) == FIRST


def test_cursor_of_another_order_is_the_first_page():
    page = {"page": write_cursor(Cursor(True, 4, "广东", 50))}
    found = CITIES.read_cursor(CityListing(sort="province"), page)
    assert found == Cursor(True, 4, "广东", 50)
    for sort in ("id", "users", "changed"):
        assert CITIES.read_cursor(CityListing(sort=sort), page) == FIRST


def test_unknown_values_in_an_address_fall_back():
    assert CITIES.read({"sort": "password", "order": "up", "flawed": "yes"}) == CityListing()
    assert CITIES.read({"sort": "users", "order": "asc"}) == CityListing(
        sort="users", descending=False
    )
    assert CITIES.read({"q": "  a \0 b\n"}).search == "a b"


def test_address_of_a_listing_leads_back_to_it():
    for listing in (
        CityListing(),
        CityListing("city", True, "圳 100%", "广东", True),
        CityListing(sort="changed", descending=False),
    ):
        assert CITIES.read(CITIES.args(listing)) == listing


@pytest.mark.parametrize("any_app", ["mariadb"], indirect=True)
def test_every_page_is_read_by_an_index(any_app):
    """Neither sorted nor counted on the way, however far down the page is."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {
            "provincename": f"p{number % 30}",
            "cityname": f"c{number % 700}",
            "usernumber": number % 900 or None,
            "changed_at": start + timedelta(minutes=number),
            **keys(f"p{number % 30}", f"c{number % 700}"),
        }
        for number in range(6000)
    ]
    db.session.execute(insert(City.__table__), rows)
    db.session.commit()
    db.session.execute(text("ANALYZE TABLE city"))
    plain = [CityListing(sort=sort) for sort in CityListing.SORTS]
    filtered = [CityListing(province="p7"), CityListing(no_province=True)]
    for listing in (
        plain + filtered + [replace(each, descending=False) for each in plain + filtered]
    ):
        deep = next((batch[-1] for batch in batches(ACTOR, listing, 3000)), None)
        further = [cursor_at(listing, deep, True, 3000)] if deep else []
        for cursor in (FIRST, LAST, *further):
            for query in queries.segments(listing, cursor, 51):
                limited = query.limit(51).compile(db.engine)
                plan = db.session.connection().exec_driver_sql(
                    f"EXPLAIN {limited}", limited.construct_params()
                )
                for step in plan.mappings():
                    assert step["key"], (listing, dict(step))
                    assert "filesort" not in step["Extra"], (listing, dict(step))
