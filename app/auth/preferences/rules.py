"""What a person may choose, as functions on plain values."""

from collections.abc import Callable, Mapping
from typing import Any

from app.auth.preferences.zones import read_zone
from app.config import LANGUAGES
from app.database.keyset import PAGE_SIZES
from app.errors import Invalid
from app.text import N_

# For each field of Preferences how it is read, None where it cannot be, and what is then said.
READ: dict[str, Callable[[Any], Any]] = {
    "language": lambda text: text if text in LANGUAGES else None,
    "time_zone": read_zone,
    "page_size": lambda size: size if size in PAGE_SIZES else None,
}
MESSAGES = {
    "language": N_("Choose one of the languages."),
    "time_zone": N_(
        "Choose a city from the list, such as Berlin, or type a time zone, such as Europe/Berlin."
    ),
    "page_size": N_("Choose one of these numbers of rows."),
}


def check_preferences(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Changed preferences as they are stored, None for no choice; Invalid with a message for each
    wrong field."""
    stored = {name: READ[name](value) if value else None for name, value in changed.items()}
    wrong = {
        name: MESSAGES[name] for name, value in changed.items() if value and stored[name] is None
    }
    if wrong:
        raise Invalid(fields=wrong)
    return stored
