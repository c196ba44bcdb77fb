"""Text: normalising and parsing input, and messages that are translated when they are shown."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from flask_babel import format_decimal, gettext

# Unicode categories: controls, lone surrogates, line and paragraph separators.
CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})
# They change the direction of the text around them, so that "gpj.exe" could read "exe.jpg".
BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
WITHOUT_BIDI = dict.fromkeys(map(ord, BIDI_CONTROLS))
# Invisible characters: Unicode's Default_Ignorable_Code_Point, annotation characters, empty Braille
# and musical notes; as parts of a regular expression's class.
UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
IS_UNSEEN = re.compile(rf"[\s{UNSEEN}]")
# Control characters are refused where people type, but rows of the original program have them.
DROPPED_FROM_KEYS = re.compile(rf"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f{UNSEEN}]+")
# A visible character and the invisible ones that belong to it: the colour of an emoji, the
# region of a flag, the variant of a Chinese or Mongolian character.
WITH_UNSEEN = re.compile(
    "[^\\w\\s][\ufe0e\ufe0f]|\U0001f3f4[\U000e0020-\U000e007f]+|[\u1800-\u18aa][\u180b-\u180d\u180f]"
    "|[\u3400-\u9fff\U00020000-\U0003ffff][\ufe00-\ufe02\U000e0100-\U000e01ef]"
)
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


def read_line(text: str | None, most: int, least: int = 1) -> str | None:
    """One line of visible characters, stripped and composed; None if it is invalid. Empty text is
    invalid too, unless `least` is 0: then it is ""."""
    text = compose(text or "", most)
    return text if least <= len(text) <= most and not has_invisible(text) else None


def read_number(text: str) -> int | None:
    """Parse a whole number as people and spreadsheets write it (7424000, 7,424,000,
    ７ ４２４ ０００, 7424000.0). None if it has a sign, or is or could be a fraction."""
    text = text.strip()
    if len(text) <= 4 * NUMBER_LENGTH:
        text = trim(text)
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


def has_invisible(text: str) -> bool:
    """True if the text has a control, format or other invisible character. Names of cities and
    files may need some (emoji, Persian), names of people must not look like another's."""
    return has_category(text, CONTROLS | {"Cf"}) or re.search(f"[{UNSEEN}]", text) is not None


def trim(text: str) -> str:
    """Text without spaces and invisible characters at its ends."""
    begin, end = 0, len(text)
    while end and IS_UNSEEN.match(text, end - 1):
        end -= 1
    while begin < end and IS_UNSEEN.match(text, begin):
        begin += 1
    attached = WITH_UNSEEN.match(text, end - 1) if end else None
    return text[begin : attached.end() if attached else end]


def is_blank(text: str) -> bool:
    """True if no character is visible."""
    return not same_key(text)


def without_bidi(text: str) -> str:
    """Text as it is shown, without characters that would change the direction of others."""
    return text.translate(WITHOUT_BIDI)


def same_key(text: str) -> str:
    """A key that is equal for texts that look the same: NFKC, without invisible characters, and
    with single spaces inside only. No character of it is below a space, so that databases which pad
    texts with spaces to compare them order it as the others do."""
    if text.isascii() and text.isprintable():  # has none of these, which is seen fast
        return " ".join(text.split())
    text = unicodedata.normalize("NFKC", text)
    text = unicodedata.normalize("NFKC", DROPPED_FROM_KEYS.sub("", text))
    return " ".join(text.split())


def search_key(text: str) -> str:
    """A `same_key()` in which also case and accents of Latin letters make no difference, and
    radicals are the characters that they look like."""
    text = same_key(text)
    if not text.isascii():
        text = text.translate(RADICALS)
    text = text.casefold()
    if text.isascii():
        return text
    text = unicodedata.normalize("NFD", text).translate(LATIN)
    return same_key(LATIN_MARKS.sub("", text))


def plain_letters() -> Iterator[tuple[str, str]]:
    """Small Latin letters with a stroke, hook or the like, which Unicode does not decompose, each
    with the letter below it."""
    for letter in map(chr, chain.from_iterable(range(ord(a), ord(z) + 1) for a, z in LATIN_BLOCKS)):
        found = re.fullmatch("LATIN SMALL LETTER ([A-Z]) WITH .*", unicodedata.name(letter, ""))
        if found and unicodedata.normalize("NFD", letter) == letter:
            yield letter, found[1].lower()


