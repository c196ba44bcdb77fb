"""The words of a search as conditions. `key` has the province, a line feed, and the city, as the
column `search_key` does."""

from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_

from app.cities.models import City
from app.database.dialects import OnMariaDb, escape, has_text, is_like
from app.text import search_key

WORDS_MOST = 10
# The lengths of a word that may be two, of province and city, without a space between them.
JOINED_FROM, JOINED_MOST = 3, 40


# MariaDB reads the two keys from their index in half the time that the rows take, which saves
# SQLite nothing. They are cut to 255 characters: of a name that becomes longer when it is folded,
# MariaDB does not find the end.
NAMES = OnMariaDb(func.concat(City.province_key, "\n", City.city_key), City.search_key)


def has_words(search: str, key: Any = NAMES) -> list[ColumnElement[bool]]:
    """A condition for each word of a search: all must occur."""
    words = dict.fromkeys(search_key(search).split())
    return [has_word(word, key) for word in list(words)[:WORDS_MOST]]


def has_word(word: str, key: Any) -> ColumnElement[bool]:
    """Rows with a word in one of their names, or with its beginning in one and its rest in the
    other: Chinese is written without spaces."""
    anywhere = has_text(key, word)
    if not JOINED_FROM <= len(word) <= JOINED_MOST:
        return anywhere
    halves = [(word[:at], word[at:]) for at in range(1, len(word))]
    # First what most rows do not have, so that they are compared with nothing else: the first
    # character; then for either order all characters, or the last in the province and the first in
    # the city.
    begins = is_like(key, f"%{escape(word[0])}%")
    in_order = is_like(key, "%".join(["", *map(escape, word), ""]))
    swapped = is_like(key, f"%{escape(word[-1])}%\n%{escape(word[0])}%")
    return and_(
        begins,
        or_(
            and_(in_order, or_(anywhere, *(has_parts(key, first, rest) for first, rest in halves))),
            and_(swapped, or_(*(has_parts(key, rest, first) for first, rest in halves))),
        ),
    )


def has_parts(key: Any, province: str, city: str) -> ColumnElement[bool]:
    """Rows with one text in the name of the province and the other in that of the city."""
    return is_like(key, f"{part_of(province)}\n{part_of(city)}")


def part_of(text: str) -> str:
    """The pattern of a name with this text. A single character must be the whole name: otherwise
    西安 would also find each city with 安 in a province with 西."""
    return f"%{escape(text)}%" if len(text) > 1 else escape(text)
