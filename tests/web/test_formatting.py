"""Times as pages show them."""

from datetime import UTC, datetime

import pytest
from flask_babel import force_locale

from app.cities.listing.row_format import RowFormatter
from app.web.formatting import format_clock, format_datetime, format_exactly, format_zone

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
        ("Asia/Kolkata", SUMMER, "en", "Jul 15, 2026, 5:30:00\u202fPM GMT+05:30", "Asia/Kolkata"),
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
