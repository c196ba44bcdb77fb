"""The lines of a CSV file as cities, as plain functions; nothing here asks the database."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from app.cities.exporting.csv_writer import unguard
from app.cities.importing.header import (
    SKIPPED_SHOWN,
    Places,
    Skipped,
    check_empty,
    find_heading,
    no_header,
    read_header,
)
from app.cities.importing.sniff import find_encoding
from app.text import N_
from app.textfiles.records import Lines, records, refused

MOST_LINES = 5000
# 3 KB for each line: an ignored column may hold a description.
MOST_BYTES = 16 << 20
# Text that a spreadsheet is not to calculate, as some programs write it: ="007".
FORMULA_OF_TEXT = re.compile('="([^"]*)"')


@dataclass(frozen=True)
class Line:
    """One record below the header. `line` is the line of the file in which it begins, counted from
    1; `cells` are its texts by the names of fields, of those for which the file has a column."""

    line: int
    cells: Mapping[str, str]
    surplus: bool = False  # more cells than the header has columns


class Source(NamedTuple):
    """How a file was read. `skipped` are the first of the `skipped_count` lines with text above its
    header, with their numbers."""

    encoding: str
    separator: str
    skipped: Skipped
    skipped_count: int


@dataclass(frozen=True)
class Table:
    """A file that could be read. `fields` are the names of fields for which it has a column,
    `ignored` the headers of its other columns, `source` is how the file was read."""

    lines: list[Line]
    fields: list[str]
    ignored: list[str]
    source: Source


def read_csv(data: bytes) -> Table:
    """Read a whole file; Invalid with one message if that is impossible."""
    encoding = find_encoding(data)
    text = Lines(data, encoding.codec)
    heading = find_heading(text)
    if heading is None or not heading.is_complete:
        raise no_header(heading)
    found = records(text, heading.text, heading.separator)
    header_line, header = next(found)
    places, ignored = read_header(header_line, header)
    lines: list[Line] = []
    empty = 0
    for line, cells in found:
        if not any(map(str.strip, cells)):
            empty += 1
            check_empty(line, empty)
            continue
        if len(lines) == MOST_LINES:
            raise refused(
                N_(
                    "Line %(line)s is one too many: at most %(most)s cities go into one file. "
                    "Divide the file and import the parts one after another.",
                    line=str(line),
                    most=MOST_LINES,
                )
            )
        lines.append(read_line(line, cells, places, len(header)))
    if not lines:
        raise refused(
            N_(
                "There is nothing below the header in line %(line)s. Add a line for each city.",
                line=str(header_line),
            )
        )
    skipped = heading.skipped
    source = Source(encoding.name, heading.separator, skipped[:SKIPPED_SHOWN], len(skipped))
    return Table(lines, list(places), ignored, source)


def read_line(line: int, cells: list[str], places: Places, width: int) -> Line:
    """One record; a missing cell is empty."""
    texts = {
        name: read_cell(cells[place]) if place < len(cells) else ""
        for name, place in places.items()
    }
    return Line(line, texts, surplus=any(map(str.strip, cells[width:])))


def read_cell(text: str) -> str:
    """The text of a cell without what keeps a spreadsheet from calculating it."""
    formula = FORMULA_OF_TEXT.fullmatch(text)
    return formula[1] if formula else unguard(text)
