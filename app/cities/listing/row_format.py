"""Formatting the rows of a list. What fifty rows have in common (time zone, language, translations)
is looked up once: for each value, as template filters do, it would be most of the time it takes to
draw a list."""

from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from babel import Locale
from babel.dates import get_timezone
from flask_babel import get_locale
from flask_babel import gettext as _

from app.cities.queries import CityRow
from app.cities.rules import is_flawed, shown_name
from app.current import settings
from app.text import is_blank
from app.web.formatting import texts_of


def city_name(name: str | None) -> str:
    """The name to show; a city of the original program may have none that can be seen."""
    return str(_("City without a name")) if is_blank(name or "") else shown_name(name)


class RowFormatter:
    """Formats in the time zone of the site, because all readers share what it writes; a script
    rewrites the times (static/js/zone.js)."""

    def __init__(self) -> None:
        self.texts = texts_of(get_locale() or Locale("en"))
        self.zone = get_timezone(settings().time_zone)
        # Without values gettext leaves the placeholder of the name in the text.
        self.remove = _("Remove %(name)s")
        self.query = cache(lambda province: urlencode({"province": province}))

    def write(self, row: CityRow) -> tuple[Any, ...]:
        """The values of a row, in the order in which the template unpacks them."""
        city, users, changed = row.cityname, row.usernumber, row.changed_at
        name, province = {"name": city_name(city)}, shown_name(row.provincename)
        return (
            row.id,
            name["name"],
            province,
            self.query(province),
            "" if users is None else self.texts.number(users),
            changed and changed.isoformat(timespec="milliseconds"),
            changed and self.write_exactly(changed),
            changed and self.texts.ago(changed),
            is_flawed(row.provincename, city, users),
            self.remove % name,
        )

    def write_exactly(self, moment: datetime) -> str:
        """The same as `format_exactly()` for a reader in the time zone of the site."""
        return self.texts.exactly(moment.astimezone(self.zone))
