"""Names of files as clients send them, or as they are on a disk, decoded by evidence.

A name that is not UTF-8 says little about its encoding, all names of a form or a folder together
say more: they are GB18030 or Big5, whichever makes more of their characters common ones.
"""

import re
from collections.abc import Callable, Sequence
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from app.encodings import AMID_LETTERS, level_in_big5, level_in_gb2312

LEVELS: dict[str, Callable[[str], int | None]] = {
    "gb18030": level_in_gb2312,
    "big5hkscs": level_in_big5,
}
FREQUENT = (0, 1)  # levels: punctuation, and characters of every day
ENCODED_WORDS = re.compile(r"(?:=\?[^?\s]+\?[bqBQ]\?[^?\s]*\?=\s*)+")
ESCAPED = re.compile(r'\\(["\\])')


def decode_names(names: Sequence[bytes]) -> list[str | None]:
    """The names as text; None for one that is not text in any of the encodings."""
    others = [name for name in names if decode(name, "utf-8") is None]
    shares = {codec: share_of_frequent(others, codec) for codec in LEVELS}
    codecs = sorted(LEVELS, key=lambda codec: shares[codec], reverse=True)
    if not any(shares.values()):  # of other names, or there are none
        return [decode_name(name, codecs, is_western=True) for name in names]
    # Two bytes may happen to be a letter in UTF-8.
    short = {name for name in names if share_of_frequent([name], codecs[0]) == 1}
    return [
        decode_name(name, codecs, prefer_utf_8=not (name in short and is_short_utf_8(name)))
        for name in names
    ]


def decode_name(
    name: bytes, codecs: Sequence[str], is_western: bool = False, prefer_utf_8: bool = True
) -> str | None:
    """One name, in the first of the encodings that it is text in."""
    text = decode(name, "utf-8") if prefer_utf_8 else None
    if text is None:
        texts = [decode(name, codec) for codec in codecs]
        text = next((text for text in texts if text is not None), None)
        if text is None or (is_western and AMID_LETTERS.search(text)):
            return None
    return text


def is_short_utf_8(name: bytes) -> bool:
    """True if its characters that are not ASCII have two bytes in UTF-8, as no Chinese one has."""
    text = decode(name, "utf-8")
    return text is not None and all(character < "\u0800" for character in text)


def decode(name: bytes, codec: str) -> str | None:
    try:
        return name.decode(codec)
    except UnicodeDecodeError:
        return None


def share_of_frequent(names: Sequence[bytes], codec: str) -> float:
    """How many of the characters that are not ASCII are frequent ones. Names that are not text in
    this encoding have none."""
    frequent = total = 0
    for name in names:
        text = decode(name, codec)
        if text is None:
            total += max(1, sum(byte > 0x7F for byte in name) // 2)
            continue
        levels = [LEVELS[codec](character) for character in text if not character.isascii()]
        total += len(levels)
        frequent += sum(level in FREQUENT for level in levels)
    return frequent / total if total else 0


def decode_sent_names(names: Sequence[bytes]) -> list[str | None]:
    """The names in the headers of a form as text."""
    return [None if text is None else unescape(text) for text in decode_names(names)]


def unescape(text: str) -> str:
    """A name as it was before the client wrote it into a header: browsers write %22 for a quotation
    mark, curl and others put a backslash before it, and some programs encode the whole name as in
    a mail (RFC 2047). Other backslashes are those of a path."""
    if ENCODED_WORDS.fullmatch(text):
        try:
            return str(make_header(decode_header(text)))
        except (HeaderParseError, LookupError, ValueError):
            return text
    return ESCAPED.sub(r"\1", text).replace("%22", '"')
