"""The rows of a list in words. A page has fifty, so what is the same for all of them (language,
time zone, patterns, translations) is looked up once: the filters that other templates use would
look it up for every value, which is most of the time that drawing a list takes."""

from datetime import UTC, datetime
from typing import Any

from babel.dates import (
    format_timedelta,
    get_date_format,
    get_datetime_format,
    get_time_format,
    parse_pattern,
)
from babel.numbers import format_decimal
from flask_babel import get_locale, get_timezone
from flask_babel import gettext as _

from app.cities.queries import CityRow
from app.cities.rules import is_flawed


def city_name(name: str | None) -> str:
    """What a city is called where one speaks of it; one of the original program may have no name,
    or one of blanks."""
    return name if name and name.strip() else str(_("City without a name"))


class RowFormatter:
    """Writes rows in the reader's language."""

    def __init__(self) -> None:
        self.locale = get_locale() or "en"
        self.zone = get_timezone()
        self.now = datetime.now(UTC)
        time = get_time_format("medium", self.locale).pattern
        date = get_date_format("medium", self.locale).pattern
        whole = str(get_datetime_format("medium", self.locale))
        self.moment = parse_pattern(whole.replace("{0}", time).replace("{1}", date))
        self.just_now = _("just now")
        # Without values gettext leaves the place of the name in the text.
        self.edit, self.remove = _("Edit %(name)s"), _("Remove %(name)s")

    def write(self, row: CityRow) -> tuple[Any, ...]:
        """A row in the order in which the template takes it apart."""
        city, users, changed = row.cityname, row.usernumber, row.changed_at
        name = {"name": city_name(city)}
        return (
            row.id,
            name["name"],
            row.provincename or "",
            "" if users is None else format_decimal(users, locale=self.locale),
            changed and changed.isoformat(timespec="milliseconds"),
            changed and self.moment.apply(changed.astimezone(self.zone), self.locale),
            changed and self.ago(changed),
            is_flawed(row.provincename, city, users),
            self.edit % name,
            self.remove % name,
        )

    def ago(self, moment: datetime) -> str:
        """How long ago, as the filter of this name says it."""
        past = self.now - moment
        if past.total_seconds() < 60:
            return str(self.just_now)
        return format_timedelta(
            -past, granularity="minute", add_direction=True, threshold=1.2, locale=self.locale
        )
