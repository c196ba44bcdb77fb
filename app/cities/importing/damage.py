"""Names that nobody meant: in quotation marks, or damaged before they came here, because they were
read in a wrong encoding once or in one that lacks their characters."""

import codecs
import re
from collections.abc import Mapping
from functools import partial

from app.cities.fields import CITY, PROVINCE, Value
from app.cities.rules import FieldErrors
from app.text import N_, Message, excerpt

# What programs put in place of a character that they cannot read, and what becomes of it when
# UTF-8 is read as GBK.
LOST = re.compile("\ufffd|锟斤|斤拷")
# What an encoding without the character leaves of it; at the end of a name it may be meant.
QUESTION_MARKS = re.compile(r"\?\w|^[? ]*\?[? ]*$")
# Quotation marks that are not those of CSV.
QUOTED = re.compile("'.*'|`.*[`´']|«.*»|».*«|‹.*›|「.*」|『.*』", re.DOTALL)
# The characters that Windows-1252 has where Latin-1 has control characters.
WINDOWS_1252 = {
    ord(character): byte
    for byte in range(0x80, 0xA0)
    if (character := bytes([byte]).decode("cp1252", "ignore"))
}
# UTF-8 read as Latin-1. What follows a capital with an accent may also be meant: a quotation mark,
# a dash, a no-break space, a letter such as š.
UTF_8 = (
    "(?:\xc2[\xa0-\xbf]|\xc3[\x80-\xbf]|[\xc4-\xdf](?![\x83\x85\x8a\x8c\x8e\x91-\x97\x9a\x9c\x9e-\xa0])[\x80-\xbf]"
    "|[\xe0-\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2})+"
)
# The same of GB 2312: at least two characters.
GB_2312 = "(?:[\xb0-\xf7][\xa1-\xfe]){2,}"
# First what is all of a word without ASCII, then parts.
READ_AS_LATIN_1 = (
    (re.compile(f"(?<![^\0-\x7f]){UTF_8}(?![^\0-\x7f])"), "utf-8"),
    (re.compile(f"(?<![^\0-\x7f]){GB_2312}(?![^\0-\x7f])"), "gb2312"),
    (re.compile(UTF_8), "utf-8"),
)
NAMES = (PROVINCE.name, CITY.name)
CHINESE = re.compile("[\u4e00-\u9fff]{2,}")


def find_damage(names: Mapping[str, Value]) -> FieldErrors:
    """What is wrong with names that look damaged, by the names of fields."""
    found = {name: damage_of(str(text)) for name, text in names.items() if name in NAMES}
    return {name: message for name, message in found.items() if message is not None}


def damage_of(text: str) -> Message | None:
    """What is wrong with a text that looks damaged."""
    if LOST.search(text) or QUESTION_MARKS.search(text):
        return N_(
            "“%(typed)s” is damaged: characters were lost when the file was written. Correct the "
            "line, or export the file again as UTF-8.",
            typed=excerpt(text),
        )
    if QUOTED.fullmatch(text):
        return N_(
            "“%(typed)s” has quotation marks around it that are read as part of the name. "
            "Delete them.",
            typed=excerpt(text),
        )
    meant = repair(text)
    if meant == text:
        return None
    return N_(
        "“%(typed)s” is damaged: it looks like “%(meant)s” read in a wrong encoding. Correct the "
        "line, or export the file again as UTF-8.",
        typed=excerpt(text),
        meant=excerpt(meant),
    )


def repair(text: str) -> str:
    """The text as it was meant, if it looks as though it was read in a wrong encoding."""
    latin = text.translate(WINDOWS_1252)
    for pattern, codec in READ_AS_LATIN_1:
        repaired = pattern.sub(partial(decoded, codec), latin)
        if repaired != latin:
            return repaired
    return repair_gbk(text)


def decoded(codec: str, letters: re.Match[str]) -> str:
    """Letters of Latin-1 as the text whose bytes they are; as they are if they are not text."""
    try:
        return letters[0].encode("latin-1").decode(codec)
    except UnicodeDecodeError:
        return letters[0]


def repair_gbk(text: str) -> str:
    """The same for UTF-8 that was read as GBK. It has lost its last bytes if they are not a whole
    character of GBK."""
    data = text.rstrip("?").encode("gb18030", "ignore")
    try:
        meant = codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return text
    return meant if CHINESE.fullmatch(meant) else text
