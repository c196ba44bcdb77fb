"""What a city must be: shared by pages, forms, imports and API."""

import hashlib
from collections.abc import Mapping
from typing import Any

from app.cities.fields import FIELDS, Input, Values, columns_of
from app.cities.models import TEXT_LENGTH
from app.errors import Invalid
from app.text import COMPOSED_FROM, Message, is_blank, same_key, search_key, trim, without_bidi

# What is wrong with each field, by its name.
FieldErrors = dict[str, Message]
Pair = tuple[str, str]


def check_city(given: Input) -> Values:
    """The values to store, of all fields; Invalid names each field that breaks a rule."""
    values, faults = examine_city(
        {field.name: field.write(given.get(field.name)) for field in FIELDS}
    )
    if faults:
        raise Invalid(fields=faults)
    return values


def examine_city(texts: Mapping[str, str]) -> tuple[Values, FieldErrors]:
    """The values of the texts that are given, and what is wrong with the others."""
    values: Values = {}
    faults: FieldErrors = {}
    for field in FIELDS:
        if field.name in texts:
            found = field.read(texts[field.name])
            if isinstance(found, Message):
                faults[field.name] = found
            else:
                values[field.name] = found
    return values, faults


def names_of(values: Values) -> Pair:
    """Province and city of checked values."""
    return str(values["province"]), str(values["city"])


def pair_of(province: str | None, city: str | None) -> Pair:
    """What makes two cities the same: both names by what is seen of them. Case and accents
    count."""
    return same_name(province), same_name(city)


def same_name(name: str | None) -> str:
    """The `same_key()` of a name; one that is far too long stays as it is."""
    name = name or ""
    return name if len(name) > COMPOSED_FROM * TEXT_LENGTH else same_key(name)


def shown_name(name: str | None) -> str:
    """A name as pages show it: rows of the original program may have invisible characters, some of
    which would turn the direction of the text around it."""
    return trim(without_bidi(name or ""))


def row_of(values: Values) -> dict[str, Any]:
    """The columns of a city with these values: the values, and the keys of the names."""
    columns = columns_of(values)
    return columns | keys(columns["provincename"], columns["cityname"])


def keys(province: str | None, city: str | None) -> dict[str, str | None]:
    """The keys for search and sort, and the names they are of: so a change by the original program
    is noticed."""
    return {**search_keys(province, city), "keyed_province": province, "keyed_city": city}


def search_keys(province: str | None, city: str | None) -> dict[str, str]:
    """The keys alone. A missing or empty name has an empty key; NULL means that the row has no
    keys yet."""
    first, second = search_key(province or ""), search_key(city or "")
    return {
        "province_key": cut(first),
        "city_key": cut(second),
        "search_key": f"{first}\n{second}",
        "province_same": province_same(province),
    }


def province_same(name: str | None) -> str:
    """By which cities are of the same province. A longer one than its column (compatibility
    characters may become many) ends with its digest, so that it still differs from others."""
    key = same_name(name)
    if len(key) <= TEXT_LENGTH:
        return key
    digest = hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
    return key[: TEXT_LENGTH - len(digest)] + digest


def sort_key(name: str | None) -> str:
    """The key of one name, cut to its column."""
    return cut(search_key(name or ""))


def cut(key: str) -> str:
    return key[:TEXT_LENGTH].rstrip()


def is_flawed(province: str | None, city: str | None, users: int | None) -> bool:
    """True if a row breaks the rules as rows of the original program can: an empty name, a missing
    or negative number. listing.queries.flawed_rows() asks the database the same."""
    return is_blank(province or "") or is_blank(city or "") or users is None or users < 0
