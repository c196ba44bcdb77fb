"""The lines of a file as cities, as plain functions; nothing here asks the database."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from app.cities.exporting.csv_writer import unguard
from app.cities.importing.reading.header import (
    MOST_TITLES,
    SKIPPED_SHOWN,
    Places,
    Skipped,
    check_empty,
    find_heading,
    find_heading_row,
    no_header,
    read_header,
)
from app.cities.importing.reading.sniff import find_encoding, is_workbook
from app.errors import Invalid
from app.text import N_
from app.textfiles.encoding import Encoding
from app.textfiles.records import MOST_COLUMNS, Lines, check_width, records, refused
from app.workbooks.reading import Row, Sheet, Unreadable, list_sheets, open_rows

MOST_LINES = 5000
# 3 KB for each line: an ignored column may hold a description.
MOST_BYTES = 16 << 20
# Text that a spreadsheet is not to calculate, as some programs write it: ="007".
FORMULA_OF_TEXT = re.compile('="([^"]*)"')


@dataclass(frozen=True)
class Line:
    """One record below the header. `line` is the line of the file in which it begins, or the row of
    the sheet, counted from 1; `cells` are its texts by the names of fields, of those for which the
    file has a column; `problems` are what a workbook has in them, see app/workbooks/reading.py."""

    line: int
    cells: Mapping[str, str]
    surplus: bool = False  # more cells than the header has columns
    problems: Mapping[str, str] = field(default_factory=dict)


class Source(NamedTuple):
    """How a file was read. `skipped` are the first of the `skipped_count` lines with text above its
    header, with their numbers. A workbook has neither encoding nor separator, but a `sheet`."""

    encoding: str
    separator: str
    skipped: Skipped
    skipped_count: int
    sheet: str = ""


class Header(NamedTuple):
    """The header of a file: its line, the places of our columns, the names of the others, and how
    many columns there are; None if further cells do not matter."""

    line: int
    places: Places
    ignored: list[str]
    width: int | None


@dataclass(frozen=True)
class Table:
    """A file that could be read. `fields` are the names of fields for which it has a column,
    `ignored` the headers of its other columns, `source` is how the file was read."""

    lines: list[Line]
    fields: list[str]
    ignored: list[str]
    source: Source


def read_table(path: Path) -> Table:
    """Read a whole file; Invalid with one message if that is impossible."""
    if not is_workbook(path):
        return read_csv(path, find_encoding(path))
    try:
        return read_sheet(path, find_sheet(list_sheets(path)))
    except Unreadable as error:
        raise refused(error.args[0]) from None


def find_sheet(sheets: list[Sheet]) -> int:
    """The number of the only sheet that has a header with province and city. Without one it is the
    first that is not empty, whose error then says what is missing."""
    found = [number for number, sheet in enumerate(sheets) if has_header_row(sheet)]
    if len(found) > 1:
        names = [sheets[number].name for number in found]
        raise refused(
            N_("Several sheets have cities: %(names)s. Leave one of them in the file.", names=names)
        )
    filled = (number for number, sheet in enumerate(sheets) if sheet.rows)
    return found[0] if found else next(filled)


def has_header_row(sheet: Sheet) -> bool:
    heading = find_heading_row(sheet.rows)
    return heading is not None and heading.is_complete


def read_csv(path: Path, encoding: Encoding) -> Table:
    """Read a whole text file; Invalid with one message if that is impossible."""
    with Lines(path.open("rb"), encoding.codec) as text:
        heading = find_heading(text)
        if heading is None or not heading.is_complete:
            raise no_header(heading)
        found = records(text, heading.text, heading.separator)
        line, cells = next(found)
        header = Header(line, *read_header(line, cells), len(cells))
        lines = read_lines((Row(*record, {}) for record in found), header)
    skipped = heading.skipped
    source = Source(encoding.name, heading.separator, skipped[:SKIPPED_SHOWN], len(skipped))
    return Table(lines, list(header.places), header.ignored, source)


def read_sheet(path: Path, number: int) -> Table:
    """Read a sheet of a workbook, by its number counted from 0; Invalid with one message, which
    names the sheet, if that is impossible."""
    with open_rows(path, number, MOST_LINES + MOST_TITLES + 1) as (name, rows):
        try:
            return read_rows(name, rows)
        except Invalid as error:
            raise in_sheet(name, error) from None


def read_rows(name: str, rows: Iterator[Row | None]) -> Table:
    heading = find_heading_row(rows)
    if heading is None or not heading.is_complete:
        raise no_header(heading)
    header = Header(heading.line, *read_header(heading.line, heading.cells), None)
    source = Source("", "", heading.skipped[:SKIPPED_SHOWN], len(heading.skipped), name)
    return Table(read_lines(rows, header), list(header.places), header.ignored, source)


def in_sheet(name: str, error: Invalid) -> Invalid:
    """The error with the name of the sheet before it."""
    [message] = error.fields.values()
    return refused(N_("Sheet “%(sheet)s”: %(message)s", sheet=name, message=message))


def read_lines(rows: Iterable[Row | None], header: Header) -> list[Line]:
    """The rows below the header that are not empty."""
    lines: list[Line] = []
    empty = 0
    for row in rows:
        if row is not None and not any(map(str.strip, row.cells)):
            empty += 1
            check_empty(row.number, empty)
            continue
        if row is None or len(lines) == MOST_LINES:
            raise one_too_many(row.number if row else lines[-1].line + 1)
        check_width(row.number, len(row.cells), MOST_COLUMNS)
        lines.append(read_line(row, header))
    if not lines:
        raise refused(
            N_(
                "There is nothing below the header in line %(line)s. Add a line for each city.",
                line=str(header.line),
            )
        )
    return lines


def one_too_many(line: int) -> Invalid:
    return refused(
        N_(
            "Line %(line)s is one too many: at most %(most)s cities go into one file. "
            "Divide the file and import the parts one after another.",
            line=str(line),
            most=MOST_LINES,
        )
    )


def read_line(row: Row, header: Header) -> Line:
    """One record; a missing cell is empty."""
    number, cells, problems = row
    places = header.places.items()
    return Line(
        number,
        {name: read_cell(cells[place]) if place < len(cells) else "" for name, place in places},
        header.width is not None and any(map(str.strip, cells[header.width :])),
        {name: problems[place] for name, place in places if place in problems},
    )


def read_cell(text: str) -> str:
    """The text of a cell without what keeps a spreadsheet from calculating it."""
    formula = FORMULA_OF_TEXT.fullmatch(text)
    return formula[1] if formula else unguard(text)
