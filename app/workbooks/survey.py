"""What openpyxl does not say of a sheet that is not held in memory. Part of child.py; standard
library and openpyxl only."""

import re
from functools import partial
from typing import Any, BinaryIO, NamedTuple
from zipfile import ZipFile

MOST_ROW = 1_048_576
MOST_MERGED = 10_000
PIECE, OVERLAP = 1 << 16, 300
FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
ROW = re.compile(rb'<row\s[^>]*?\br="(\d{1,12})"')
MERGED = re.compile(
    rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"'
)
# How values and formulas begin, in the XML that nearly all programs write.
VALUES = (b"<v>", b"<is>", b"<f>", b"<f ")
MOST_COLUMNS = 200  # in which merged cells are looked for


class Area(NamedTuple):
    """Merged cells, counted from 1."""

    first_row: int
    first: int
    last_row: int
    last: int


class Survey(NamedTuple):
    """Of a sheet: whether it has formulas, the last row with a value, and the merged cells in the
    order of their rows."""

    formulas: bool
    last_row: int
    areas: list[Area]


def survey(file: BinaryIO, sheet: Any) -> Survey:
    """Look through the XML of a sheet, which is much faster than reading it: a million empty rows
    may follow those with values."""
    formulas, last_row, row, rest = False, 0, 0, b""
    areas: set[Area] = set()
    with ZipFile(file) as archive, archive.open(sheet._worksheet_path) as part:
        for piece in iter(partial(part.read, PIECE), b""):
            data = rest + piece
            formulas = formulas or FORMULA.search(data) is not None
            end = max(map(data.rfind, VALUES))
            row = row_before(data, end) or row
            last_row = row if end >= 0 else last_row
            row = row_before(data, len(data)) or row
            if len(areas) < MOST_MERGED:
                areas.update(map(area_of, MERGED.findall(data)))
            rest = data[-OVERLAP:]
    return Survey(formulas, min(last_row or MOST_ROW, MOST_ROW), sorted(areas))


def row_before(data: bytes, end: int) -> int:
    """The number of the last row that begins before a place; 0 if there is none, or it has none."""
    start = data.rfind(b"<row ", 0, max(end, 0))
    found = ROW.match(data, start) if start >= 0 else None
    return int(found[1]) if found else 0


def area_of(found: tuple[bytes, ...]) -> Area:
    from openpyxl.utils import column_index_from_string

    first, first_row, last, last_row = (text.decode() for text in found)
    columns = column_index_from_string(first), column_index_from_string(last)
    return Area(int(first_row), columns[0], int(last_row), columns[1])


def merged_cells(number: int, texts: list[str], areas: list[Area]) -> dict[int, str]:
    """The empty cells of a row whose value is in another cell that they are merged with. Areas that
    end above the row are forgotten."""
    areas[:] = [area for area in areas if area.last_row >= number]
    return {
        place: "merged"
        for area in areas
        if area.first_row <= number
        for place in range(area.first - 1, min(area.last, MOST_COLUMNS))
        if (number, place + 1) != area[:2] and (place >= len(texts) or not texts[place].strip())
    }
