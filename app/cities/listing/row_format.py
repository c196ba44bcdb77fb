"""Formatting the rows of a list. What fifty rows have in common (time zone, pattern, translations)
is looked up once: for each value, as template filters do, it would be most of the time it takes to
draw a list."""

from typing import Any

from babel.dates import get_date_format, get_datetime_format, get_time_format, parse_pattern
from flask_babel import get_locale, get_timezone
from flask_babel import gettext as _

from app.cities.queries import CityRow
from app.cities.rules import is_flawed
from app.web.formatting import format_ago, format_number


def city_name(name: str | None) -> str:
    """The name to show; a city of the original program may have none, or only spaces."""
    return name if name and name.strip() else str(_("City without a name"))


class RowFormatter:
    def __init__(self) -> None:
        self.locale = get_locale() or "en"
        self.zone = get_timezone()
        time = get_time_format("medium", self.locale).pattern
        date = get_date_format("medium", self.locale).pattern
        whole = str(get_datetime_format("medium", self.locale))
        self.moment = parse_pattern(whole.replace("{0}", time).replace("{1}", date))
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
            format_number(users),
            changed and changed.isoformat(timespec="milliseconds"),
            changed and self.moment.apply(changed.astimezone(self.zone), self.locale),
            format_ago(changed),
            is_flawed(row.provincename, city, users),
            self.edit % name,
            self.remove % name,
        )
