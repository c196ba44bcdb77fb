"""Text: normalising and parsing input, and messages that are translated when they are shown."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass, field
from typing import Any

from flask_babel import format_decimal, gettext

# Unicode categories: controls, lone surrogates, line and paragraph separators.
CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Format characters are invisible too, but needed in names of cities and files (emoji, Persian).
INVISIBLE = CONTROLS | {"Cf"}
# NFC composes at most four characters into one. Text of more than four times a limit is too long
# in any form and is not normalised, because some texts of a megabyte would take minutes.
COMPOSED_FROM = 4
# The most characters of a number, including separators.
NUMBER_LENGTH = 40
# Full-width digits and punctuation and the spaces between thousands, to plain ASCII.
SPACES = "\u00a0\u2007\u2009\u202f\u3000"
PLAIN = str.maketrans("０１２３４５６７８９，．" + SPACES, "0123456789,." + " " * len(SPACES))
# Digits, or groups of three without a leading zero, optionally followed by .0 or .00. More zeros
# are refused, because 1.000 may mean a thousand.
NUMBER = re.compile(r"([0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{0,2}(?: [0-9]{3})+)(\.00?)?")


def compose(text: str, most: int) -> str:
    """Strip text and normalise it to NFC, unless it is longer than `most` in any form."""
    text = text.strip()
    return text if len(text) > COMPOSED_FROM * most else unicodedata.normalize("NFC", text).strip()


def read_number(text: str) -> int | None:
    """Parse a whole number as people and spreadsheets write it (7424000, 7,424,000,
    ７ ４２４ ０００, 7424000.0). None if it has a sign, or is or could be a fraction."""
    text = text.strip()
    if len(text) > NUMBER_LENGTH:
        return None
    found = NUMBER.fullmatch(text.translate(PLAIN))
    return int(re.sub("[, ]", "", found[1])) if found else None


def excerpt(text: str) -> str:
    """The start of an input, for a message; invisible characters become spaces."""
    begin = text.strip()[: NUMBER_LENGTH + 1]
    text = "".join(c if c.isprintable() else " " for c in begin).strip()
    return text if len(text) <= NUMBER_LENGTH else f"{text[:NUMBER_LENGTH]}…"


def has_category(text: str, categories: Set[str]) -> bool:
    """True if a character of the text is in one of these Unicode categories."""
    return any(unicodedata.category(character) in categories for character in text)


def fold(text: str) -> str:
    """Case-fold and normalise to NFKC, for search keys: texts that look the same become equal."""
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
    """An English text and its values; `str()` translates it into the language of the request. A
    number is grouped in `%(n)s` (1,000) and plain in `%(n)d` (1000)."""

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(gettext(self.text, **{k: self.shown(k, v) for k, v in self.values.items()}))

    def shown(self, name: str, value: Any) -> Any:
        """Format a value for the text."""
        if type(value) is int and f"%({name})d" not in self.text:
            return format_decimal(value)
        return value


def N_(text: str, **values: object) -> Message:
    """A message that is translated later; `make translations` finds texts by this name."""
    return Message(text, values)


def dump_messages(messages: Iterable[Message]) -> str:
    """Serialise messages untranslated; their values are text, numbers, and messages of text."""
    plain = [[one.text, one.values] for one in messages]
    return json.dumps(plain, ensure_ascii=False, default=asdict)


def load_messages(stored: str) -> str:
    """Translate serialised messages. Earlier releases stored the translation itself."""
    if not stored.startswith("["):
        return stored
    return join_sentences(Message(text, load_values(values)) for text, values in json.loads(stored))


def load_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a serialised message, of which some are messages themselves."""
    return {k: Message(**v) if isinstance(v, dict) else v for k, v in values.items()}


def join_sentences(sentences: Iterable[object]) -> str:
    """One text of several sentences, with a space between them unless they are Chinese."""
    return " ".join(map(str, sentences)).replace("。 ", "。")


def parse_integer(text: str, low: int, high: int) -> int | None:
    """Parse ASCII digits as a number within bounds, or return None. `int()` would also accept
    full-width digits, signs, spaces and underscores."""
    if not (text.isascii() and text.isdigit()) or len(text) > 20:
        return None
    return int(text) if low <= int(text) <= high else None
