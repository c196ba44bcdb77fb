"""Times as pages show them."""

import random
from datetime import UTC, datetime, timedelta

import flask_babel
import pytest
from babel.dates import get_timezone_gmt, get_timezone_name
from flask_babel import force_locale

from app.cities.listing.row_format import RowFormatter
from app.times import at
from app.web.formatting import (
    UNITS,
    format_age,
    format_ago,
    format_clock,
    format_datetime,
    format_exactly,
    format_number,
    format_zone,
)

WINTER, SUMMER = datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 7, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "moment", "language", "shown", "name"),
    [
        (
            "Asia/Shanghai",
            WINTER,
            "en",
            "Jan 15, 2026, 8:00:00\u202fPM GMT+08:00",
            "China Standard Time",
        ),
        ("Asia/Shanghai", WINTER, "zh", "2026年1月15日 20:00:00 GMT+08:00", "中国标准时间"),
        (
            "Europe/Berlin",
            WINTER,
            "en",
            "Jan 15, 2026, 1:00:00\u202fPM GMT+01:00",
            "Central European Standard Time",
        ),
        (
            "Europe/Berlin",
            SUMMER,
            "en",
            "Jul 15, 2026, 2:00:00\u202fPM GMT+02:00",
            "Central European Summer Time",
        ),
        (
            "UTC",
            SUMMER,
            "en",
            "Jul 15, 2026, 12:00:00\u202fPM GMT+00:00",
            "Coordinated Universal Time",
        ),
        *(
            (
                zone,
                SUMMER,
                "en",
                "Jul 15, 2026, 5:30:00\u202fPM GMT+05:30",
                "India Standard Time",
            )
            for zone in ("Asia/Kolkata", "Asia/Calcutta")
        ),
        ("Asia/Calcutta", SUMMER, "zh", "2026年7月15日 17:30:00 GMT+05:30", "印度时间"),
    ],
)
def test_a_time_is_shown_with_its_zone(make_app, zone, moment, language, shown, name):
    with make_app(TIME_ZONE=zone).test_request_context(), force_locale(language):
        assert (format_datetime(moment), format_zone(moment)) == (shown, name)
        assert format_exactly(moment) == f"{shown} ({name})"
        rows = RowFormatter()
        for each in (WINTER, SUMMER, moment):
            assert rows.write_exactly(each) == format_exactly(each)


@pytest.mark.parametrize(
    ("language", "shown"), [("en", ("4:05\u202fPM", "12:05\u202fAM")), ("zh", ("16:05", "00:05"))]
)
def test_the_time_of_day_is_as_in_other_times_of_the_language(make_app, language, shown):
    with make_app(TIME_ZONE="UTC").test_request_context(), force_locale(language):
        clocks = [format_clock(datetime(2026, 1, 15, hour, 5, tzinfo=UTC)) for hour in (16, 0)]
        assert clocks == list(shown)


def test_every_time_on_a_page_has_its_zone_beside_it_or_as_a_tooltip(app):
    template = app.jinja_env.get_template("_macros/time.html").module
    with app.test_request_context():
        assert "China Standard Time" in template.time_ago(WINTER)
        assert "GMT+08:00</time>" in template.time_exact(WINTER)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "zone",
    [
        "Asia/Shanghai",
        "Europe/Berlin",
        "America/St_Johns",
        "Antarctica/Troll",
        "UTC",
        "Africa/Monrovia",
    ],
)
def test_texts_are_those_of_babel(make_app, language, zone):
    chance = random.Random(f"{language} {zone}")
    with make_app(TIME_ZONE=zone).test_request_context(), force_locale(language):
        for _each in range(300):
            moment = datetime(1950, 1, 1, tzinfo=UTC) + timedelta(
                seconds=chance.randrange(100 * 365 * 86_400)
            )
            local = moment.astimezone(flask_babel.get_timezone())
            offset = get_timezone_gmt(local, locale=language)
            name = get_timezone_name(local, locale=language)
            assert format_datetime(moment) == f"{flask_babel.format_datetime(moment)} {offset}"
            assert format_zone(moment) == (zone if name == offset else name)
            assert format_clock(moment) == flask_babel.format_time(moment, "short")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_numbers_are_those_of_babel(app, language):
    chance = random.Random(language)
    values = [chance.choice((1, -1)) * chance.randrange(10**size) for size in range(1, 19)]
    with app.test_request_context(), force_locale(language):
        for value in (0, 999, 1000, -999, -1000, *values):
            assert format_number(value) == flask_babel.format_decimal(value)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_past_is_in_the_words_of_babel(app, language):
    moment = datetime(2026, 7, 15, 12, tzinfo=UTC)
    chance = random.Random(language)
    seconds = [60, 3599, 3600, 86_399, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400]
    seconds += [chance.randrange(60, 10**size) for size in range(3, 10) for _each in range(50)]
    with app.test_request_context(), force_locale(language), at(moment):
        for past in seconds:
            unit = max(each for each in UNITS if each <= past)
            babel = flask_babel.format_timedelta(
                timedelta(seconds=-(past // unit * unit)), add_direction=True, threshold=1
            )
            assert format_ago(moment - timedelta(seconds=past)) == babel


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_age_is_also_in_seconds(app, language):
    with app.test_request_context(), force_locale(language), at(WINTER):
        for past in (0, -5):
            assert format_age(WINTER - timedelta(seconds=past)) in ("just now", "刚刚")
        for past in (1, 59, 60, 3600):
            moment = timedelta(seconds=-past)
            babel = flask_babel.format_timedelta(moment, add_direction=True, threshold=1)
            assert format_age(WINTER + moment) == babel


def test_a_language_does_not_get_the_texts_of_another(app):
    with app.test_request_context(), at(WINTER + timedelta(hours=3)):
        for language, shown in (("en", "3 hours ago"), ("zh", "3小时前"), ("en", "3 hours ago")):
            with force_locale(language):
                assert format_ago(WINTER) == shown
        for language, shown in (("zh", "刚刚"), ("en", "just now")):
            with force_locale(language):
                assert format_ago(WINTER + timedelta(hours=3)) == shown
