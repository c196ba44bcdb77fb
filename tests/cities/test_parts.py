"""A write invalidates what it affects: whatever is written, each cached page is the same as without
the cache, and the lists of other provinces are not drawn again."""

import random
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import select

from app.actor import Actor, Role
from app.cities import services
from app.cities.details.queries import read_province
from app.cities.importing import queries as imports
from app.cities.importing.applying.services import confirm_import
from app.cities.listing import list_page, queries
from app.cities.listing.provinces import suggest_provinces
from app.cities.listing.queries import CityListing
from app.cities.models import City, RemovedCity
from app.cities.queries import COLUMNS
from app.cities.rules import sort_key
from app.cities.statistics import queries as statistics
from app.cities.undo import undo_change
from app.database.cursor import FIRST
from app.database.engine import db
from tests.cities.conftest import add_cities, given, version_of
from tests.cities.importing.staging import begin, perform
from tests.factories import any_undoable, note_calls, without_redis

# Of some the search keys are the same, of some also what is seen of them.
PROVINCES = ["Hunan", "hunan", "Ｈunan", "Hubei", "Hu bei", "湖南", "湖\u200b南", "台湾", "臺湾"]
ROUNDS = 20


@pytest.fixture(autouse=True)
def context(any_app):
    """Of a request, because pages have addresses in them."""
    with any_app.test_request_context():
        yield


@pytest.fixture
def editor(person):
    return Actor(person, "editor", Role.EDITOR)


@dataclass
class Writer:
    """Writes as people do, by the services that there are."""

    actor: Actor
    chance: random.Random

    def write(self) -> None:
        writes = [self.create, self.update, self.rename, self.delete, self.restore, self.undo]
        self.chance.choices([*writes, self.load], [6, 3, 4, 5, 2, 2, 1])[0]()
        db.session.rollback()

    def values(self) -> dict[str, Any]:
        users = str(self.chance.randrange(100))
        city = f"c{self.chance.randrange(1_000_000)}"
        return given(self.chance.choice(PROVINCES), city, users)

    def any_id(self, model: Any) -> int | None:
        ids = db.session.scalars(select(model.id)).all()
        return self.chance.choice(ids) if ids else None

    def create(self) -> None:
        services.create_city(self.actor, self.values())

    def update(self) -> None:
        self.save(users=str(self.chance.randrange(100)))

    def rename(self) -> None:
        self.save(province=self.chance.choice(PROVINCES))

    def save(self, **changed: str) -> None:
        city_id = self.any_id(City)
        if city_id is not None:
            row = services.load_city(self.actor, city_id)
            former = given(row.provincename or "new", row.cityname, str(row.usernumber or 0))
            values = former | changed
            services.update_city(self.actor, city_id, version_of(city_id), values, anyway=True)

    def delete(self) -> None:
        city_id = self.any_id(City)
        if city_id is not None:
            services.delete_city(self.actor, city_id)

    def restore(self) -> None:
        removed_id = self.any_id(RemovedCity)
        if removed_id is not None:
            services.restore_city(self.actor, removed_id)

    def undo(self) -> None:
        if entry := any_undoable(self.actor, self.chance, "city"):
            undo_change(self.actor, entry)

    def load(self) -> None:
        """An import."""
        values = [self.values() for _line in range(3)]
        lines = "\n".join(f"{each['province']},{each['city']},{each['users']}" for each in values)
        data = f"provincename,cityname,usernumber\n{lines}\n".encode()
        import_id = begin(self.actor, "cities.csv", data)
        preview = imports.load_import(self.actor, import_id).preview
        confirm_import(self.actor, import_id, preview)
        perform()


LISTINGS = [
    CityListing(),
    CityListing(sort="users"),
    CityListing(search="c1"),
    CityListing(no_province=True),
    CityListing(flawed=True),
    *(CityListing(province=name) for name in (*PROVINCES, "HUNAN", "hu", "none")),
    *(CityListing(province=name, search="2", sort="city") for name in PROVINCES[:3]),
    *(CityListing(province=name, flawed=True) for name in PROVINCES[3:6]),
]


