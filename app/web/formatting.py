"""Template filters: times, numbers and sizes in the reader's language."""

from datetime import datetime

import flask_babel
from flask import Flask
from flask_babel import gettext as _

from app.text import Bytes, join_sentences
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
    """Date and time in the configured time zone."""
    return str(flask_babel.format_datetime(moment))


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
        number=format_number,
        sentences=join_sentences,
    )
