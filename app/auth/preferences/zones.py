"""Time zones by the cities that people know them by, in the languages of the pages."""

from functools import cache

from babel import Locale
from babel.core import get_global

from app.config import LANGUAGES
from app.text import search_key
from app.times import find_zone

# Capitals after which no zone is named, because another city of the country was the larger one.
# Neither IANA nor CLDR has their names.
CAPITALS = (
    ("Asia/Shanghai", {"en": "Beijing", "zh": "北京"}),
    ("Asia/Kolkata", {"en": "New Delhi", "zh": "新德里"}),
    ("Asia/Karachi", {"en": "Islamabad", "zh": "伊斯兰堡"}),
    ("Asia/Ho_Chi_Minh", {"en": "Hanoi", "zh": "河内"}),
    ("Asia/Dubai", {"en": "Abu Dhabi", "zh": "阿布扎比"}),
    ("Europe/Istanbul", {"en": "Ankara", "zh": "安卡拉"}),
    ("Europe/Zurich", {"en": "Bern", "zh": "伯尔尼"}),
    ("America/New_York", {"en": "Washington", "zh": "华盛顿"}),
    ("America/Toronto", {"en": "Ottawa", "zh": "渥太华"}),
    ("America/Sao_Paulo", {"en": "Brasília", "zh": "巴西利亚"}),
    ("Africa/Johannesburg", {"en": "Pretoria", "zh": "比勒陀利亚"}),
    ("Australia/Sydney", {"en": "Canberra", "zh": "堪培拉"}),
    ("Pacific/Auckland", {"en": "Wellington", "zh": "惠灵顿"}),
)
# Former names of zones that end with a city; those of Australia and of countries may be US/Pacific.
CONTINENTS = ("Africa/", "America/", "Asia/", "Europe/")


@cache
def offered_zones() -> tuple[str, ...]:
    """The zones to choose from, sorted: one for each region and city, by their present names."""
    renamed = get_global("zone_aliases")
    names = [name for name in get_global("zone_territories") if name not in renamed]
    places = [name for name in names if is_place(name)]
    return (*sorted(places), "UTC")


def is_place(name: str) -> bool:
    """True for a region and a place in it."""
    return "/" in name and not name.startswith("Etc/")


@cache
def zone_cities(language: str) -> dict[str, str]:
    """The city of each zone on offer, in a language. CLDR has those that are not the end of the
    zone's name, some under a former name of the zone."""
    known = {
        find_present(zone): names["city"]
        for zone, names in Locale.parse(language).time_zones.items()
        if "city" in names
    }
    return {zone: known.get(zone) or last_part(zone) for zone in offered_zones()}


def find_present(zone: str) -> str:
    """The present name of a zone."""
    return str(get_global("zone_aliases").get(zone, zone))


def last_part(zone: str) -> str:
    """The city at the end of a zone's name."""
    return zone.rpartition("/")[2].replace("_", " ")


@cache
def suggested_cities(language: str) -> tuple[str, ...]:
    """The cities to choose from, in a language."""
    capitals = (names[language] for _zone, names in CAPITALS)
    return (*capitals, *zone_cities(language).values())


def city_of(zone: str, language: str) -> str:
    """What the reader calls a zone: its city, or its name if it is not one of those on offer."""
    return zone_cities(language).get(zone, zone)


@cache
def zones_by_key() -> dict[str, str]:
    """The zones on offer by all that people may type: their names, also those of former times, and
    their cities in any of the languages."""
    former = get_global("zone_aliases").items()
    names = [
        *((name, zone) for zone, capital in CAPITALS for name in capital.values()),
        *((last_part(old), new) for old, new in former if old.startswith(CONTINENTS)),
        *((old, new) for old, new in former if is_place(old)),
        *((last_part(zone), zone) for zone in offered_zones()),
        *((city, zone) for each in LANGUAGES for zone, city in zone_cities(each).items()),
        *((zone, zone) for zone in offered_zones()),
    ]
    return {key_of(name): zone for name, zone in names}  # of equal keys the last one counts


def key_of(name: str) -> str:
    """A name in any case and width, with or without accents, and with spaces."""
    return search_key(name.replace("_", " "))


def read_zone(text: str) -> str | None:
    """A time zone as people type it: its name or its city."""
    return find_zone(zones_by_key().get(key_of(text)) or text.strip())
