"""Names of files as clients send them, or as they are on a disk, decoded by evidence.

A name that is not UTF-8 is in the encoding that makes most of its characters common ones: GB18030
or Big5. If it makes sense in both, the other names of the form or folder decide. Without evidence
it is not decoded: it could be in any encoding.
"""

import re
from collections.abc import Callable, Sequence
from email.errors import HeaderParseError
from email.header import decode_header
from typing import NamedTuple

from app.encodings import AMID_LETTERS, decode_text, level_in_big5, level_in_gb2312

LEVELS: dict[str, Callable[[str], int | None]] = {
    "gb18030": level_in_gb2312,
    "big5hkscs": level_in_big5,
}
LABELS = {"gb18030": "GB18030", "big5hkscs": "Big5"}
FREQUENT = (0, 1)  # levels: punctuation, and characters of every day
LEAST_SHARE = 0.5  # of frequent characters
LATIN = re.compile("[A-Za-z][\xc0-\u024f]|[\xc0-\u024f][A-Za-z]")
ENCODED_WORDS = re.compile(r"(?:=\?[^?\s]+\?[bqBQ]\?[^?\s]*\?=\s*)+")
ESCAPED = re.compile(r'\\(["\\])')

Shares = dict[str, float]  # of frequent characters, in each encoding


class DecodedName(NamedTuple):
    """A name as text, and the encoding if it was guessed."""

    text: str
    guessed: str = ""


def decode_names(names: Sequence[bytes]) -> list[DecodedName | None]:
    """The names as text; None for one whose encoding is unknown."""
    utf_8 = [decode(name, "utf-8") for name in names]
    shares = [{codec: share_of_frequent(name, codec) for codec in LEVELS} for name in names]
    others = [each for each, text in zip(shares, utf_8, strict=True) if text is None]
    common, some = common_codec(others), any(map(best_codecs, others))
    return [
        decode_name(name, each, common)
        if text is None or (some and max(each.values()) == 1 and is_doubtful(text))
        else DecodedName(text)
        for name, text, each in zip(names, utf_8, shares, strict=True)
    ]


def common_codec(shares: Sequence[Shares]) -> str | None:
    """The encoding of names that make sense in both: the one that is certain for another, or the
    more likely one if there are none; None if each is certain for another, or none is likely."""
    certain = {codec for each in shares for codec in LEVELS
               if each[codec] == 1 and best_codecs(each) == [codec]}  # fmt: skip
    if len(certain) == 1:
        return certain.pop()
    totals = {codec: sum(each[codec] for each in shares) for codec in LEVELS}
    return max(LEVELS, key=totals.__getitem__) if not certain and any(totals.values()) else None


def best_codecs(shares: Shares) -> list[str]:
    """The encodings that make most characters of a name frequent ones, and at least half."""
    most = max(shares.values())
    return [codec for codec, share in shares.items() if share == most >= LEAST_SHARE]


def decode_name(name: bytes, shares: Shares, common: str | None) -> DecodedName | None:
    best = best_codecs(shares)
    codec = best[0] if len(best) == 1 else common
    return DecodedName(name.decode(codec), LABELS[codec]) if codec in best else None


def is_doubtful(text: str) -> bool:
    """True if a name may be UTF-8 by chance: its characters that are not ASCII have two bytes each,
    as no Chinese one has, and are not Latin letters within a word."""
    return all(character < "\u0800" for character in text) and not LATIN.search(text)


def decode(name: bytes, codec: str) -> str | None:
    try:
        return name.decode(codec)
    except UnicodeDecodeError:
        return None


def share_of_frequent(name: bytes, codec: str) -> float:
    """How many of the characters that are not ASCII are frequent ones; 0 if the name is not text in
    this encoding, or rather words with accents."""
    text = decode(name, codec) or ""
    others = [character for character in text if not character.isascii()]
    if not others or any(is_two_letters(c.encode(codec)) for c in AMID_LETTERS.findall(text)):
        return 0
    return sum(frequency(character, codec) for character in others) / len(others)


def frequency(character: str, codec: str) -> float:
    """1 for a frequent character; a half for one that is frequent in the other encoding only, or
    rare there. What GB18030 has of Big5 are the traditional characters."""
    gb, big5 = level_in_gb2312(character), level_in_big5(character)
    if codec == "gb18030":
        return 1 if gb in FREQUENT else 0.5 if big5 in FREQUENT else 0
    return 0 if big5 not in FREQUENT else 0.5 if gb == 2 else 1


def is_two_letters(character: bytes) -> bool:
    """True if its bytes are, in Latin-1, a letter with an accent and one of ASCII."""
    return character[0] >= 0xC0 and character[1] < 0x80


def decode_sent_names(names: Sequence[bytes]) -> list[DecodedName | None]:
    """The names in the headers of a form as text."""
    return [name and unescape(name) for name in decode_names(names)]


def unescape(name: DecodedName) -> DecodedName | None:
    """A name as it was before the client wrote it into a header: browsers write %22 for a quotation
    mark, curl and others put a backslash before it, and some programs encode the whole name as in
    a mail (RFC 2047), None if in an unknown encoding. Other backslashes are those of a path."""
    if ENCODED_WORDS.fullmatch(name.text):
        try:
            words = decode_header(name.text)
            return DecodedName("".join(decode_text(data, str(charset)) for data, charset in words))
        except (HeaderParseError, LookupError, ValueError):
            return None
    return name._replace(text=ESCAPED.sub(r"\1", name.text).replace("%22", '"'))