LATIN_BLOCKS = (("ß", "ʯ"), ("ᴀ", "ᶿ"), ("Ḁ", "ỿ"), ("Ⱡ", "Ɀ"), ("Ꜣ", "ꟿ"), ("ꬰ", "꭯"))
LATIN = str.maketrans({
    **dict(plain_letters()),
    "ı": "i", "ȷ": "j", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th",
})  # fmt: skip
LATIN_MARKS = re.compile(
    f"(?<=[a-z{''.join(f'{a}-{z}' for a, z in LATIN_BLOCKS)}])"
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
# Radicals that look like a character, as they come out of PDF files. NFKC knows the other block,
# U+2F00, and two of this one.
RADICALS = str.maketrans(
    "⺊⺌⺍⺏⺒⺓⺜⺝⺠⺧⺩⺬⺮⺶⻁⻄⻅⻆⻉⻋⻑⻒⻓⻔⻗⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲",
    "卜小小尣巳幺日月民牛王示竹羊虎西见角贝车長镸长门雨青韦页风飞食马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀",
)


def fold(text: str) -> str:
    """Case-fold and normalise to NFKC, for names of people."""
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
    number is grouped in `%(n)s` (1,000) and plain in `%(n)d` (1000); a list is joined."""

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(gettext(self.text, **{k: self.shown(k, v) for k, v in self.values.items()}))

    def __mod__(self, values: Mapping[str, Any]) -> str:
        """The translation with more values, for the validators of WTForms."""
        named = {name: value for name, value in values.items() if f"%({name})" in self.text}
        return str(Message(self.text, {**named, **self.values}))

    def shown(self, name: str, value: Any) -> Any:
        """Format a value for the text."""
        if type(value) is int and f"%({name})d" not in self.text:
            return format_decimal(value)
        return join_names(value) if isinstance(value, list) else value


def N_(text: str, **values: object) -> Message:
    """A message that is translated later; `make translations` finds texts by this name."""
    return Message(text, values)


def dump_messages(messages: Iterable[Message]) -> str:
    """Serialise messages untranslated; their values are text, numbers, sizes, and messages of
    text."""
    plain = [[one.text, dump_values(one.values)] for one in messages]
    return json.dumps(plain, ensure_ascii=False)


def dump_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dump_value(value) for name, value in values.items()}


def dump_value(value: Any) -> Any:
    """As JSON, in which a size is told from a number."""
    if isinstance(value, Message):
        return {"text": value.text, "values": dump_values(value.values)}
    return {"bytes": int(value)} if isinstance(value, Bytes) else value


def load_messages(stored: str) -> str:
    """Translate serialised messages. Earlier releases stored the translation itself."""
    if not stored.startswith("["):
        return stored
    return join_sentences(Message(text, load_values(values)) for text, values in json.loads(stored))


def load_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a serialised message, of which some are sizes or messages themselves."""
    return {k: load_value(v) if isinstance(v, dict) else v for k, v in values.items()}


def load_value(value: Mapping[str, Any]) -> Bytes | Message:
    if "bytes" in value:
        return Bytes(value["bytes"])
    return Message(value["text"], load_values(value["values"]))


def join_names(names: Iterable[object]) -> str:
    """A list within a sentence, with the comma of its language."""
    return str(gettext(", ")).join(map(str, names))


def join_sentences(sentences: Iterable[object]) -> str:
    """One text of several sentences, with a space between them unless they are Chinese."""
    return " ".join(map(str, sentences)).replace("。 ", "。")


def parse_integer(text: str, low: int, high: int) -> int | None:
    """Parse ASCII digits as a number within bounds, or return None. `int()` would also accept
    full-width digits, signs, spaces and underscores."""
    if not (text.isascii() and text.isdigit()) or len(text) > 20:
        return None
    return int(text) if low <= int(text) <= high else None


def read_count(text: str | None, most: int = 2**63 - 1) -> int:
    """A count of Redis or a form; 0 if there is none, or if it is not a number within bounds."""
    return parse_integer(text or "", 0, most) or 0
