"""Formatting the rows of a list. A page has fifty rows, so what they have in common (language, time
zone, patterns, translations) is looked up once; the filters of other templates look it up for
every value, which would be most of the time it takes to draw a list."""

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
    """The name of a city in a sentence; a city of the original program may have none, or only
    spaces."""
    return name if name and name.strip() else str(_("City without a name"))


class RowFormatter:
    """Formats rows in the reader's language."""

    def __init__(self) -> None:
        self.locale = get_locale() or "en"
        self.zone = get_timezone()
        self.now = datetime.now(UTC)
        time = get_time_format("medium", self.locale).pattern
        date = get_date_format("medium", self.locale).pattern
        whole = str(get_datetime_format("medium", self.locale))
        self.moment = parse_pattern(whole.replace("{0}", time).replace("{1}", date))
        self.just_now = _("just now")
        # Without values gettext leaves the placeholder of the name in the text.
        self.edit, self.remove = _("Edit %(name)s"), _("Remove %(name)s")

    def write(self, row: CityRow) -> tuple[Any, ...]:
        """The values of a row, in the order in which the template unpacks them."""
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
        """How long ago, as the template filter `ago` says it."""
        past = self.now - moment
        if past.total_seconds() < 60:
            return str(self.just_now)
        return format_timedelta(
            -past, granularity="minute", add_direction=True, threshold=1.2, locale=self.locale
        )
