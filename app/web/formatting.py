"""Times, numbers and sizes in the reader's language: the filters of templates."""

from datetime import UTC, date, datetime

import flask_babel
from flask import Flask
from flask_babel import gettext as _

from app.text import Bytes


def format_ago(moment: datetime | None) -> str:
    """How long ago, in words."""
    if moment is None:
        return ""
    past = datetime.now(UTC) - moment
    if past.total_seconds() < 60:
        return str(_("just now"))
    return str(
        flask_babel.format_timedelta(-past, granularity="minute", add_direction=True, threshold=1.2)
    )


def format_datetime(moment: datetime | None) -> str:
    """Date and time in the reader's language and the configured time zone."""
    return "" if moment is None else str(flask_babel.format_datetime(moment, "medium"))


def format_date(day: date | None) -> str:
    """A day in the reader's language."""
    return "" if day is None else str(flask_babel.format_date(day, "medium"))


def format_number(value: int | None) -> str:
    """A number with its digits in groups."""
    return "" if value is None else str(flask_babel.format_decimal(value))


def format_size(count: int) -> str:
    """A number of bytes: 1.5 MB."""
    return str(Bytes(count))


def html_lang() -> str:
    """The language as HTML names it."""
    return "zh-CN" if str(flask_babel.get_locale()).startswith("zh") else "en"


def init_app(app: Flask) -> None:
    """Register the filters."""
    app.add_template_filter(format_ago, "ago")
    app.add_template_filter(format_datetime, "datetime")
    app.add_template_filter(format_date, "date")
    app.add_template_filter(format_number, "number")
    app.add_template_filter(format_size, "bytes")
