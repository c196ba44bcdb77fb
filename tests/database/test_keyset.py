"""Pages of a list that is sorted by a column with and without values, in both directions."""

from typing import ClassVar

import pytest
from sqlalchemy import insert, select

from app.cities.models import City
from app.database.cursor import (
    FIRST,
    LAST,
    Sort,
    read_cursor,
    read_integer,
    read_text,
    write_cursor,
)
from app.database.engine import db
from app.database.keyset import Listing, select_sorted

ROWS = 150  # three whole pages; each value many times


class Some(Listing):
    SORTS: ClassVar = {
        "text": Sort(read_text, column=City.provincename),
        "number": Sort(read_integer, column=City.usernumber),
    }


@pytest.fixture
def rows(any_app):
    texts, numbers = (None, "", "a", "b"), (None, 0, -1, 7, 7)
    values = [
        {"id": n, "provincename": texts[n % len(texts)], "usernumber": numbers[n % len(numbers)]}
        for n in range(1, ROWS + 1)
    ]
    db.session.execute(insert(City), values)
    return values


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(("sort", "column"), [("text", "provincename"), ("number", "usernumber")])
def test_every_row_is_on_one_page(rows, sort, column, descending):
    listing = Some(sort, descending)
    with_value = [row for row in rows if row[column] is not None]
    with_value.sort(key=lambda row: (row[column], row["id"]), reverse=descending)
    nulls = [row["id"] for row in rows if row[column] is None]
    expected = [row["id"] for row in with_value] + (nulls[::-1] if descending else nulls)
    for cursor, step in ((FIRST, "next"), (LAST, "previous")):
        pages = []
        while cursor and len(pages) < 4:
            cursor = read_cursor(write_cursor(cursor), Some.SORTS[sort])
            page, total = select_sorted(select(City), listing, cursor)
            pages.append([city.id for (city,) in page.rows])
            cursor = getattr(page, step)
        assert total == ROWS
        in_order = pages if step == "next" else pages[::-1]
        assert [city_id for ids in in_order for city_id in ids] == expected
