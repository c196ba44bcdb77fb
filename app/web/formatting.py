"""Template filters: times, numbers and sizes in the reader's language."""

from datetime import UTC, date, datetime

import flask_babel
from flask import Flask
from flask_babel import gettext as _

from app.text import Bytes, join_sentences


def format_ago(moment: datetime | None) -> str:
    """A time relative to now: 5 minutes ago."""
    if moment is None:
        return ""
    past = datetime.now(UTC) - moment
    if past.total_seconds() < 60:
        return str(_("just now"))
    return str(
        flask_babel.format_timedelta(-past, granularity="minute", add_direction=True, threshold=1.2)
    )


def format_datetime(moment: datetime | None) -> str:
    """Date and time in the configured time zone."""
    return "" if moment is None else str(flask_babel.format_datetime(moment, "medium"))


def format_date(day: date | None) -> str:
    return "" if day is None else str(flask_babel.format_date(day, "medium"))


def format_number(value: int | None) -> str:
    """A number with thousands separators."""
    return "" if value is None else str(flask_babel.format_decimal(value))


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
    app.add_template_filter(format_ago, "ago")
    app.add_template_filter(format_datetime, "datetime")
    app.add_template_filter(format_date, "date")
    app.add_template_filter(format_number, "number")
    app.add_template_filter(format_size, "bytes")
    app.add_template_filter(join_sentences, "sentences")