def draw(actor):
    """Everything that is cached, by what it is of."""
    found = {listing: list_page.list_content(actor, listing, FIRST) for listing in LISTINGS}
    found["suggested"] = suggest_provinces(actor, "h")
    found["statistics"] = replace(statistics.read_statistics(actor), counted_at=None)
    found["facts"] = list_page.register_facts(actor)
    for row in db.session.execute(select(*COLUMNS).order_by(City.id)).all():
        totals = read_province(actor, row)
        found[row.provincename] = totals and replace(totals, counted_at=None)
    db.session.rollback()
    return found


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.soak)])
def test_whatever_is_written_pages_are_as_without_the_cache(any_app, editor, monkeypatch, seed):
    monkeypatch.setattr(list_page.RowFormatter, "write", write_without_age)
    writer = Writer(editor, random.Random(seed))
    add_cities(("", "nowhere", 1), (None, "null", None))
    for _city in range(8):
        writer.create()
    draws, spared = note_calls(monkeypatch, list_page, "draw_list"), 0
    for _round in range(ROUNDS):
        writer.write()
        draws.clear()
        cached = draw(editor)
        spared += len(LISTINGS) - len(draws)
        with without_redis(any_app):
            assert draw(editor) == cached
    assert spared > 5 * ROUNDS


def write_without_age(formatter, row):
    """The rows of a list without how long ago they changed, which passes."""
    return (*WRITE(formatter, row)[:5], None, None, None, *WRITE(formatter, row)[8:])


WRITE = list_page.RowFormatter.write


@pytest.fixture
def drawn(any_app, editor, monkeypatch):
    """A function that looks for the lists of these provinces, and returns those drawn for it."""
    add_cities(("a", "x", 1), ("a", "w", 1), ("b", "y", 2), ("China 30", "z", 3))
    calls = note_calls(monkeypatch, list_page, "draw_list")

    def look(*provinces):
        calls.clear()
        for province in provinces:
            list_page.list_content(editor, CityListing(province=province), FIRST)
        return [listing.province for _actor, listing, *_more in calls]

    return look


def test_a_province_is_not_drawn_again_after_a_change_of_another(any_app, editor, drawn):
    assert drawn("a", "b") == ["a", "b"]
    city_id = services.create_city(editor, given("a", "new", "1"))
    assert drawn("a", "b") == ["a"]
    services.update_city(editor, city_id, version_of(city_id), given("a", "newer", "5"))
    assert drawn("a", "b") == ["a"]
    removed_id, _name = services.delete_city(editor, city_id)
    assert drawn("a", "b") == ["a"]
    services.restore_city(editor, removed_id)
    assert drawn("a", "b") == ["a"]
    assert drawn("a", "b") == []


def test_a_moved_city_changes_both_provinces(editor, drawn):
    assert len(drawn("a", "b", "China 30")) == 3
    services.update_city(editor, 1, version_of(1), given("b", "x", "1"))
    assert drawn("a", "b", "China 30") == ["a", "b"]


def test_a_new_province_is_in_every_list(editor, drawn):
    """In the menu of the filter."""
    assert drawn("a", "b") == ["a", "b"]
    services.create_city(editor, given("new", "x", "1"))
    assert drawn("a", "b") == ["a", "b"]


def test_a_province_has_one_part_however_it_is_written(editor, drawn):
    assert drawn("china 30", "China 30") == ["china 30", "China 30"]
    services.create_city(editor, given("China 30", "new", "1"))
    assert drawn("china 30", "China 30") == ["china 30", "China 30"]
    assert sort_key("china 30") == sort_key("Ｃhina\u200b 30 ")


def test_a_list_without_rows_suggests_what_there_is_now(editor, drawn, monkeypatch):
    """Also where there are too many provinces to name them all in the filter."""
    monkeypatch.setattr(queries, "PROVINCES_MOST", 1)
    page = CityListing(province="h")
    for name in ("Hebei", "Henan"):
        assert name not in list_page.list_content(editor, page, FIRST)
        services.create_city(editor, given(name, "x", "1"))
        assert name in list_page.list_content(editor, page, FIRST)
