"""Names are compared, searched and sorted alike on both databases, whoever wrote them."""

import random

import pytest
from sqlalchemy import func, select, text, update

from app.cities import search_keys
from app.cities.exporting.queries import batches
from app.cities.listing import queries
from app.cities.listing.queries import CityListing
from app.cities.models import City
from app.cities.rules import keys
from app.cities.statistics.queries import compute_statistics
from app.database import stored_keys
from app.database.engine import db
from app.text import same_key
from tests.cities.conftest import ACTOR, add_as_original, add_as_original_before, add_cities
from tests.factories import statements

# Between and around letters; most of them nobody sees.
PARTS = [
    "a", "b", "A", "ä", "A\u0308", "Ａ", "ß", "ss", "İ", "i", "ı", "ø", "深", "圳", "长", "\u2ed3",
    "\u2f47", " ", "  ", "\t", "\n", "\u00a0", "\u3000", "\x01", "\x7f", "!", "%", "_", "\u200b",
    "\u00ad", "\u2060", "\ufeff", "\u180e", "\u2800", "\u3164", "\u202e", "\ufe0f", "\U000e0001",
    "😀", "\u0301",
]  # fmt: skip


def names(count):
    """Names of such parts, the same ones each time."""
    chance = random.Random(7)
    return ["".join(chance.choices(PARTS, k=chance.randint(1, 5))) for _ in range(count)]


def read_all(listing):
    """The rows of a list, page by page."""
    rows = []
    for batch in batches(ACTOR, listing, 50):
        rows += [(row.id, row.provincename, row.cityname) for row in batch]
    return rows


def in_order(rows, key, descending):
    """The rows as Python sorts them, which compares by code points; empty keys come last."""
    keyed = [(keys(*row[1:])[key], row) for row in rows]
    named = sorted(((value, *row) for value, row in keyed if value), reverse=descending)
    empty = sorted((row for value, row in keyed if not value), reverse=descending)
    return [row[1:] for row in named] + empty


def test_province_with_spaces_around_it_is_the_same_province(any_app):
    add_as_original_before(("P", "a", 1), ("P ", "b", 2), ("\u3000P", "c", 4))
    assert queries.find_hits(ACTOR, CityListing(province="P")).total == 3
    figures = compute_statistics()
    assert figures.province_count == 1
    assert figures.provinces == [("P", 7, 3)]
    assert queries.list_provinces() == ["P"]


@pytest.mark.parametrize("sort", ["city", "province"])
@pytest.mark.parametrize("descending", [False, True])
def test_any_names_have_the_same_order_on_both_databases(any_app, sort, descending):
    pairs = list(zip(names(300), reversed(names(300)), strict=True))
    add_as_original_before(*((*pair, 1) for pair in pairs))
    rows = [(number, *pair) for number, pair in enumerate(pairs, 1)]
    listing = CityListing(sort=sort, descending=descending)
    assert read_all(listing) == in_order(rows, f"{sort}_key", descending)


def test_any_province_is_found_and_counted_alike_on_both_databases(any_app):
    provinces = names(300)
    add_as_original_before(*((name, "x", 1) for name in provinces))
    same = {}
    for name in provinces:
        same.setdefault(keys(name, "")["province_same"], []).append(name)
    figures = compute_statistics()
    assert len(same) < 250
    assert figures.province_count == len(same.keys() - {""})
    assert figures.nowhere[1] == len(same.get("", []))
    assert queries.find_hits(ACTOR, CityListing(no_province=True)).total == figures.nowhere[1]
    for found in list(same.values())[:40]:
        rows = read_all(CityListing(province=found[-1], sort="id", descending=False))
        assert [row[1] for row in rows] == found


def test_any_city_is_the_same_alike_on_both_databases(any_app):
    cities = names(300)
    add_as_original(*(("p", name, 1) for name in cities))
    for name in cities[:60]:
        same = [
            number for number, other in enumerate(cities, 1) if same_key(other) == same_key(name)
        ]
        assert search_keys.find_same("p", name) == same[0]
        assert search_keys.find_same("p", name, other_than=same[0]) == [*same, None][1]


def count_due():
    """How many rows the clock will fill."""
    db.session.rollback()
    return sum(db.session.scalar(select(func.count()).where(each)) for each in search_keys.DUE)


def test_keys_of_other_rules_are_replaced_in_batches(any_app, monkeypatch):
    """As `flask prepare` does after an upgrade, and as the clock does for rows that the previous
    release wrote during it."""
    monkeypatch.setattr(stored_keys, "AT_ONCE", 7)
    add_cities(*((f"Zürich {number}", "Málaga", number) for number in range(30)))
    versions = db.session.execute(select(City.id, City.version, City.changed_at)).all()
    old = {"province_key": "zürich", "search_key": "zürich\nmálaga"}
    db.session.execute(update(City).where(City.id % 3 > 0).values(old))
    db.session.execute(update(City).where(City.id % 3 == 1).values(province_same=None))
    db.session.execute(update(City).where(City.id % 3 == 2).values(province_same="Zug"))
    db.session.commit()
    assert count_due() == 10
    stored_keys.refresh_all()
    assert count_due() == 0
    rows = db.session.execute(select(City)).scalars().all()
    assert all(
        getattr(row, name) == value
        for row in rows
        for name, value in keys(row.provincename, row.cityname).items()
    )
    assert db.session.execute(select(City.id, City.version, City.changed_at)).all() == versions
    with statements() as sent:
        stored_keys.refresh(search_keys.KEYS)
    assert not [statement for statement, _parameters in sent if statement.startswith("UPDATE")]


def test_a_row_that_is_renamed_during_the_refresh_is_due_afterwards(any_app, monkeypatch):
    add_cities(("p", "old", 1))
    db.session.execute(update(City).values(province_same="x"))
    db.session.commit()
    compare = search_keys.KEYS.changed

    def rename(rows):
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE city SET cityname = 'new'"))
        return compare(rows)

    monkeypatch.setattr(search_keys.KEYS, "changed", rename)
    stored_keys.refresh(search_keys.KEYS)
    monkeypatch.undo()
    assert count_due() == 1
    search_keys.fill_keys()
    assert [row[2] for row in read_all(CityListing(search="new"))] == ["new"]
    assert read_all(CityListing(search="old")) == []
