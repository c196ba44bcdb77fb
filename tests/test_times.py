"""Time zones by name."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from app import times
from app.times import day_bounds, find_zone


@pytest.mark.parametrize("name", ["Asia/Shanghai", "America/New_York", "UTC", "Etc/GMT+5"])
def test_zones_are_found_by_their_name(name):
    assert find_zone(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "America", "localtime", "Factory",
     "right/UTC", "posix/UTC", "zone.tab", "Asia/Shanghai\0", "上海", "x" * 70],
)  # fmt: skip
def test_what_is_no_zone_is_not_found(name):
    assert find_zone(name) is None


def test_an_old_name_is_found_where_the_system_has_only_the_new_one(monkeypatch):
    """Chrome says Asia/Calcutta; Debian has such names in a package of their own."""

    def without_old_names(name):
        if name == "Asia/Calcutta":
            raise ZoneInfoNotFoundError(name)
        return ZoneInfo(name)

    monkeypatch.setattr(times, "ZoneInfo", without_old_names)
    find_zone.cache_clear()
    assert find_zone("Asia/Calcutta") == "Asia/Kolkata"
    find_zone.cache_clear()


def test_a_day_of_a_zone_begins_at_its_midnight():
    start, end = day_bounds(date(2026, 3, 29), ZoneInfo("Europe/Berlin"))  # an hour shorter
    assert start == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert end == datetime(2026, 3, 29, 22, tzinfo=UTC)


def test_a_pretended_moment_ends_with_its_block():
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    with times.at(moment):
        assert times.now() == moment
        assert times.day_number() == moment.timestamp() // 86_400
    assert times.now() > moment
