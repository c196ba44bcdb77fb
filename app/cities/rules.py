"""What a city must be: rules on plain values, shared by form, import and API."""

import unicodedata
from dataclasses import dataclass

from flask_babel import gettext as _

from app import columns
from app.cities.models import TEXT_LENGTH, USERS_MOST
from app.errors import Invalid
from app.web import whole_number

# Controls, surrogates that stand alone, and the separators of lines and paragraphs.
FORBIDDEN_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")
# Composing makes one character of at most four. What is longer is too long in any form and is not
# composed: a megabyte of certain characters would take seconds.
COMPOSED_MOST = 4 * TEXT_LENGTH


@dataclass(frozen=True)
class CityFields:
    """The three values of a city, as they may be stored."""

    province: str
    city: str
    users: int


def fold(text: str | None) -> str:
    """The form under which names are searched and sorted: in any case and width, without blanks
    around it."""
    return columns.fold(text or "").strip()


def keys(province: str | None, city: str | None) -> dict[str, str]:
    """The stored keys of a city; the sort keys are cut to their column. A name that is missing or
    blank has an empty key; no key at all means that we have not seen the row."""
    return {
        "province_key": fold(province)[:TEXT_LENGTH],
        "city_key": fold(city)[:TEXT_LENGTH],
        "search_key": f"{fold(province)}\n{fold(city)}",
    }


def is_flawed(province: str | None, city: str | None, users: int | None) -> bool:
    """Whether a row breaks the rules as rows of the original program can: blank, null, negative.
    The filter of the list asks the database the same by means of the keys."""
    return not (
        province and province.strip() and city and city.strip() and users is not None and users >= 0
    )


def check_city(province: str | None, city: str | None, users: str | int | None) -> CityFields:
    """The values as they are stored, or Invalid with a sentence for each of the fields `province`,
    `city` and `number` that breaks a rule."""
    wrong: dict[str, str] = {}
    names = {"province": clean(province), "city": clean(city)}
    blank = {
        "province": _("Type the name of the province."),
        "city": _("Type the name of the city."),
    }
    for field, name in names.items():
        if message := fault_of_name(name, blank[field]):
            wrong[field] = message
    count = clean_users(users)
    if count is None:
        wrong["number"] = _(
            "Type a whole number from 0 to %(most)s, in digits only.", most=f"{USERS_MOST:,}"
        )
    if wrong or count is None:
        raise Invalid(fields=wrong)
    return CityFields(names["province"], names["city"], count)


def clean(text: str | None) -> str:
    """Composed as NFC, without blanks around it; what is far too long stays as it is."""
    text = (text or "").strip()
    return text if len(text) > COMPOSED_MOST else unicodedata.normalize("NFC", text)


def fault_of_name(name: str, when_blank: str) -> str | None:
    """What is wrong with a province's or city's name, in one sentence."""
    if len(name) > TEXT_LENGTH:
        text = _(
            "At most %(most)s characters; these are %(count)s.", most=TEXT_LENGTH, count=len(name)
        )
        return str(text)
    kinds = {unicodedata.category(character) for character in name}
    if not kinds - {"Cf", "Zs"}:  # nothing in it can be seen
        return when_blank
    if not kinds.isdisjoint(FORBIDDEN_CATEGORIES):
        return str(_("Line breaks and control characters cannot be in a name."))
    return None


def clean_users(users: str | int | None) -> int | None:
    """The number of users, or None when it is none."""
    return whole_number(str(users).strip(), 0, USERS_MOST)
