"""The words of a search as conditions. `search_key` has the province, a line feed, and the city."""

import re

from sqlalchemy import ColumnElement, and_, or_

from app.cities.models import City
from app.text import search_key

WORDS_MOST = 10
# The lengths of a word that may be two, of province and city, without a space between them.
JOINED_FROM, JOINED_MOST = 3, 40


def has_words(search: str) -> list[ColumnElement[bool]]:
    """A condition for each word of a search: all must occur."""
    words = dict.fromkeys(search_key(search).split())
    return [has_word(word) for word in list(words)[:WORDS_MOST]]


def has_word(word: str) -> ColumnElement[bool]:
    """Rows with a word in one of their names, or with its beginning in that of the province and
    the rest in that of the city: Chinese is written without spaces."""
    anywhere = is_like(f"%{escape(word)}%")
    if not JOINED_FROM <= len(word) <= JOINED_MOST:
        return anywhere
    # Its characters in their order: most rows do not have them, and are compared once only.
    in_order = is_like("%".join(["", *map(escape, word), ""]))
    joined = (is_like(f"{part_of(word[:at])}\n{part_of(word[at:])}") for at in range(1, len(word)))
    return and_(in_order, or_(anywhere, *joined))


def part_of(text: str) -> str:
    """The pattern of a name with this text. A single character must be the whole name: otherwise
    西安 would also find each city with 安 in a province with 西."""
    return f"%{escape(text)}%" if len(text) > 1 else escape(text)


def is_like(pattern: str) -> ColumnElement[bool]:
    return City.search_key.like(pattern, escape="/")


def escape(text: str) -> str:
    """Text for a pattern: % and _ are letters."""
    return re.sub("[/%_]", r"/\g<0>", text)
