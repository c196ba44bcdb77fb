"""Text: what people type, normalised and compared; and messages, translated when they are shown."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from flask_babel import format_decimal, gettext

# Categories of Unicode: controls, surrogates that stand alone, the separators of lines and
# paragraphs.
CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})
# What cannot be seen either: in the names of cities and files it has its use (emoji, Persian).
INVISIBLE = CONTROLS | {"Cf"}
# Composing makes one character of at most four. What is longer than so many times a limit is too
# long in any form and is not composed: of certain texts a megabyte would take minutes.
COMPOSED_FROM = 4
# The most characters of a number, its separators included.
NUMBER_LENGTH = 40
# Full-width digits and punctuation, and the spaces that separate thousands, as plain ASCII.
PLAIN = str.maketrans("０１２３４５６７８９，．\u00a0\u2009\u202f", "0123456789,.   ")
# Digits, or groups of three without a leading zero, perhaps followed by .0 or .00. More zeros are
# refused, because 1.000 may mean a thousand.
NUMBER = re.compile(r"([0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{0,2}(?: [0-9]{3})+)(\.00?)?")


def compose(text: str, most: int) -> str:
    """Composed as NFC, without blanks around it; what is longer than `most` in any form stays as
    it is."""
    text = text.strip()
    return text if len(text) > COMPOSED_FROM * most else unicodedata.normalize("NFC", text).strip()


def read_number(text: str) -> int | None:
    """A whole number as people and spreadsheets write it (7424000, 7,424,000, ７ ４２４ ０００,
    7424000.0), or None. A sign, a fraction and anything that could be one are refused."""
    text = text.strip()
    if len(text) > NUMBER_LENGTH:
        return None
    found = NUMBER.fullmatch(text.translate(PLAIN))
    return int(re.sub("[, ]", "", found[1])) if found else None


def excerpt(text: str) -> str:
    """The beginning of what was typed, for a message; invisible characters become spaces."""
    begin = text.strip()[: NUMBER_LENGTH + 1]
    text = "".join(c if c.isprintable() else " " for c in begin).strip()
    return text if len(text) <= NUMBER_LENGTH else f"{text[:NUMBER_LENGTH]}…"


def has_category(text: str, categories: Set[str]) -> bool:
    """Whether a character of one of these categories is in it."""
    return any(unicodedata.category(character) in categories for character in text)


def fold(text: str) -> str:
    """NFKC and casefolded, for stored keys: texts that look the same become the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


class Bytes(int):
    """A size in a message: 1 KB is 1,024 bytes, as file managers count."""

    def __str__(self) -> str:
        amount, unit = float(self), "B"
        for unit in ("B", "KB", "MB", "GB", "TB"):
            if amount < 1024 or unit == "TB":
                break
            amount /= 1024
        return f"{format_decimal(round(amount, 1 if unit != 'B' else 0))} {unit}"


@dataclass(frozen=True)
class Message:
    """An English text and its values; `str()` translates it into the language of the request.

    Of a number `%(n)s` shows the digits in groups, `%(n)d` plain digits.
    """

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(gettext(self.text, **{k: self.shown(k, v) for k, v in self.values.items()}))

    def shown(self, name: str, value: Any) -> Any:
        """A value as it is put into the text."""
        if type(value) is int and f"%({name})d" not in self.text:
            return format_decimal(value)
        return value


def N_(text: str, **values: object) -> Message:
    """A message to be translated later. `make translations` finds texts by this name."""
    return Message(text, values)


def dump_messages(messages: Iterable[Message]) -> str:
    """Messages as they are stored: without a language. Their values are texts and numbers."""
    return json.dumps([[one.text, one.values] for one in messages], ensure_ascii=False)


def load_messages(stored: str) -> str:
    """Stored messages in the reader's language. Earlier releases stored the translation."""
    if not stored.startswith("["):
        return stored
    return " ".join(str(Message(text, values)) for text, values in json.loads(stored))


def parse_integer(text: str, low: int, high: int) -> int | None:
    """A number of plain ASCII digits within bounds, or None; `int()` would also take full-width
    digits, signs, blanks and underscores."""
    if not (text.isascii() and text.isdigit()) or len(text) > 20:
        return None
    return int(text) if low <= int(text) <= high else None
