"""What a city must be: rules on plain values, shared by form, import and API."""

import unicodedata
from dataclasses import dataclass

from app.cities.models import TEXT_LENGTH, USERS_MOST
from app.errors import Invalid
from app.text import CONTROLS, N_, Message, compose, excerpt, fold, read_number

# By field: province, city, number.
Faults = dict[str, Message]


@dataclass(frozen=True)
class CityFields:
    """The three values of a city, as they may be stored."""

    province: str
    city: str
    users: int


def pair_of(province: str | None, city: str | None) -> tuple[str, str]:
    """What makes two cities the same: both names by code points, composed and trimmed."""
    return clean(province), clean(city)


def fold_name(text: str | None) -> str:
    """The form under which names are searched and sorted: in any case and width, without blanks
    around it."""
    return fold(text or "").strip()


def keys(province: str | None, city: str | None) -> dict[str, str | None]:
    """What a row of the register keeps for search and sort: the keys, and of which names they are,
    so that keys of names which the original program changed are noticed."""
    return {**search_keys(province, city), "keyed_province": province, "keyed_city": city}


def search_keys(province: str | None, city: str | None) -> dict[str, str]:
    """The keys alone. A name that is missing or blank has an empty key; no key at all means that we
    have not seen the row."""
    return {
        "province_key": sort_key(province),
        "city_key": sort_key(city),
        "search_key": f"{fold_name(province)}\n{fold_name(city)}",
    }


def sort_key(name: str | None) -> str:
    """The key of one name, cut to its column."""
    return fold_name(name)[:TEXT_LENGTH]


def is_flawed(province: str | None, city: str | None, users: int | None) -> bool:
    """Whether a row breaks the rules as rows of the original program can: blank, null, negative.
    The filter of the list asks the database the same by means of the keys."""
    return not (
        province and province.strip() and city and city.strip() and users is not None and users >= 0
    )


def check_city(province: str | None, city: str | None, users: str | int | None) -> CityFields:
    """The values as they are stored, or Invalid with a sentence for each of the fields `province`,
    `city` and `number` that breaks a rule."""
    found = examine_city(province, city, users)
    if isinstance(found, CityFields):
        return found
    raise Invalid(fields={field: str(fault) for field, fault in found.items()})


def examine_city(
    province: str | None, city: str | None, users: str | int | None
) -> CityFields | Faults:
    """The values as they are stored, or what is wrong with each field, in no language yet."""
    names = {"province": clean(province), "city": clean(city)}
    blank = {
        "province": N_("Type the name of the province."),
        "city": N_("Type the name of the city."),
    }
    faults = {
        field: fault
        for field, name in names.items()
        if (fault := fault_of_name(name, blank[field])) is not None
    }
    count = clean_users(users)
    if count is None:
        faults["number"] = fault_of_users(users)
    if faults or count is None:
        return faults
    return CityFields(names["province"], names["city"], count)


def clean(text: str | None) -> str:
    """Composed as NFC, without blanks around it; what is far too long stays as it is."""
    return compose(text or "", TEXT_LENGTH)


def fault_of_name(name: str, when_blank: Message) -> Message | None:
    """What is wrong with a province's or city's name, in one sentence."""
    if len(name) > TEXT_LENGTH:
        return N_(
            "At most %(most)s characters; these are %(count)s.", most=TEXT_LENGTH, count=len(name)
        )
    kinds = {unicodedata.category(character) for character in name}
    if not kinds - {"Cf", "Zs"}:  # nothing in it can be seen
        return when_blank
    if not kinds.isdisjoint(CONTROLS):
        return N_("Line breaks and control characters cannot be in a name.")
    return None


def clean_users(users: str | int | None) -> int | None:
    """The number of users, or None when it is none."""
    count = read_number(str(users))
    return None if count is None or count > USERS_MOST else count


def fault_of_users(users: str | int | None) -> Message:
    """What is wrong with a number of users that clean_users() refuses; it shows what was read."""
    typed, most = excerpt("" if users is None else str(users)), f"{USERS_MOST:,}"
    if not typed:
        return N_("Type a whole number from 0 to %(most)s.", most=most)
    return N_("“%(typed)s” is not a whole number from 0 to %(most)s.", typed=typed, most=most)
