"""Encodings of text files, and which one a file may be in, as functions on its bytes."""

import codecs
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from typing import IO, NamedTuple

from app.concurrency import yield_to_hub
from app.encodings import AMID_LETTERS, first_byte, level_in_big5, level_in_gb2312

PIECE = 1 << 16


class Encoding(NamedTuple):
    """An encoding by the name that people know, and by that of its codec."""

    name: str
    codec: str


UTF_8 = Encoding("UTF-8", "utf-8")
GB18030 = Encoding("GB18030", "gb18030")
BIG5 = Encoding("Big5", "big5hkscs")
EUC_KR = Encoding("EUC-KR", "cp949")
# Korean syllables have the bytes of frequent Chinese characters. A few of those may all be among
# them, more are seldom.
SYLLABLES = 5
UTF_16 = (Encoding("UTF-16", "utf-16-le"), Encoding("UTF-16", "utf-16-be"))
# UTF-32 before UTF-16, because FF FE begins both.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, Encoding("UTF-32", "utf-32-le")),
    (codecs.BOM_UTF32_BE, Encoding("UTF-32", "utf-32-be")),
    (codecs.BOM_UTF16_LE, UTF_16[0]),
    (codecs.BOM_UTF16_BE, UTF_16[1]),
    (b"\x84\x31\x95\x33", GB18030),
)


def pieces(file: IO[bytes], encoding: Encoding) -> Iterator[str]:
    """The text of a file piece by piece, from its beginning; other requests run in between."""
    decoder = codecs.getincrementaldecoder(encoding.codec)()
    file.seek(0)
    for piece in iter(partial(file.read, PIECE), b""):
        yield decoder.decode(piece)
        yield_to_hub()
    yield decoder.decode(b"", final=True)


def is_common_text(file: IO[bytes], encoding: Encoding) -> bool:
    """True if a file can be read in GB18030, Big5 or EUC-KR and has no characters but ASCII and
    common Chinese or Korean ones."""
    characters: set[str] = set()
    try:
        for text in pieces(file, encoding):
            if encoding is BIG5 and AMID_LETTERS.search(text):
                return False
            characters.update(text)
    except UnicodeDecodeError:
        return False
    level = {GB18030: level_in_gb2312, BIG5: level_in_big5, EUC_KR: level_in_euc_kr}[encoding]
    levels = [level(character) for character in characters if not character.isascii()]
    # Other text that is taken for GB18030, such as Cyrillic, is mostly of the second level.
    least = SYLLABLES if encoding is EUC_KR else max(1, levels.count(2))
    return None not in levels and levels.count(1) >= least


def level_in_euc_kr(character: str) -> int | None:
    """1 for the Korean syllables of EUC-KR, None for all others."""
    return 1 if 0xB0 <= first_byte(character, "euc_kr") <= 0xC8 else None


def guess(data: bytes) -> Encoding | None:
    """The encoding of a text that begins with these bytes, which may end within a character: by a
    byte order mark, as UTF-8, or as the only one in which all characters are common. None if that
    is unclear."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding
    whole = data[: data.rfind(b"\n") + 1] or data
    decoder = codecs.getincrementaldecoder(UTF_8.codec)()
    try:
        decoder.decode(data)
    except UnicodeDecodeError:
        fitting = [one for one in (GB18030, BIG5, EUC_KR) if is_common_text(BytesIO(whole), one)]
        return fitting[0] if len(fitting) == 1 else None
    return UTF_8
