"""Provinces by what people type, on both databases."""

import pytest

from app.actor import ANONYMOUS
from app.cities.listing import provinces
from app.cities.listing.provinces import has_province, suggest_provinces
from app.cities.listing.queries import CityListing, find_hits, select_page
from app.errors import Unauthorized
from tests.cities.conftest import ACTOR, add_as_original_before, add_cities

NAMES = ["China 1", "China 30", "Indochina", "abc", "ABC", "Äbc", "广东", "100%", "Łódzkie"]


@pytest.fixture
def register(any_app):
    add_cities(*((name, f"city of {name}", 1) for name in NAMES))


def found(province):
    listing = CityListing(province=province)
    rows = [row.provincename for row in select_page(ACTOR, listing).rows]
    assert find_hits(ACTOR, listing).total == len(rows)
    return rows


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("China 30", ["China 30"]),
        ("china\u300030", ["China 30"]),
        ("ＣＨＩＮＡ ３０", ["China 30"]),
        ("ABC", ["ABC"]),
        ("abc", ["abc"]),
        ("aBc", ["Äbc", "ABC", "abc"]),
        ("lodzkie", ["Łódzkie"]),
        ("China", []),
        ("1__%", []),
    ],
)
def test_a_province_is_found_in_any_case_but_the_same_one_first(register, typed, wanted):
    assert found(typed) == wanted
    assert has_province(typed) is bool(wanted)


def test_suggestions_begin_with_what_was_typed_or_contain_it(register):
    assert suggest_provinces(ACTOR, "CHINA") == ["China 1", "China 30", "Indochina"]
    assert suggest_provinces(ACTOR, "china", most=2) == ["China 1", "China 30"]
    assert suggest_provinces(ACTOR, "東") == []
    assert suggest_provinces(ACTOR, "东") == ["广东"]
    assert suggest_provinces(ACTOR, "%") == ["100%"]
    assert suggest_provinces(ACTOR, "_") == []
    # One name for each search key.
    assert len(suggest_provinces(ACTOR, "  ")) == len(NAMES) - 2


def test_suggestions_know_rows_of_the_original_program(any_app):
    add_as_original_before(("Güney", "a", 1), (None, "b", 1), ("", "c", 1))
    assert suggest_provinces(ACTOR, "une") == ["Güney"]


def test_names_beyond_those_searched_are_found_by_their_beginning(register, monkeypatch):
    monkeypatch.setattr(provinces, "SEARCHED_MOST", 1)
    assert suggest_provinces(ACTOR, "indo") == ["Indochina"]
    assert suggest_provinces(ACTOR, "dochina") == []


def test_suggestions_are_for_those_who_may_read_cities(register):
    with pytest.raises(Unauthorized):
        suggest_provinces(ANONYMOUS, "china")
