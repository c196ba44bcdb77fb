"""The lines of a file as cities, one after another, however many there are; nothing here asks the
database."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from app.children import nothing
from app.cities.exporting.csv_writer import unguard
from app.cities.importing.reading.choices import (
    SPARE_ROWS,
    Reading,
    Suggestion,
    suggest_sheet,
    suggest_text,
)
from app.cities.importing.reading.header import (
    HEADER_LENGTH,
    OTHER_LENGTH,
    OTHERS_SHOWN,
    SKIPPED_SHOWN,
    Places,
    Skipped,
    check_empty,
    find_heading,
    find_heading_row,
    no_header,
    read_header,
)
from app.cities.importing.reading.sniff import BY_CODEC, first_fault, is_workbook
from app.errors import Invalid
from app.text import N_
from app.textfiles.encoding import Encoding
from app.textfiles.records import MOST_COLUMNS, Lines, check_width, quotes_of, records, refused
from app.workbooks.reading import Row, SheetRows, Unreadable, open_rows

MOST_LINES = 1_000_000
# 200 bytes for each line: an ignored column may hold a description.
MOST_BYTES = 200 << 20
# A workbook is compressed, and takes a minute and more.
WORKBOOK_BYTES = 50 << 20
REPLACEMENT = "\ufffd"  # what Python puts in place of bytes that are not text
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
    many columns there are; None if further cells do not matter. Only cells of text files are
    guarded against being calculated."""

    line: int
    places: Places
    ignored: list[str]
    width: int | None
    is_text: bool = True


@dataclass(frozen=True)
class Table:
    """A file whose header could be read. `fields` are the names of fields for which it has a
    column, `ignored` the headers of its other columns, `source` is how the file is read. `read`
    reads its lines from the first one on, each time; Invalid at one that cannot be read, or after
    the last if there are none."""

    read: Callable[[], Iterator[Line]]
    fields: list[str]
    ignored: list[str]
    source: Source


def suggest(path: Path, remembered: str = "") -> Suggestion:
    """How to read a file; `remembered` is the codec that the person chose the last time."""
    return suggest_sheet(path) if is_workbook(path) else suggest_text(path, remembered)


@contextmanager
def open_table(
    path: Path, reading: Reading, pause: Callable[[], object] = nothing
) -> Iterator[Table]:
    """Open a file; Invalid with one message if that is impossible. `pause` is called now and then
    while a workbook is unpacked."""
    if reading.sheet is None:
        yield open_text(path, reading)
        return
    try:
        with open_rows(path, reading.sheet, MOST_LINES + SPARE_ROWS, pause) as sheet:
            yield open_sheet(sheet, reading)
    except Unreadable as error:
        raise refused(error.args[0]) from None


def open_text(path: Path, reading: Reading) -> Table:
    """Open a text file. Its undecodable characters are refused by line."""
    encoding = BY_CODEC[reading.codec]
    is_sound = first_fault(path, encoding) is None
    with Lines(path.open("rb"), encoding.codec, "replace") as text:
        header, _found, source = begin_text(text, encoding, reading)
    read = partial(read_text, path, reading, is_sound)
    return Table(read, list(header.places), header.ignored, source)


def read_text(path: Path, reading: Reading, is_sound: bool) -> Iterator[Line]:
    """The lines of a text file."""
    encoding = BY_CODEC[reading.codec]
    with Lines(path.open("rb"), encoding.codec, "strict" if is_sound else "replace") as text:
        header, found, _source = begin_text(text, encoding, reading)
        yield from read_lines((Row(*record, {}) for record in found), header, is_sound)


def begin_text(
    text: Lines, encoding: Encoding, reading: Reading
) -> tuple[Header, Iterator[tuple[int, list[str]]], Source]:
    """The header of a text file, and the records below it."""
    if reading.columns is not None:
        above = skip_lines(text, reading.first)
        header = chosen_header(reading, above)
        found = records(text, next(text, ""), reading.separator)
        return header, found, Source(encoding.name, reading.separator, [], 0)
    heading = find_heading(text)
    if heading is None or not heading.is_complete:
        raise no_header(heading)
    found = records(text, heading.text, heading.separator)
    line, cells = next(found)
    header = Header(line, *read_header(line, cells), len(cells))
    skipped = heading.skipped[:SKIPPED_SHOWN]
    source = Source(encoding.name, heading.separator, skipped, len(heading.skipped))
    return header, found, source


def skip_lines(text: Lines, first: int) -> str:
    """Skip the lines above one; returns the last of them."""
    line = ""
    while text.count < first - 1:
        line = next(text, "")
        if not line:
            break
        text.begin_record()
    return line


