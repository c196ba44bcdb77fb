"""When schedules are due: what people may type, and the moments that follow."""

import pytest

from app.errors import Invalid
from app.schedules.triggers import make_timing
from tests.schedules.conftest import moment

START = moment("2026-12-01 00:00:00")


def preview(trigger, expression, zone="UTC", after=START, count=3):
    timing = make_timing(trigger, expression, zone, START)
    return [f"{each:%Y-%m-%d %H:%M:%S}" for each in timing.preview(after, count)]


@pytest.mark.parametrize(
    ("trigger", "expression", "zone", "moments"),
    [
        ("interval", "2 s", "UTC", ["2026-12-01 00:00:02", "2026-12-01 00:00:04"]),
        ("interval", "90", "UTC", ["2026-12-01 00:01:30", "2026-12-01 00:03:00"]),
        ("interval", "1 D", "Asia/Shanghai", ["2026-12-02 00:00:00", "2026-12-03 00:00:00"]),
        ("cron", "0 8 * * *", "Shanghai", ["2026-12-02 00:00:00", "2026-12-03 00:00:00"]),
        ("cron", "10 * * * * *", "UTC", ["2026-12-01 00:00:10", "2026-12-01 00:01:10"]),
        ("cron", "0 0 29 2 *", "UTC", ["2028-02-29 00:00:00", "2032-02-29 00:00:00"]),
        ("date", "2026-12-24 08:00", "Asia/Shanghai", ["2026-12-24 00:00:00"]),
        ("date", "2026-12-24T08:00:30", "UTC", ["2026-12-24 08:00:30"]),
    ],
)
def test_the_next_moments(trigger, expression, zone, moments):
    assert preview(trigger, expression, zone, count=2) == moments


@pytest.mark.parametrize(
    ("zone", "after", "moments"),
    [
        ("America/New_York", "2026-12-31 23:30:00", ["2027-01-01 00:00:00", "2027-01-01 01:00:00"]),
        ("America/New_York", "2027-01-01 00:30:00", ["2027-01-01 01:00:00", "2027-01-01 02:00:00"]),
        ("Asia/Shanghai", "2026-12-31 15:30:00", ["2026-12-31 16:00:00", "2026-12-31 17:00:00"]),
    ],
)
def test_no_hour_is_left_out_at_new_year(zone, after, moments):
    assert preview("cron", "0 * * * *", zone, moment(after), count=2) == moments


@pytest.mark.parametrize(
    ("weekday", "days"),
    [
        ("0", ["06", "13"]), ("7", ["06", "13"]), ("sun", ["06", "13"]),
        ("1", ["07", "14"]), ("fri-mon", ["04", "05", "06", "07", "11"]),
        ("5-7", ["04", "05", "06", "11"]), ("1-5", ["01", "02", "03", "04", "07"]),
        ("*/2", ["01", "03", "05", "06", "08"]), ("1,3", ["02", "07", "09"]),
    ],
)  # fmt: skip
def test_weekdays_are_those_of_cron(weekday, days):
    """1 December 2026 is a Tuesday."""
    found = preview("cron", f"0 12 * * {weekday}", count=len(days))
    assert [each[8:10] for each in found] == days


def test_days_of_the_month_and_weekdays_are_alternatives_as_in_cron():
    found = preview("cron", "0 0 13 * fri", after=moment("2026-12-02 00:00:00"), count=4)
    assert [each[8:10] for each in found] == ["04", "11", "13", "18"]


@pytest.mark.parametrize(
    ("trigger", "expression", "zone", "field", "words"),
    [
        ("interval", "0", "UTC", "expression", "from 1 second"),
        ("interval", "367 d", "UTC", "expression", "from 1 second"),
        ("interval", "-5", "UTC", "expression", "a number and a unit"),
        ("interval", "", "UTC", "expression", "a number and a unit"),
        ("cron", "0 0 31 2 *", "UTC", "expression", "never happens"),
        ("cron", "61 * * * *", "UTC", "expression", "“61” is not valid for the minute"),
        ("cron", "0 0 * * 8", "UTC", "expression", "“8” is not valid for the weekday"),
        ("cron", "0 0 * 13 *", "UTC", "expression", "“13” is not valid for the month"),
        ("cron", "*/0 * * * *", "UTC", "expression", "not valid for the minute"),
        ("cron", "* * *", "UTC", "expression", "five fields"),
        ("cron", "@daily", "UTC", "expression", "five fields"),
        ("date", "tomorrow", "UTC", "expression", "a date and a time"),
        ("date", "9999-12-31 23:59", "America/New_York", "expression", "a date and a time"),
        ("date", "0001-01-01 00:00", "Asia/Shanghai", "expression", "a date and a time"),
        ("date", "2020-01-01 08:00", "UTC", "expression", "has passed"),
        ("date", "2027-03-28 02:30", "Europe/Berlin", "expression", "does not exist"),
        ("date", "2027-10-31 02:30", "Europe/Berlin", "expression", "comes twice"),
        ("date", "2027-01-01 00:00", "Nowhere", "time_zone", "not a time zone"),
        ("", "1 h", "UTC", "trigger", "Not a valid choice"),
    ],
)
def test_what_is_wrong_is_said(app, trigger, expression, zone, field, words):
    with app.test_request_context(), pytest.raises(Invalid) as refused:
        make_timing(trigger, expression, zone, START)
    with app.test_request_context():
        assert {name: words in str(text) for name, text in refused.value.fields.items()} == {
            field: True
        }


def test_a_nightly_run_is_neither_skipped_nor_doubled_when_clocks_change():
    """On 28 March there is no 02:30 in Berlin, on 31 October there are two."""
    nightly = ("cron", "30 2 * * *", "Europe/Berlin")
    assert preview(*nightly, after=moment("2027-03-27 12:00:00"), count=2) == [
        "2027-03-28 01:30:00", "2027-03-29 00:30:00",
    ]  # fmt: skip
    assert preview(*nightly, after=moment("2027-10-30 12:00:00"), count=2) == [
        "2027-10-31 00:30:00", "2027-11-01 01:30:00",
    ]  # fmt: skip


def test_what_runs_every_hour_runs_in_both_hours_when_clocks_are_put_back():
    hourly = ("cron", "0 * * * *", "Europe/Berlin")
    assert preview(*hourly, after=moment("2027-10-30 23:30:00"), count=3) == [
        "2027-10-31 00:00:00", "2027-10-31 01:00:00", "2027-10-31 02:00:00",
    ]  # fmt: skip
