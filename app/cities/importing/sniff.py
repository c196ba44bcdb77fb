"""Which encoding a file is in, by evidence, as functions on its bytes.

A byte order mark decides, and then UTF-8, which other encodings cannot be taken for. GB18030 and
Big5 decode nearly everything. So the file must say which it is: by a header of our words that are
not ASCII, or by Chinese characters of which all are common.
"""

import re
from collections.abc import Iterable

from app.cities.importing.header import find_heading
from app.errors import Invalid
from app.text import N_
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

# What the message of a refusal names, where it fits.
POSSIBLE = (
    GB18030,
    BIG5,
    Encoding("Shift_JIS", "cp932"),
    EUC_KR,
    Encoding("Windows-1251", "cp1251"),
    Encoding("Windows-1252", "cp1252"),
)
# How the files of Office programs begin: archives, and those before 2007.
WORKBOOKS = (b"PK\3\4", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
# Some programs call such a table an Excel file.
WEB_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*+<(?:!doctype\s+html|html|head|meta|table)\b", re.I)


def find_encoding(data: bytes) -> Encoding:
    """The encoding of a file; Invalid if it is not text in any, or could be text in several."""
    check_kind(data)
    for mark, encoding in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return check_text(data, encoding)
    if b"\0" in data:
        wide = (encoding for encoding in UTF_16 if has_header(data, encoding))
        return check_text(data, next(wide, UTF_8))
    fault = first_fault(data, UTF_8)
    if fault is None:
        return UTF_8
    for encoding in (UTF_8, GB18030, BIG5):
        if has_header(data, encoding, ascii_counts=False):
            return check_text(data, encoding)
    fitting = [one for one in (GB18030, BIG5, EUC_KR) if is_common_text(data, one)]
    if len(fitting) == 1 and fitting[0] is not EUC_KR:
        return fitting[0]
    possible = fitting or [one for one in POSSIBLE if first_fault(data, one) is None]
    raise not_text(fault, UTF_8, possible)


def check_kind(data: bytes) -> None:
    """Refuse what people send in place of a CSV file, by what it is."""
    marks = [mark for mark, _encoding in BYTE_ORDER_MARKS]
    if len(data) < PIECE and data.strip() in (b"", *marks):
        raise refused(N_("The file is empty."))
    if data.startswith(WORKBOOKS):
        raise refused(
            N_(
                "This is an Excel workbook or another document, not a CSV file. Open it, and save "
                "it as “CSV UTF-8 (Comma delimited)”."
            )
        )
    if WEB_PAGE.match(data):
        raise refused(
            N_(
                "This is a web page (HTML), not a CSV file. Download the file itself, or open it "
                "in a spreadsheet program and save it as CSV."
            )
        )


def check_text(data: bytes, encoding: Encoding) -> Encoding:
    """The same encoding; Invalid if the file is not text in it to its end."""
    fault = first_fault(data, encoding)
    if fault is not None:
        raise not_text(fault, encoding)
    return encoding


def not_text(line: int, encoding: Encoding, possible: Iterable[Encoding] = ()) -> Invalid:
    """The error for a file that is not text in an encoding from this line on."""
    advice = {"line": str(line), "encoding": encoding.name}
    if names := [one.name for one in possible]:
        return refused(
            N_(
                "Line %(line)s is not %(encoding)s text; it could be: %(names)s. Save the file "
                "again as UTF-8; Excel calls it “CSV UTF-8 (Comma delimited)”.",
                **advice,
                names=names,
            )
        )
    return refused(
        N_(
            "Line %(line)s is not %(encoding)s text. Save the file again as UTF-8; Excel calls it "
            "“CSV UTF-8 (Comma delimited)”.",
            **advice,
        )
    )


def first_fault(data: bytes, encoding: Encoding) -> int | None:
    """The line of the first byte that is not text in an encoding, or None. A NUL in sound text is
    refused by its name."""
    line, last = 1, ""
    try:
        for text in pieces(data, encoding):
            sound, nul, _rest = text.partition("\0")
            line += line_ends(last + sound) - line_ends(last)
            if nul:
                raise refused(
                    N_(
                        "Line %(line)s contains a NUL character. Delete it, or save the file again "
                        "as UTF-8.",
                        line=str(line),
                    )
                )
            last = sound[-1:] or last
    except UnicodeDecodeError as error:
        sound = error.object[: error.start].decode(encoding.codec)
        return line + line_ends(last + sound) - line_ends(last)
    return None


def has_header(data: bytes, encoding: Encoding, ascii_counts: bool = True) -> bool:
    """True if the file has a header of our words when it is read in this encoding. With
    `ascii_counts=False` one in ASCII alone does not count: it is the same in all of them."""
    try:
        heading = find_heading(Lines(data, encoding.codec, errors="replace"))
    except Invalid:
        return False
    return (
        heading is not None
        and heading.is_complete
        and (ascii_counts or not heading.evidence.isascii())
    )
