"""What a list of the register shows: its filters and its order."""

import re
from dataclasses import dataclass
from typing import ClassVar

from app.cities.models import USERS_MOST, City
from app.database.cursor import BY_ID, Sort, Value, read_moment, read_text
from app.database.keyset import Listing

SEARCH_LENGTH = 200


def read_users(text: str) -> Value:
    """A number of users in a cursor; rows of the original program may have a negative one."""
    if not re.fullmatch(r"-?[0-9]{1,10}", text) or abs(int(text)) > USERS_MOST + 1:
        raise ValueError(text)
    return int(text)


@dataclass(frozen=True)
class CityListing(Listing):
    """Filters and order. Nothing set is the whole register, newest first."""

    SORTS: ClassVar = {
        "id": BY_ID,
        "city": Sort(read_text, column=City.city_key),
        "province": Sort(read_text, column=City.province_key),
        "users": Sort(read_users, True, column=City.usernumber),
        "changed": Sort(read_moment, True, column=City.changed_at),
    }

    sort: str = "id"
    descending: bool = True
    search: str = ""
    province: str = ""
    flawed: bool = False
    no_province: bool = False
