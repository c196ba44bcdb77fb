"""The encodings of texts that others name, and how common Chinese characters are, by the encodings
that were made for them."""

import codecs
import re

# Character sets that people write texts in, by Python's names. Some other codecs of Python take
# time with the square of the length: idna, punycode.
CHARSETS = re.compile(
    r"ascii|utf-(8|8-sig|16|32|(16|32)-[bl]e)|iso8859-\d+|cp\d+|mac-\w+|koi8-[rtu]|tis-620|"
    r"gb2312|gbk|gb18030|hz|big5(hkscs)?|shift_jis\w*|euc_\w+|iso2022_\w+|johab"
)

# In Big5 the second byte may be a letter, so that Ål of Windows-1252 is one character. In such a
# text the supposed characters are amid letters.
AMID_LETTERS = re.compile("(?<=[A-Za-z])[^\0-\x7f]|[^\0-\x7f](?=[A-Za-z])")


def decode_text(data: bytes, charset: str) -> str:
    """The text, by the name that a sender gave its character set; LookupError for unknown ones,
    ValueError if it is in another one."""
    codec = codecs.lookup(charset).name
    if not CHARSETS.fullmatch(codec):
        raise LookupError(charset)
    return data.decode(codec)


def level_in_gb2312(character: str) -> int | None:
    """1 or 2 for the two levels of Chinese characters in GB 2312, 0 for punctuation, None for all
    others."""
    row = first_byte(character, "gb2312")
    if row in (0xA1, 0xA3):
        return 0
    return (1 if row <= 0xD7 else 2) if 0xB0 <= row <= 0xF7 else None


def level_in_big5(character: str) -> int | None:
    """1 for the frequent Chinese characters of Big5, 0 for punctuation, None for all others."""
    row = first_byte(character, "big5")
    if 0xA1 <= row <= 0xA3:
        return 0
    return 1 if 0xA4 <= row <= 0xC6 else None


def first_byte(character: str, codec: str) -> int:
    """The first byte of a character in an encoding, or 0 if the encoding lacks it."""
    return (character.encode(codec, "ignore") or b"\0")[0]
