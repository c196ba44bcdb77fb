"""Words of a search, with and without a space between province and city, on both databases."""

import pytest

from app.cities.listing.queries import CityListing, find_hits, select_page
from tests.cities.conftest import ACTOR, add_as_original_before, add_cities

CITIES = [
    ("广东", "深圳市"), ("广西", "东兴市"), ("陕西", "西安市"), ("陕西", "安康市"), ("沪", "上海"),
    ("内蒙古自治区", "呼和浩特市"), ("Zürich ZH", "Bülach"), ("Türkiye", "İstanbul"),
    ("100%", "a_b/c"), ("Łódzkie", "Łódź"), ("安", "松\u200b石"), ("Kırşehir", "Mucur"),
]  # fmt: skip
SEARCHES = [
    ("广东深圳", "深圳市"), ("广东深圳市", "深圳市"), ("广东 深圳", "深圳市"),
    ("深圳 广东", "深圳市"), ("广\u200b东\u3000深圳", "深圳市"), ("内蒙古呼和浩特", "呼和浩特市"),
    ("沪上海", "上海"), ("自治区呼和", "呼和浩特市"), ("西安", "西安市"), ("广东", "深圳市"),
    ("东兴", "东兴市"),
    ("zurichbulach", "Bülach"), ("ZÜRICH bülach", "Bülach"), ("turkiyeistanbul", "İstanbul"),
    ("istanbul", "İstanbul"), ("İSTANBUL", "İstanbul"), ("lodz", "Łódź"), ("松石", "松\u200b石"),
    ("松\u00ad石", "松\u200b石"), ("kirsehir", "Mucur"), ("100%a_", "a_b/c"), ("%", "a_b/c"),
    ("_", "a_b/c"), ("0%", "a_b/c"), ("b/c", "a_b/c"), ("%a/", None), ("a%b", None),
    ("广深圳", None), ("深圳广东", "深圳市"), ("广东东兴", None), ("安松石", "松\u200b石"),
    ("x" * 41, None),
]  # fmt: skip


@pytest.mark.parametrize("add", [add_cities, add_as_original_before])
def test_a_search_finds_the_city_that_it_means(any_app, add):
    add(*((province, city, 1) for province, city in CITIES))
    for search, wanted in SEARCHES:
        listing = CityListing(search=search)
        found = [row.cityname for row in select_page(ACTOR, listing).rows]
        assert found == ([wanted] if wanted else []), search
        assert find_hits(ACTOR, listing).total == len(found), search
