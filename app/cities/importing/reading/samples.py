"""What the page shows of a file to choose how it is read: the first lines under each encoding, and
the first rows as columns."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from app.cities.importing.reading.choices import (
    Reading,
    heading_of,
    separator_of_lines,
    sheets_of,
)
from app.cities.importing.reading.header import (
    MOST_EMPTY,
    Heading,
    find_heading_row,
    known_columns,
)
from app.cities.importing.reading.sniff import BY_CODEC, first_fault, possible_encodings
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
    """The file under one encoding. That it fits is seen by large pieces, ten times as fast as line
    by line."""
    begin = islice(lines_of(path, encoding.codec), LOOK_AT_LINES)
    shown = ((number, text) for number, text in begin if number == 1 or not text.isascii())
    lines = [(number, one_line(text)) for number, text in islice(shown, SAMPLE_LINES)]
    faults = [] if fits(path, encoding) else fault_lines(path, encoding)
    return EncodingSample(encoding, lines, faults[:FAULTS_SHOWN], len(faults))


def fits(path: Path, encoding: Encoding) -> bool:
    try:
        return first_fault(path, encoding) is None
    except Invalid:  # it has a NUL
        return False


def fault_lines(path: Path, encoding: Encoding) -> list[int]:
    """The first lines that are not text in an encoding, at most MOST_FAULTS."""
    faults = (number for number, text in lines_of(path, encoding.codec) if LOST in text)
    return list(islice(faults, MOST_FAULTS))


def dump_samples(samples: list[EncodingSample]) -> list[Any]:
    """Samples as JSON values."""
    return [[sample.encoding.codec, *sample[1:]] for sample in samples]


def load_samples(stored: list[Any]) -> list[EncodingSample]:
    """What dump_samples() has made."""
    return [
        EncodingSample(BY_CODEC[codec], [(number, text) for number, text in lines], faults, count)
        for codec, lines, faults, count in stored
    ]


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
            found = records(text, next(text, ""), separator)
            for line, cells in islice(found, MOST_EMPTY):
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
