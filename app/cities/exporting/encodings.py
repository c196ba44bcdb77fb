"""The encodings of a CSV file, and what some of them cannot hold."""

from collections.abc import Iterable
from typing import Any

from app.cities.exporting.csv_writer import CELLS
from app.concurrency import yield_to_hub
from app.errors import Invalid
from app.text import N_
from app.textfiles.encoding import BIG5, EUC_KR, GB18030, UTF_8, UTF_16, Encoding

# By their names in an address.
ENCODINGS = {
    encoding.name.lower(): encoding for encoding in (UTF_8, UTF_16[0], GB18030, BIG5, EUC_KR)
}
# Those that do not hold every character, with the codec by which Excel reads them. Big5 as an
# import reads it has characters of Hong Kong besides, which Excel would show as others.
PARTIAL = {BIG5: "cp950", EUC_KR: "cp949"}


class NotInEncoding(Invalid):
    """The encoding lacks a character of a city, which is `row`."""

    def __init__(self, row: Any, encoding: Encoding, character: str) -> None:
        self.row, self.encoding, self.character = row, encoding, character
        super().__init__(
            N_(
                "“%(character)s”, which city %(id)s has, cannot be written in %(encoding)s. "
                "Export the list as UTF-8 or as an Excel file.",
                encoding=encoding.name,
                character=character,
                id=str(row.id),
            )
        )


def read_encoding(name: str) -> Encoding:
    """An encoding by its name in an address, which is UTF-8 if there is none."""
    found = ENCODINGS.get(name.lower() or UTF_8.name.lower())
    if found is None:
        names = [encoding.name for encoding in ENCODINGS.values()]
        raise Invalid(N_("Choose one of these encodings: %(names)s.", names=names))
    return found


def check_encoding(batches: Iterable[Iterable[Any]], encoding: Encoding) -> None:
    """NotInEncoding for the first city that the encoding cannot hold. It is looked for before
    anything is sent: later the transfer could only be aborted."""
    for rows in batches:
        if not holds(encoding, "\n".join(map(text_of, rows))):
            for row in rows:
                check_row(row, encoding)
        yield_to_hub()


def check_row(row: Any, encoding: Encoding) -> None:
    for character in text_of(row):
        if not holds(encoding, character):
            raise NotInEncoding(row, encoding, character)


def holds(encoding: Encoding, text: str) -> bool:
    try:
        return text.encode(encoding.codec).decode(PARTIAL[encoding]) == text
    except UnicodeError:
        return False


def text_of(row: Any) -> str:
    """What a row has of text."""
    return "\n".join(cell for cell in CELLS(row) if isinstance(cell, str))
