"""What the page shows of a file to choose how it is read: the first lines under each encoding, and
the first rows as columns."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from app.cities.importing.reading.choices import (
    Reading,
    heading_of,
    separator_of_lines,
    sheets_of,
)
from app.cities.importing.reading.header import (
    Heading,
    find_heading_row,
    known_columns,
)
from app.cities.importing.reading.sniff import possible_encodings
from app.errors import Invalid
from app.textfiles.encoding import Encoding
from app.textfiles.records import Lines, records
from app.workbooks.reading import Row, Sheet

SAMPLE_LINES, SAMPLE_LENGTH = 5, 120
LOOK_AT_LINES = 20_000  # for lines with other than ASCII characters
ROWS, CELL_LENGTH = 12, 60
MOST_SHOWN = 60  # columns
FAULTS_SHOWN, MOST_FAULTS = 20, 1_000
LOST = "\ufffd"


class EncodingSample(NamedTuple):
    """A text file under one encoding: some of its lines with their numbers, the first lines that
    are not text in it, and how many they are, MOST_FAULTS for more."""

    encoding: Encoding
    lines: list[tuple[int, str]]
    faults: list[int]
    fault_count: int

    @property
    def is_more(self) -> bool:
        """True if there may be more than were counted."""
        return self.fault_count == MOST_FAULTS


class Columns(NamedTuple):
    """The first rows of a file: `cells` of each column, the field that is suggested for it, and the
    first line with a city."""

    rows: list[Row]
    names: list[str]
    suggested: list[str]
    first: int
    separator: str


def sample_encodings(path: Path) -> list[EncodingSample]:
    """The file under each encoding that it may be in, those that fit first."""
    found = [sample_encoding(path, encoding) for encoding in possible_encodings(path)]
    return sorted(found, key=lambda sample: sample.fault_count > 0)


def sample_encoding(path: Path, encoding: Encoding) -> EncodingSample:
    lines: list[tuple[int, str]] = []
    faults: list[int] = []
    for number, text in lines_of(path, encoding.codec):
        is_interesting = number == 1 or (not text.isascii() and number <= LOOK_AT_LINES)
        if is_interesting and len(lines) < SAMPLE_LINES:
            lines.append((number, one_line(text)))
        if LOST in text:
            faults.append(number)
        if len(faults) == MOST_FAULTS:
            break
    return EncodingSample(encoding, lines, faults[:FAULTS_SHOWN], len(faults))


def lines_of(path: Path, codec: str) -> Iterator[tuple[int, str]]:
    """The lines of a text file with their numbers, as far as it can be read."""
    try:
        with Lines(path.open("rb"), codec, errors="replace") as text:
            for line in text:
                yield text.count, line
                text.begin_record()
    except Invalid:
        return


def one_line(text: str) -> str:
    """The beginning of a line, without what is not visible."""
    return "".join(c if c.isprintable() else " " for c in text[:SAMPLE_LENGTH]).strip()


def columns_of_text(path: Path, reading: Reading) -> Columns:
    """The first rows of a text file by its separator, which the header says if none was chosen."""
    heading = heading_of(path, reading.codec)
    known = heading is not None and heading.known
    separator = reading.separator or (
        heading.separator if known and heading else separator_of_lines(path, reading.codec)
    )
    same = heading if heading and heading.separator == separator else None
    rows = list(islice(rows_of_text(path, reading.codec, separator), ROWS))
    return columns_of_rows(rows, same, separator)


def rows_of_text(path: Path, codec: str, separator: str) -> Iterator[Row]:
    """The records that are not empty, as far as they can be read."""
    try:
        with Lines(path.open("rb"), codec, errors="replace") as text:
            for line, cells in records(text, next(text, ""), separator):
                if any(map(str.strip, cells)):
                    yield Row(line, cells, {})
    except Invalid:
        return


def columns_of_sheet(sheets: list[Sheet], number: int) -> Columns:
    """The first rows of a sheet."""
    rows = sheets[number].rows if number < len(sheets) else []
    return columns_of_rows(rows[:ROWS], find_heading_row(rows), "")


def columns_of_rows(rows: list[Row], heading: Heading | None, separator: str) -> Columns:
    """The columns of rows; those of the header have its names."""
    heading = heading if heading and heading.known else None
    width = max((len(row.cells) for row in rows), default=0)
    cells = heading.cells if heading else []
    names = [*cells, *[""] * (width - len(cells))][:MOST_SHOWN]
    known = known_columns(names)
    suggested = [known.get(name, "") for name in names]
    once = [
        name if name and suggested.index(name) == place else ""
        for place, name in enumerate(suggested)
    ]
    first = heading.line + 1 if heading else (rows[0].number if rows else 1)
    below = [row for row in rows if row.number >= first] or rows
    return Columns(below, [name.strip()[:CELL_LENGTH] for name in names], once, first, separator)


def without_columns(path: Path, reading: Reading) -> Reading:
    """The reading without columns and first line if they are those that the header says, which also
    names the columns that are ignored, and the titles above it."""
    if reading.sheet is None:
        heading = heading_of(path, reading.codec)
        found = columns_of_text(path, reading)
        is_same = heading is not None and heading.separator == reading.separator
    else:
        sheets = sheets_of(path)
        found = columns_of_sheet(sheets, reading.sheet)
        is_same = reading.sheet < len(sheets)
        heading = find_heading_row(sheets[reading.sheet].rows) if is_same else None
    named = {name: place for place, name in enumerate(found.suggested) if name}
    is_same = is_same and heading is not None and heading.is_complete
    if is_same and (named, found.first) == (reading.columns, reading.first):
        return Reading(reading.codec, sheet=reading.sheet)
    return reading
