"""Template filters: times, numbers and sizes in the reader's language."""

from datetime import datetime, tzinfo

import flask_babel
from babel.dates import get_timezone_gmt, get_timezone_name
from flask import Flask
from flask_babel import gettext as _

from app.text import Bytes, join_names, join_sentences
from app.times import now


def format_ago(moment: datetime) -> str:
    """A time relative to now: 5 minutes ago."""
    past = now() - moment
    if past.total_seconds() < 60:
        return str(_("just now"))
    return str(
        flask_babel.format_timedelta(-past, granularity="minute", add_direction=True, threshold=1.2)
    )


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
        date=flask_babel.format_date,
        datetime=format_datetime,
        exactly=format_exactly,
        names=join_names,
        number=format_number,
        sentences=join_sentences,
        zone=format_zone,
    )
