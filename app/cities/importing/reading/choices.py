"""How a file is to be read: what is suggested, and what a person chooses."""

from pathlib import Path
from typing import Any, NamedTuple

from app.cities.fields import CITY, CSV_FIELDS, PROVINCE
from app.cities.importing.reading.header import (
    MOST_TITLES,
    SEPARATORS,
    Heading,
    find_heading,
    find_heading_row,
)
from app.cities.importing.reading.sniff import BY_CODEC, find_encoding
from app.errors import Invalid
from app.text import N_
from app.textfiles.records import MOST_COLUMNS, Lines, refused
from app.workbooks.reading import Sheet, Unreadable, list_sheets

MOST_FIRST = 1_048_576  # the last row of a sheet
SEPARATOR_LINES = 10  # by which the separator of a file without a header is found


class Reading(NamedTuple):
    """How a file is read: a text by its codec and separator, a workbook by the number of its sheet,
    counted from 0. `columns` are the places of fields, and `first` is the first line with a city;
    without these the header says both, and also what separates the columns."""

    codec: str = ""
    separator: str = ""
    sheet: int | None = None
    first: int = 0
    columns: dict[str, int] | None = None


class Suggestion(NamedTuple):
    """A reading, and whether nobody has to be asked."""

    reading: Reading
    is_certain: bool


def suggest_text(path: Path, remembered: str = "") -> Suggestion:
    """How to read a text file. `remembered` is the codec that the person chose the last time."""
    encoding, is_certain = find_encoding(path, remembered)
    heading = heading_of(path, encoding.codec)
    is_complete = heading is not None and heading.is_complete
    return Suggestion(Reading(encoding.codec), is_certain and is_complete)


def suggest_sheet(path: Path) -> Suggestion:
    """The only sheet of a workbook that has a header with province and city; else the first one
    that has cells, to be asked about."""
    sheets = sheets_of(path)
    found = [number for number, sheet in enumerate(sheets) if has_header_row(sheet)]
    filled = (number for number, sheet in enumerate(sheets) if sheet.rows)
    return Suggestion(Reading(sheet=found[0] if found else next(filled)), len(found) == 1)


def sheets_of(path: Path) -> list[Sheet]:
    """The sheets of a workbook; Invalid if it cannot be read."""
    try:
        return list_sheets(path)
    except Unreadable as error:
        raise refused(error.args[0]) from None


def has_header_row(sheet: Sheet) -> bool:
    heading = find_heading_row(sheet.rows)
    return heading is not None and heading.is_complete


def heading_of(path: Path, codec: str) -> Heading | None:
    """The line of a text file that may be its header."""
    try:
        with Lines(path.open("rb"), codec, errors="replace") as text:
            return find_heading(text)
    except Invalid:
        return None


def separator_of_lines(path: Path, codec: str) -> str:
    """What may separate the columns of a file without a header: what its first lines have most
    of."""
    sample: list[str] = []
    try:
        with Lines(path.open("rb"), codec, errors="replace") as text:
            for _number, line in zip(range(SEPARATOR_LINES), text, strict=False):
                text.begin_record()
                sample.append(line)
    except Invalid:
        return ","
    counts = {each: [min(map(line.count, each)) for line in sample] for each in SEPARATORS}
    return max(SEPARATORS, key=lambda each: (sum(map(bool, counts[each])), sum(counts[each])))


def check_reading(reading: Reading, is_workbook: bool) -> None:
    """Invalid for a choice that no page offers, or that lacks a column."""
    columns = reading.columns or {}
    is_known = reading.sheet is not None if is_workbook else reading.codec in BY_CODEC
    if not is_known or (not is_workbook and reading.separator not in SEPARATORS):
        raise Invalid(N_("This page was changed. Open it again."))
    if not 1 <= reading.first <= MOST_FIRST:
        raise Invalid(fields={"first": N_("The number of a line, from 1 on.")})
    missing = [field.label for field in (PROVINCE, CITY) if field.name not in columns]
    if missing:
        raise Invalid(fields={"columns": N_("Choose the columns for: %(names)s.", names=missing)})
    if any(not 0 <= place < MOST_COLUMNS for place in columns.values()):
        raise Invalid(N_("This page was changed. Open it again."))


def columns_by_place(names: list[str]) -> dict[str, int]:
    """The places of fields, by the name that was chosen for each column; Invalid for one that was
    chosen twice."""
    columns: dict[str, int] = {}
    labels: dict[str, Any] = {field.name: field.label for field in CSV_FIELDS}
    for place, name in enumerate(names):
        if name in columns:
            twice = N_("Two columns are chosen for: %(name)s. Choose one.", name=labels[name])
            raise Invalid(fields={"columns": twice})
        if name in labels:
            columns[name] = place
    return columns


# A sheet of as many lines as may be imported, with titles above its header.
SPARE_ROWS = MOST_TITLES + 1
