"""Names that the original program wrote are the same name on both databases."""

import pytest

from app.cities.listing import queries
from app.cities.listing.parameters import CityListing
from app.cities.statistics.queries import compute_statistics
from tests.cities.conftest import ACTOR, add_as_original


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="Provinces are compared as written, and SQLite and MariaDB differ on spaces at the end.",
)
def test_province_with_spaces_around_it_is_the_same_province(any_app):
    add_as_original(("P", "a", 1), ("P ", "b", 2), ("\u3000P", "c", 4))
    assert queries.count_filtered(ACTOR, CityListing(province="P")) == 3
    figures = compute_statistics()
    assert figures.province_count == 1
    assert figures.provinces == [("P", 7, 3)]
    assert queries.list_provinces() == ["P"]
