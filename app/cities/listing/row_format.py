"""Formatting the rows of a list. What fifty rows have in common (time zone, pattern, translations)
is looked up once: for each value, as template filters do, it would be most of the time it takes to
draw a list."""

from datetime import datetime
from typing import Any

from babel.dates import (
    get_date_format,
    get_datetime_format,
    get_time_format,
    get_timezone,
    parse_pattern,
)
from flask_babel import get_locale
from flask_babel import gettext as _

from app.cities.queries import CityRow
from app.cities.rules import is_flawed, shown_name
from app.current import settings
from app.text import is_blank
from app.web.formatting import format_ago, format_number, format_offset, format_zone


def city_name(name: str | None) -> str:
    """The name to show; a city of the original program may have none that can be seen."""
    return str(_("City without a name")) if is_blank(name or "") else shown_name(name)


class RowFormatter:
    """Formats in the time zone of the site, because all readers share what it writes; a script
    rewrites the times (static/js/zone.js)."""

    def __init__(self) -> None:
        self.locale = get_locale() or "en"
        self.zone = get_timezone(settings().time_zone)
        time = get_time_format("medium", self.locale).pattern
        date = get_date_format("medium", self.locale).pattern
        whole = str(get_datetime_format("medium", self.locale))
        self.zones: dict[str | None, str] = {}
        self.moment = parse_pattern(whole.replace("{0}", time).replace("{1}", date))
        # Without values gettext leaves the placeholder of the name in the text.
        self.remove = _("Remove %(name)s")

    def write(self, row: CityRow) -> tuple[Any, ...]:
        """The values of a row, in the order in which the template unpacks them."""
        city, users, changed = row.cityname, row.usernumber, row.changed_at
        name = {"name": city_name(city)}
        return (
            row.id,
            name["name"],
            shown_name(row.provincename),
            "" if users is None else format_number(users),
            changed and changed.isoformat(timespec="milliseconds"),
            changed and self.write_exactly(changed),
            changed and format_ago(changed),
            is_flawed(row.provincename, city, users),
            self.remove % name,
        )

    def write_exactly(self, moment: datetime) -> str:
        """The same as `format_exactly()` for a reader in the time zone of the site."""
        local = moment.astimezone(self.zone)
        zone = local.tzname()  # another one in summer
        if zone not in self.zones:
            self.zones[zone] = (
                f"{format_offset(moment, self.zone)} ({format_zone(moment, self.zone)})"
            )
        return f"{self.moment.apply(local, self.locale)} {self.zones[zone]}"
