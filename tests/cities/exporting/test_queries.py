"""What the database does for an export: as much for each batch, wherever it is."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, text

from app.cities.exporting.queries import batches, wanted_query
from app.cities.listing import queries
from app.cities.listing.queries import CityListing, in_order
from app.cities.models import City
from app.cities.rules import keys
from app.database.cursor import FIRST
from app.database.engine import db
from app.database.keyset import cursor_at, read_segments
from tests.cities.conftest import ACTOR, add_as_original, add_cities

ROWS, SIZE = 2000, 40
START = datetime(2026, 1, 1, tzinfo=UTC)


def add_many(is_equal):
    """Rows that are all equal but for the last of each name, or all different."""
    rows = []
    for number in range(ROWS):
        value = ROWS if is_equal else number + 1
        names = f"省{value:05}", f"市{value:05}"
        rows.append({
            "provincename": names[0], "cityname": names[1], "usernumber": value,
            "changed_at": START.replace(microsecond=value), **keys(*names),
        })  # fmt: skip
    db.session.execute(insert(City.__table__), rows)
    db.session.commit()


def work(listing, cursor):
    """How many steps SQLite makes for a batch, or how many rows MariaDB reads."""
    connection = db.session.connection()
    steps = []
    if connection.dialect.name == "sqlite":
        raw = connection.connection.dbapi_connection
        raw.set_progress_handler(lambda: steps.append(10), 10)
        assert len(read_segments(in_order(wanted_query(listing), listing, cursor), SIZE)) == SIZE
        raw.set_progress_handler(None, 0)
        return sum(steps)
    before = rows_read(connection)
    assert len(read_segments(in_order(wanted_query(listing), listing, cursor), SIZE)) == SIZE
    return rows_read(connection) - before


def rows_read(connection):
    found = connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'"))
    return sum(int(row[1]) for row in found if row[0] != "Handler_read_rnd_next")


@pytest.mark.parametrize("is_equal", [True, False])
def test_no_batch_is_more_work_than_another(any_app, is_equal):
    add_many(is_equal)
    for sort in CityListing.SORTS:
        for descending in (True, False):
            listing = CityListing(sort=sort, descending=descending)
            (rows,) = batches(ACTOR, listing, ROWS + 1)
            near, far = (cursor_at(listing, rows[at], True, None) for at in (SIZE, -2 * SIZE))
            assert work(listing, far) < 2 * work(listing, near), listing
            assert work(listing, near) < 3 * work(listing, FIRST), listing


def test_filters_that_find_many_read_each_row_once(any_app, monkeypatch):
    """A query for the next rows that match could read the whole register."""
    monkeypatch.setattr(queries, "COUNT_MOST", 3)
    add_cities(*(("p", f"c{'x' if number % 20 == 7 else ''}{number}", 5) for number in range(200)))
    for sort in CityListing.SORTS:
        listing = CityListing(sort=sort, search="cx")
        found = list(batches(ACTOR, listing, 50))
        assert [len(rows) for rows in found] == ([2, 3, 2, 3] if sort != "city" else [10])
        assert all(row.cityname.startswith("cx") for rows in found for row in rows)


def test_filters_that_find_few_are_one_batch(any_app):
    add_cities(*(("p", f"c{number}", 5) for number in range(20)))
    (rows,) = batches(ACTOR, CityListing(search="c1", sort="city", descending=False), 4)
    assert [row.cityname for row in rows] == ["c1", *(f"c{number}" for number in range(10, 20))]
    assert list(batches(ACTOR, CityListing(search="nowhere"), 4)) == [[]]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", ["city", "province", "users", "id"])
def test_rows_that_another_program_has_just_inserted_are_there(any_app, sort, descending):
    add_cities(("p", "a", 1), ("p", None, 2))
    add_as_original(("p", "new", 3))
    found = list(batches(ACTOR, CityListing(sort=sort, descending=descending), 2))
    names = [row.cityname for rows in found for row in rows]
    assert sorted(map(str, names)) == ["None", "a", "new"]
    if sort in ("city", "province"):
        assert names[-1] == "new"
