"""The register as a CSV file (RFC 4180)."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any

from app.cities.fields import CSV_FIELDS
from app.concurrency import yield_to_hub
from app.textfiles.encoding import UTF_8, UTF_16, Encoding
from app.textfiles.records import CURLY, SPACING

BYTE_ORDER_MARK = "\ufeff"
MARKED = (UTF_8, *UTF_16)  # others begin with their first character
HEADER = tuple(field.headers[0] for field in CSV_FIELDS)
CELLS = attrgetter(*(field.column for field in CSV_FIELDS))  # of a row of the register
# What a spreadsheet would take for a formula, in any width: at the beginning, or after a semicolon,
# which some take for a separator; after spaces and invisible characters too. The apostrophes before
# it are part of the pattern: a name that itself begins with '= gets one more, and comes back whole.
FORMULA = re.compile(rf"(?:'*|.*;)[{SPACING}]*[=＝+＋\-－@＠|｜\t\r]", re.DOTALL)
# A name in curly quotation marks has others around it, because an import removes one pair.
BEGINS_CURLY = re.compile(f"[{SPACING}]*[{CURLY}]")
# Without any of these characters a name needs neither, which is found out for many at once.
UNUSUAL = re.compile(f"[=＝+＋\\-－@＠|｜\t\r{CURLY}]")


def guard(text: str) -> str:
    """An apostrophe before what a spreadsheet would calculate."""
    return f"'{text}" if FORMULA.match(text) else text


def unguard(text: str) -> str:
    """The reverse: exactly one apostrophe is removed."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def write_csv(rows: Iterable[Iterable[str | int | None]]) -> str:
    """Rows with CRLF line endings. Text is guarded, numbers are written as they are."""
    table, out = [tuple(row) for row in rows], io.StringIO()
    texts = "\n".join(cell for row in table for cell in row if isinstance(cell, str))
    if not UNUSUAL.search(texts):
        csv.writer(out).writerows(table)
        return out.getvalue()
    plain, quoting = csv.writer(out), csv.writer(out, quoting=csv.QUOTE_ALL)
    for row in table:
        cells = [guard(cell) if isinstance(cell, str) else cell for cell in row]
        curly = any(isinstance(cell, str) and BEGINS_CURLY.match(cell) for cell in cells)
        (quoting if curly else plain).writerow(cells)
    return out.getvalue()


def stream_csv(batches: Iterable[Iterable[Any]], encoding: Encoding = UTF_8) -> Iterator[bytes]:
    """Rows of the register as a file, in a piece for each batch. Excel needs the byte order mark
    of Unicode for Chinese. An error in the middle is raised to the server, which aborts the
    transfer: a file that merely ended early would look complete."""
    encoder = codecs.getincrementalencoder(encoding.codec)()
    begin = (BYTE_ORDER_MARK if encoding in MARKED else "") + write_csv([HEADER])
    for rows in batches:
        yield encoder.encode(begin + write_csv(map(CELLS, rows)))
        begin = ""
        yield_to_hub()  # to a fast reader the server never waits
    if end := encoder.encode(begin, final=True):
        yield end
