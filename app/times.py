"""Dates and times, always in UTC, and time zones."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.core import get_global
from babel.dates import get_timezone

ZONE_LENGTH = 64  # characters of a time zone's name
# Files of the operating system's database that are not zones of their own.
NOT_ZONES = ("Factory", "localtime", "posix/", "right/")

pretended: ContextVar[datetime | None] = ContextVar("pretended", default=None)


def now() -> datetime:
    return pretended.get() or datetime.now(UTC)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Have now() return this moment: for sample data with a past, which is written by the services
    in the order of its moments and needs no change afterwards."""
    token = pretended.set(moment)
    try:
        yield
    finally:
        pretended.reset(token)


def day_number() -> int:
    """The day of UTC, counted from 1970."""
    return int(now().timestamp()) // 86_400


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The start of a day in a time zone, in UTC. A zone of Babel, which has those of pytz, would be
    some minutes off: it is at local mean time until it is asked for a moment."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The start of a day in a time zone and that of the next day, in UTC."""
    return start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)


@lru_cache(maxsize=1000)
def find_zone(name: str) -> str | None:
    """The name of a time zone as this machine knows it: browsers still send old names, such as
    Asia/Calcutta, which some systems have in a package of their own. None for an unknown zone."""
    renamed = get_global("zone_aliases").get(name)
    return next((each for each in (name, renamed) if each and is_zone(each)), None)


def is_zone(name: str) -> bool:
    """True for a zone that both the standard library and Babel know."""
    if len(name) > ZONE_LENGTH or name.startswith(NOT_ZONES):
        return False
    try:
        ZoneInfo(name)
        get_timezone(name)
    except (LookupError, ValueError, OSError):
        return False
    return True
