"""The beginning of a text file, as text or as a table; bounded whatever is in it."""

from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import ClassVar

from app.errors import Invalid
from app.files.storage.folder import open_stored
from app.textfiles.encoding import Encoding, guess
from app.textfiles.records import Lines, records

TEXT_BYTES = 32 << 10
MOST_ROWS, MOST_COLUMNS, CELL_LENGTH = 50, 20, 100
SEPARATORS = ",;\t|"
SAMPLE = 10  # lines by which the separator is found
FALLBACK = Encoding("Windows-1252", "cp1252")


@dataclass(frozen=True)
class TextPreview:
    """The beginning of a text: `encoding` is the name of the one in which it was read, `is_certain`
    is False if that was not to be found out. `rows` are the records of a table, all of the same
    length, of a table with `columns`, None for more than are shown if the widest record is cut.
    `is_cut` if the file has more lines than are shown."""

    limit: ClassVar = TEXT_BYTES

    text: str
    encoding: str
    is_certain: bool
    is_cut: bool
    rows: list[list[str]] = field(default_factory=list)
    columns: int | None = 0


def read_text(path: Path, as_table: bool) -> TextPreview:
    """The beginning of a file that looks like text."""
    with open_stored(path) as file:
        data = file.read(TEXT_BYTES + 1)
    is_cut, data = len(data) > TEXT_BYTES, data[:TEXT_BYTES]
    encoding = guess(data)
    text = decode(data, encoding or FALLBACK, is_cut)
    found = TextPreview(text, (encoding or FALLBACK).name, encoding is not None, is_cut)
    return with_rows(found) if as_table else found


def decode(data: bytes, encoding: Encoding, is_cut: bool) -> str:
    """The text; one that is cut ends with a whole line, if it has several."""
    decoder = getincrementaldecoder(encoding.codec)(errors="replace")
    text = decoder.decode(data, final=not is_cut).removeprefix("\ufeff")
    return text[: text.rfind("\n") + 1] or text if is_cut else text


def with_rows(found: TextPreview) -> TextPreview:
    """The text with its records; without any if it is not a table."""
    rows: list[list[str]] = []
    try:
        rows.extend(islice(read_rows(found.text), MOST_ROWS + 1))
    except Invalid:
        if not found.is_cut:  # a record that is cut is no mistake
            return found
    width = max(map(len, rows[:MOST_ROWS]), default=0)
    shown = min(width, MOST_COLUMNS)
    is_cut = found.is_cut or len(rows) > MOST_ROWS
    cells = [[shorten(cell) for cell in row[:shown]] for row in rows[:MOST_ROWS]]
    filled = [row + [""] * (shown - len(row)) for row in cells]
    is_part = found.is_cut and not found.text.endswith("\n") and len(rows) <= MOST_ROWS
    is_unknown = is_part and shown < width == len(rows[-1])
    return replace(found, rows=filled, is_cut=is_cut, columns=None if is_unknown else width)


def read_rows(text: str) -> Iterator[list[str]]:
    """The records that are not empty. Invalid if it is not a table, now or further on."""
    lines = Lines(BytesIO(text.encode()), "utf-8")
    first = next(lines, "")
    for _line, cells in records(lines, first, find_separator(text), TEXT_BYTES):
        if any(map(str.strip, cells)):
            yield cells


def find_separator(text: str) -> str:
    """The character that each of the first lines has most of."""
    sample = [line for line in text.split("\n", SAMPLE)[:SAMPLE] if line.strip()]
    counts = {each: [line.count(each) for line in sample] or [0] for each in SEPARATORS}
    return max(SEPARATORS, key=lambda each: (min(counts[each]), counts[each][0]))


def shorten(cell: str) -> str:
    """A cell on one line and of bounded length."""
    cell = " ".join(cell.split())
    return cell if len(cell) <= CELL_LENGTH else f"{cell[: CELL_LENGTH - 1]}…"
