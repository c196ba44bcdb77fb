"""CSV as the register writes it (RFC 4180, UTF-8 with a byte order mark)."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from app.concurrency import yield_to_hub

MARK = "\ufeff"


HEADER = ("provincename", "cityname", "usernumber")


# What a spreadsheet would take for a formula. The apostrophes before it are part of the pattern,
# so that a name which itself begins with '= gets one more and comes back whole.
FORMULA = re.compile(r"'*[=+\-@\t\r]")


def guard(text: str) -> str:
    """An apostrophe before what a spreadsheet would calculate."""
    return f"'{text}" if FORMULA.match(text) else text


def unguard(text: str) -> str:
    """The reverse: exactly one apostrophe is taken off."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def write_csv(rows: Iterable[Iterable[str | int | None]]) -> str:
    """Rows as RFC 4180 has them, ended by CRLF. Text is guarded, numbers stand as they are."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([guard(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue()


def stream_csv(batches: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Rows of the register as a file that Excel opens with Chinese intact: the mark, the header,
    then a piece for each batch. An error in the middle goes up to the server, which then breaks
    the transfer off; a file that merely ended early would be taken for whole."""
    begin = MARK + write_csv([HEADER])
    for rows in batches:
        yield begin + write_csv([(r.provincename, r.cityname, r.usernumber) for r in rows])
        begin = ""
        yield_to_hub()  # to a fast reader the server never waits
    if begin:
        yield begin
