"""Time zones as people type them."""

from zoneinfo import available_timezones

import pytest

from app.auth.preferences.zones import (
    CAPITALS,
    city_of,
    offered_zones,
    read_zone,
    suggested_cities,
    zone_cities,
)
from app.config import LANGUAGES
from app.times import find_zone


def test_each_zone_on_offer_is_known():
    assert len(offered_zones()) > 300
    assert set(offered_zones()) <= available_timezones()
    assert {"Asia/Shanghai", "Europe/Berlin", "America/Argentina/Salta"} <= set(offered_zones())
    assert [find_zone(name) for name in offered_zones()] == list(offered_zones())


@pytest.mark.parametrize(
    ("typed", "zone"),
    [("Europe/Berlin", "Europe/Berlin"), (" europe/berlin ", "Europe/Berlin"),
     ("berlin", "Europe/Berlin"), ("New York", "America/New_York"), ("utc", "UTC"),
     ("UTC", "UTC"), ("US/Eastern", "America/New_York"), ("Atlantis", None), ("GMT+8", None),
     ("", None), ("上海", "Asia/Shanghai"), ("东京", "Asia/Tokyo"), ("纽约", "America/New_York"),
     ("加德满都", "Asia/Kathmandu"), ("ＴＯＫＹＯ", "Asia/Tokyo"), ("PRC", "PRC"),
     ("sao paulo", "America/Sao_Paulo"), ("us/pacific", "America/Los_Angeles"),
     ("Beijing", "Asia/Shanghai"), ("ｂｅｉｊｉｎｇ", "Asia/Shanghai"), (" 北京 ", "Asia/Shanghai"),
     ("Chongqing", "Asia/Shanghai"), ("asia/calcutta", "Asia/Kolkata"), ("west", None),
     ("Singapore", "Asia/Singapore"),
     ("brasilia", "America/Sao_Paulo"), ("华盛顿", "America/New_York")],
)  # fmt: skip
def test_zones_are_read_as_people_type_them(typed, zone):
    assert read_zone(typed) == zone


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_suggestion_is_read_as_its_own_zone(language):
    assert {city: read_zone(city) for city in zone_cities(language).values()} == {
        city: zone for zone, city in zone_cities(language).items()
    }
    for zone, names in CAPITALS:
        assert read_zone(names[language]) == zone
        assert names[language] in suggested_cities(language)


def test_a_zone_is_called_by_its_city():
    assert city_of("America/New_York", "zh") == "纽约"
    assert city_of("America/New_York", "en") == "New York"
    assert city_of("US/Eastern", "zh") == "US/Eastern"
