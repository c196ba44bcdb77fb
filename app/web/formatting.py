"""Template filters: times, numbers and sizes in the reader's language."""

from datetime import datetime, timedelta, tzinfo

import flask_babel
from babel.dates import get_timezone_gmt, get_timezone_name
from flask import Flask
from flask_babel import gettext as _

from app.text import Bytes, join_names, join_sentences
from app.times import now

# Those in which Babel says how long ago something was, the longest first.
UNITS = (
    *(timedelta(days=days) for days in (365, 30, 7, 1)),
    timedelta(hours=1),
    timedelta(minutes=1),
)


def format_ago(moment: datetime) -> str:
    """A time relative to now, in whole units that have passed: 65 minutes are 1 hour ago, and 47
    hours 1 day ago."""
    past = now() - moment
    unit = next((each for each in UNITS if past >= each), None)
    if unit is None:
        return str(_("just now"))
    whole = past // unit * unit
    return str(flask_babel.format_timedelta(-whole, add_direction=True, threshold=1))


def format_clock(moment: datetime) -> str:
    """The time of day in the reader's time zone, for lists under the name of a day: 4:20 PM."""
    return str(flask_babel.format_time(moment, "short"))


def format_datetime(moment: datetime) -> str:
    """Date and time in the reader's time zone, with its offset: 3:14:18 AM GMT+08:00."""
    return f"{flask_babel.format_datetime(moment)} {format_offset(moment)}"


def format_offset(moment: datetime, zone: tzinfo | None = None) -> str:
    """The offset of a time zone, by default the reader's, at a moment: GMT+08:00."""
    return str(get_timezone_gmt(local(moment, zone), "long", flask_babel.get_locale()))


def format_zone(moment: datetime, zone: tzinfo | None = None) -> str:
    """The name of a time zone, by default the reader's, at a moment: China Standard Time. For one
    without a name of its own, Asia/Kolkata."""
    name = get_timezone_name(local(moment, zone), "long", locale=flask_babel.get_locale())
    unnamed = name == format_offset(moment, zone)
    return str(zone or flask_babel.get_timezone()) if unnamed else str(name)


def local(moment: datetime, zone: tzinfo | None = None) -> datetime:
    """The moment in a time zone, by default the reader's."""
    return moment.astimezone(zone or flask_babel.get_timezone())


def format_exactly(moment: datetime) -> str:
    """Date and time with offset and name of the time zone, for tooltips."""
    return f"{format_datetime(moment)} ({format_zone(moment)})"


def format_number(value: int) -> str:
    """A number with thousands separators."""
    return str(flask_babel.format_decimal(value))


def format_percent(share: float) -> str:
    """A share of 0 to 1: 98.21%."""
    return str(flask_babel.format_percent(share, "#,##0.##%"))


def format_size(count: int) -> str:
    """A number of bytes: 1.5 MB."""
    return str(Bytes(count))


def html_lang() -> str:
    """The language for the attribute `lang`."""
    return "zh-CN" if str(flask_babel.get_locale()).startswith("zh") else "en"


def sentence_space() -> str:
    """What separates a sentence from the next one or from a link: nothing in Chinese."""
    return "" if html_lang() == "zh-CN" else " "


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        ago=format_ago,
        bytes=format_size,
        clock=format_clock,
        date=flask_babel.format_date,
        datetime=format_datetime,
        exactly=format_exactly,
        names=join_names,
        number=format_number,
        percent=format_percent,
        sentences=join_sentences,
        zone=format_zone,
    )
