"""Dates and times, always in UTC."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo


def now() -> datetime:
    return datetime.now(UTC)


def day_number() -> int:
    """The day of UTC, counted from 1970."""
    return int(now().timestamp()) // 86_400


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """The start of a day in a time zone, in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def day_bounds(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The start of a day in a time zone and that of the next day, in UTC."""
    return start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)