def chosen_header(reading: Reading, above: str | list[str]) -> Header:
    """The header of columns that a person chose; the names of the others are in the line above the
    first city."""
    if isinstance(above, str):
        tidy = quotes_of(reading.separator).tidy(above[:HEADER_LENGTH], inside=False)
        above = next(csv.reader([tidy], delimiter=reading.separator[0]), [])
    places = reading.columns or {}
    names = [name.strip()[:OTHER_LENGTH] for name in above[:MOST_COLUMNS]]
    ignored = [name for place, name in enumerate(names) if name and place not in places.values()]
    return Header(reading.first - 1, places, ignored[:OTHERS_SHOWN], None)


def open_sheet(sheet: SheetRows, reading: Reading) -> Table:
    """Open a sheet of a workbook; an error names the sheet."""
    with naming(sheet.name):
        header, _rows, skipped = begin_rows(sheet.read(), reading)
    source = Source("", "", skipped[:SKIPPED_SHOWN], len(skipped), sheet.name)
    read = partial(read_sheet, sheet, reading)
    return Table(read, list(header.places), header.ignored, source)


def read_sheet(sheet: SheetRows, reading: Reading) -> Iterator[Line]:
    """The lines of a sheet."""
    with naming(sheet.name):
        header, rows, _skipped = begin_rows(sheet.read(), reading)
        yield from read_lines(rows, header)


def begin_rows(
    rows: Iterator[Row | None], reading: Reading
) -> tuple[Header, Iterator[Row | None], Skipped]:
    """The header of a sheet, or what a person chose in its place, the rows below it, and what is
    above it."""
    if reading.columns is not None:
        above, rows = split_rows(rows, reading.first)
        return chosen_header(reading, above)._replace(is_text=False), rows, []
    heading = find_heading_row(rows)
    if heading is None or not heading.is_complete:
        raise no_header(heading)
    header = Header(heading.line, *read_header(heading.line, heading.cells), None, False)
    return header, rows, heading.skipped


def split_rows(rows: Iterator[Row | None], first: int) -> tuple[list[str], Iterator[Row | None]]:
    """The cells of the row above one, and the rows from that one on."""
    above: list[str] = []
    for row in rows:
        if row is None or row.number >= first:
            return above, chain([row], rows)
        above = row.cells if row.number == first - 1 else []
    return above, rows


@contextmanager
def naming(sheet: str) -> Iterator[None]:
    """Put the name of the sheet before an error."""
    try:
        yield
    except Invalid as error:
        [message] = error.fields.values()
        raise refused(N_("Sheet “%(sheet)s”: %(message)s", sheet=sheet, message=message)) from None


def read_lines(rows: Iterable[Row | None], header: Header, is_sound: bool = True) -> Iterator[Line]:
    """The rows below the header that are not empty. Without `is_sound` some of the text is not in
    its encoding."""
    count = empty = last = 0
    for row in rows:
        if row is not None and not any(map(str.strip, row.cells)):
            empty += 1
            check_empty(row.number, empty)
            continue
        if row is None or count == MOST_LINES:
            raise one_too_many(row.number if row else last + 1)
        check_width(row.number, len(row.cells), MOST_COLUMNS)
        count, last = count + 1, row.number
        yield read_line(row, header, is_sound)
    if not count:
        raise refused(
            N_(
                "There is nothing below the header in line %(line)s. Add a line for each city.",
                line=str(header.line),
            )
        )


def one_too_many(line: int) -> Invalid:
    return refused(
        N_(
            "Line %(line)s is one too many: at most %(most)s cities go into one file. "
            "Divide the file and import the parts one after another.",
            line=str(line),
            most=MOST_LINES,
        )
    )


def read_line(row: Row, header: Header, is_sound: bool) -> Line:
    """One record; a missing cell is empty."""
    number, cells, problems = row
    places = header.places.items()
    texts = {name: cells[place] if place < len(cells) else "" for name, place in places}
    if header.is_text:
        texts = {name: read_cell(text) for name, text in texts.items()}
    surplus = header.width is not None and any(map(str.strip, cells[header.width :]))
    found = {name: problems[place] for name, place in places if place in problems}
    if not is_sound:
        found |= {name: "undecodable" for name, text in texts.items() if REPLACEMENT in text}
    return Line(number, texts, surplus, found)


def read_cell(text: str) -> str:
    """The text of a cell without what keeps a spreadsheet from calculating it."""
    formula = FORMULA_OF_TEXT.fullmatch(text)
    return formula[1] if formula else unguard(text)
