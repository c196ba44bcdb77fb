"""Which encoding a file is in, by evidence, as functions on its bytes.

A byte order mark decides, and then UTF-8, which other encodings cannot be taken for. GB18030 and
Big5 decode nearly everything. So the file must say which it is: by a header of our words that are
not ASCII, or by Chinese characters of which all are common.
"""

import mmap
import re
from pathlib import Path
from typing import NamedTuple

from app.cities.importing.reading.header import find_heading
from app.errors import Invalid
from app.text import N_, Message
from app.textfiles.encoding import (
    BIG5,
    BYTE_ORDER_MARKS,
    EUC_KR,
    GB18030,
    PIECE,
    UTF_8,
    UTF_16,
    Encoding,
    is_common_text,
    pieces,
)
from app.textfiles.records import Lines, line_ends, refused

# What people may choose besides UTF-8.
POSSIBLE = (
    GB18030,
    BIG5,
    Encoding("Shift_JIS", "cp932"),
    EUC_KR,
    Encoding("Windows-1251", "cp1251"),
    Encoding("Windows-1252", "cp1252"),
)
UTF_32 = tuple(one for _mark, one in BYTE_ORDER_MARKS if one.name == "UTF-32")
BY_CODEC = {one.codec: one for one in (UTF_8, *POSSIBLE, *UTF_16, *UTF_32)}
# How archives begin, which .xlsx is, and the documents of Office programs before 2007.
ARCHIVE, OLD_DOCUMENT = b"PK\3\4", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# What is in such a document if it is a newer one with a password.
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
# Some programs call such a table an Excel file.
WEB_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*+<(?:!doctype\s+html|html|head|meta|table)\b", re.I)


def is_workbook(path: Path) -> bool:
    """True for a workbook, False for text; Invalid for what people send in place of either, by what
    it is."""
    with path.open("rb") as file:
        head = file.read(PIECE)
    marks = [mark for mark, _encoding in BYTE_ORDER_MARKS]
    if len(head) < PIECE and head.strip() in (b"", *marks):
        raise refused(N_("The file is empty."))
    if head.startswith(OLD_DOCUMENT):
        raise refused(old_document(path))
    if WEB_PAGE.match(head):
        raise refused(
            N_(
                "This is a web page (HTML), not a CSV file. Download the file itself, or open it "
                "in a spreadsheet program and save it as CSV."
            )
        )
    return head.startswith(ARCHIVE)


def old_document(path: Path) -> Message:
    """What is wrong with a file in the format of Office programs before 2007."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data.find(ENCRYPTED) >= 0:
            return N_("This Excel workbook is protected by a password. Save it without one.")
    return N_(
        "This is an Excel workbook or another document in the format before 2007 (.xls). Open it "
        "and save it as an Excel workbook (.xlsx) or as CSV."
    )


class FoundEncoding(NamedTuple):
    """An encoding, and whether the file says that it is in it."""

    encoding: Encoding
    is_certain: bool


def find_encoding(path: Path, remembered: str = "") -> FoundEncoding:
    """The encoding of a text file by its byte order mark or as UTF-8; otherwise the most likely
    one: the one that was chosen the last time if it fits, or one in which the file has a header of
    our words or common characters alone. Invalid for a file that is not text."""
    with path.open("rb") as file:
        head = file.read(PIECE)
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            first_fault(path, encoding)  # refuses a NUL
            return FoundEncoding(encoding, True)
    if b"\0" in head:
        wide = next((one for one in UTF_16 if has_header(path, one)), None)
        return FoundEncoding(wide or check_text(path, UTF_8), False)
    if first_fault(path, UTF_8) is None:
        return FoundEncoding(UTF_8, True)
    return FoundEncoding(likely_encoding(path, remembered), False)


def likely_encoding(path: Path, remembered: str) -> Encoding:
    """The most likely encoding of a file that is not UTF-8."""
    if remembered in BY_CODEC and first_fault(path, BY_CODEC[remembered]) is None:
        return BY_CODEC[remembered]
    for encoding in (UTF_8, GB18030, BIG5):
        if has_header(path, encoding, ascii_counts=False):
            return encoding
    fitting = [one for one in (GB18030, BIG5, EUC_KR) if is_common(path, one)]
    return next(iter(fitting), None) or next(
        (one for one in POSSIBLE if first_fault(path, one) is None), UTF_8
    )


def possible_encodings(path: Path) -> tuple[Encoding, ...]:
    """The encodings that people may choose for a file: the wide ones only if it has NUL bytes."""
    with path.open("rb") as file:
        head = file.read(PIECE)
    marked = next((one for mark, one in BYTE_ORDER_MARKS if head.startswith(mark)), None)
    if marked in UTF_32:
        return UTF_32
    return UTF_16 if b"\0" in head or marked in UTF_16 else (UTF_8, *POSSIBLE)


def is_common(path: Path, encoding: Encoding) -> bool:
    """True if the file has no characters but ASCII and the common ones of an encoding."""
    with path.open("rb") as file:
        return is_common_text(file, encoding)


def check_text(path: Path, encoding: Encoding) -> Encoding:
    """The same encoding; Invalid if the file is not text in it to its end."""
    fault = first_fault(path, encoding)
    if fault is not None:
        raise not_text(fault, encoding)
    return encoding


def not_text(line: int, encoding: Encoding) -> Invalid:
    """The error for a file that is not text in an encoding from this line on."""
    return refused(
        N_(
            "Line %(line)s is not %(encoding)s text. Save the file again as UTF-8; Excel calls it "
            "“CSV UTF-8 (Comma delimited)”.",
            line=str(line),
            encoding=encoding.name,
        )
    )


def first_fault(path: Path, encoding: Encoding) -> int | None:
    """The line of the first byte that is not text in an encoding, or None. A NUL in sound text is
    refused by its name."""
    line, last = 1, ""
    try:
        with path.open("rb") as file:
            for text in pieces(file, encoding):
                sound, nul, _rest = text.partition("\0")
                line += line_ends(last + sound) - line_ends(last)
                if nul:
                    raise refused(nul_in(line))
                last = sound[-1:] or last
    except UnicodeDecodeError as error:
        sound = error.object[: error.start].decode(encoding.codec)
        return line + line_ends(last + sound) - line_ends(last)
    return None


def nul_in(line: int) -> Message:
    return N_(
        "Line %(line)s contains a NUL character. Delete it, or save the file again as UTF-8.",
        line=str(line),
    )


def has_header(path: Path, encoding: Encoding, ascii_counts: bool = True) -> bool:
    """True if the file has a header of our words when it is read in this encoding. With
    `ascii_counts=False` one in ASCII alone does not count: it is the same in all of them."""
    try:
        with Lines(path.open("rb"), encoding.codec, errors="replace") as text:
            heading = find_heading(text)
    except Invalid:
        return False
    return (
        heading is not None
        and heading.is_complete
        and (ascii_counts or not heading.evidence.isascii())
    )
