"""The form of the account page for language, time zone and rows of a page."""

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice

from app.actor import Preferences
from app.auth.preferences.zones import city_of
from app.database.keyset import PAGE_SIZE, PAGE_SIZES
from app.text import parse_integer
from app.times import ZONE_LENGTH
from app.web.forms import BaseForm

# Each language by its own name, as in the bar.
LANGUAGE_CHOICES = [
    SelectChoice("", _l("Browser default")),
    SelectChoice("en", "English"),
    SelectChoice("zh", "中文"),
]


class PreferencesForm(BaseForm):
    """What a person chooses; the service checks it. Empty is what the browser says."""

    language = SelectField(_l("Language"), choices=LANGUAGE_CHOICES, validate_choice=False)
    time_zone = StringField(
        _l("Time zone"),
        render_kw={"list": "zones", "maxlength": ZONE_LENGTH, "autocomplete": "off"},
    )
    page_size = SelectField(
        _l("Rows per page"),
        choices=[SelectChoice(str(size)) for size in PAGE_SIZES],
        validate_choice=False,
    )

    @classmethod
    def of(cls, chosen: Preferences, language: str) -> "PreferencesForm":
        """The form with a person's present choices, whatever the request has sent; the time zone
        by its city in a language."""
        size = str(chosen.page_size or PAGE_SIZE)
        zone = city_of(chosen.time_zone, language) if chosen.time_zone else None
        return cls(None, language=chosen.language or "", time_zone=zone, page_size=size)

    def values(self) -> dict[str, str | int | None]:
        """What was chosen, as fields of Preferences."""
        return {
            "language": self.language.data or None,
            "time_zone": (self.time_zone.data or "").strip() or None,
            "page_size": parse_integer(self.page_size.data or "", 0, 2**31 - 1) or -1,
        }
