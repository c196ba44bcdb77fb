"""Template filters: times, numbers and sizes in the reader's language.

What all numbers and times of a language have in common is looked up once: a page has a hundred of
them, and for each Babel would take most of the time it takes to draw a row.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

import flask_babel
from babel import Locale
from babel.core import get_global
from babel.dates import (
    DateTimeFormat,
    format_timedelta,
    get_date_format,
    get_datetime_format,
    get_time_format,
    get_timezone_gmt,
    get_timezone_name,
    parse_pattern,
)
from babel.numbers import get_group_symbol
from flask import Flask
from flask_babel import gettext as _

from app.text import Bytes, join_names, join_sentences
from app.times import now

MINUTE, HOUR, DAY = 60, 3600, 86_400
# Those in which Babel says how long ago something was, in seconds, the longest first.
UNITS = (365 * DAY, 30 * DAY, 7 * DAY, DAY, HOUR, MINUTE, 1)
# The attribute of a time on which a field of a pattern depends, by the field's letter.
ATTRIBUTES = {"y": "year", "M": "month", "d": "day", "m": "minute", "s": "second"}
ATTRIBUTES |= dict.fromkeys("ahH", "hour")


class PatternField(dict[int, str]):
    """A field of a pattern, such as the name of the month: its text by the value of the attribute
    of a time on which it depends."""

    def __init__(self, name: str, locale: Locale) -> None:
        super().__init__()
        self.name, self.locale = name, locale
        self.attribute = ATTRIBUTES[name[0]]

    def __missing__(self, value: int) -> str:
        moment = datetime(2000, 1, 1, tzinfo=UTC).replace(**{self.attribute: value})  # type: ignore[arg-type]
        text = self[value] = DateTimeFormat(moment, self.locale)[self.name]
        return text


class Pattern:
    """A pattern of Babel in one language."""

    def __init__(self, pattern: str, locale: Locale) -> None:
        text = str(parse_pattern(pattern).format)
        self.text, names = re.sub(r"%\(\w+\)s", "%s", text), re.findall(r"%\((\w+)\)s", text)
        self.fields = [PatternField(name, locale) for name in names]

    def apply(self, local: datetime) -> str:
        return self.text % tuple(each[getattr(local, each.attribute)] for each in self.fields)


class Texts:
    """Numbers and times in one language. `html_lang` is the language for the attribute `lang`;
    `sentence_space` separates a sentence from the next one or from a link: nothing in Chinese."""

    def __init__(self, locale: Locale) -> None:
        self.locale, self.name = locale, str(locale)
        is_chinese = locale.language == "zh"
        self.html_lang = "zh-CN" if is_chinese else "en"
        self.sentence_space = "" if is_chinese else " "
        self.separator = get_group_symbol(locale)
        date = get_date_format("medium", locale).pattern
        time = get_time_format("medium", locale).pattern
        whole = str(get_datetime_format("medium", locale))
        self.moment = Pattern(whole.replace("{0}", time).replace("{1}", date), locale)
        self.clock = Pattern(get_time_format("short", locale).pattern, locale)
        self.zones: dict[tzinfo | None, tuple[str, str]] = {}
        self.past: dict[int, str] = {}

    def number(self, value: int) -> str:
        return f"{value:,}".replace(",", self.separator)

    def ago(self, moment: datetime, least: int = MINUTE) -> str:
        """How long ago a moment was, at least so many seconds. That is in the language of the
        request, which must be this one."""
        past = now() - moment
        seconds = past.days * DAY + past.seconds
        unit = next((each for each in UNITS if seconds >= each >= least), 0)
        if unit == 0:
            return str(_("just now"))
        whole = seconds - seconds % unit
        if whole not in self.past:
            self.past[whole] = format_timedelta(
                timedelta(seconds=-whole), threshold=1, add_direction=True, locale=self.locale
            )
        return self.past[whole]

    def zone(self, local: datetime) -> tuple[str, str]:
        """The offset and the name of the time zone of a local time."""
        # That of pytz is another object for each offset and name that a zone has had.
        if local.tzinfo not in self.zones:
            offset = get_timezone_gmt(local, "long", self.locale)
            name = get_timezone_name(local, "long", locale=self.locale)
            if name == offset:
                name = older_name(local, self.locale) or str(local.tzinfo)
            self.zones[local.tzinfo] = (offset, name)
        return self.zones[local.tzinfo]

    def exactly(self, local: datetime) -> str:
        """Date and time with offset and name of the time zone."""
        offset, name = self.zone(local)
        return f"{self.moment.apply(local)} {offset} ({name})"


def older_name(local: datetime, locale: Locale) -> str | None:
    """The name of a time zone that Babel has under a former id alone, such as Asia/Calcutta for
    Asia/Kolkata."""
    aliases, metazones = get_global("zone_aliases"), get_global("meta_zones")
    zone = str(local.tzinfo)
    present = aliases.get(zone, zone)
    former = (old for old, new in aliases.items() if new == present)
    found = (metazones[each] for each in (zone, present, *former) if each in metazones)
    names: dict[str, str] = locale.meta_zones.get(next(found, ""), {}).get("long", {})
    return names.get("daylight" if local.dst() else "standard")


texts_of = lru_cache(Texts)


def texts() -> Texts:
    """Numbers and times in the reader's language."""
    return texts_of(flask_babel.get_locale())


def local(moment: datetime) -> datetime:
    """A moment in the reader's time zone."""
    return moment.astimezone(flask_babel.get_timezone())


def format_ago(moment: datetime) -> str:
    """A time relative to now, in whole units that have passed: 65 minutes are 1 hour ago, and 47
    hours 1 day ago."""
    return texts().ago(moment)


def format_age(moment: datetime) -> str:
    """The same to the second, for what is counted again within a minute: 12 seconds ago."""
    return texts().ago(moment, least=1)


def format_clock(moment: datetime) -> str:
    """The time of day in the reader's time zone, for lists under the name of a day: 4:20 PM."""
    return texts().clock.apply(local(moment))


def format_datetime(moment: datetime) -> str:
    """Date and time in the reader's time zone, with its offset: 3:14:18 AM GMT+08:00."""
    reader, there = texts(), local(moment)
    return f"{reader.moment.apply(there)} {reader.zone(there)[0]}"


def format_zone(moment: datetime) -> str:
    """The name of the reader's time zone at a moment: China Standard Time. For one without a name
    of its own, Asia/Kolkata."""
    return texts().zone(local(moment))[1]


def format_exactly(moment: datetime) -> str:
    """Date and time with offset and name of the time zone, for tooltips."""
    return texts().exactly(local(moment))


def format_number(value: int) -> str:
    """A number with thousands separators."""
    return texts().number(value)


def format_percent(share: float) -> str:
    """A share of 0 to 1: 98.21%."""
    return str(flask_babel.format_percent(share, "#,##0.##%"))


def format_size(count: int) -> str:
    """A number of bytes: 1.5 MB."""
    return str(Bytes(count))


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        age=format_age,
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
