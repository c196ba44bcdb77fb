"""The header of a file: where it is, what separates its columns, and what they are."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from app.cities.exporting.csv_writer import HEADER
from app.cities.fields import CITY, CSV_FIELDS, PROVINCE, Field
from app.cities.importing.damage import damage_of
from app.errors import Invalid
from app.text import N_, same_key
from app.textfiles.records import (
    MOST_COLUMNS,
    SPACING,
    Lines,
    quotes_of,
    refused,
    unmatched_quotes,
)
from app.workbooks.reading import Row

OTHERS_SHOWN, OTHER_LENGTH = 20, 60
COLUMNS: dict[str, Field] = {header: field for field in CSV_FIELDS for header in field.headers}
# What may separate the columns, with its name. Where several characters do, the first is the one
# that they are read as.
SEPARATORS = {
    ",": N_("commas"),
    ";": N_("semicolons"),
    "\t": N_("tabs"),
    "|": N_("vertical bars"),
    "，": N_("full-width commas"),
    "；": N_("full-width semicolons"),
    "｜": N_("full-width vertical bars"),
    "、": N_("ideographic commas"),
    ",，": N_("commas of both widths"),
    ";；": N_("semicolons of both widths"),
    "|｜": N_("vertical bars of both widths"),
}
# How many lines with text may precede the header, besides comments.
MOST_TITLES = 20
SKIPPED_SHOWN = 5
# Spreadsheets leave lines of nothing but commas, but never so many in a list of cities.
MOST_EMPTY = 20_000
HEADER_LENGTH = 60_000  # characters of a line in which a header is looked for
# What is not part of a title: separators, quotation marks, spaces.
AROUND = "".join(re.findall(f"[{SPACING}]", "".join(map(chr, range(1 << 16)))))
AROUND += "".join(SEPARATORS) + '"\r\n'
# The position of each field's column in the file, by the name of the field.
Places = dict[str, int]
# Lines above the header, with their numbers.
Skipped = list[tuple[int, str]]


class Heading(NamedTuple):
    """A line that may be the header, as its columns are separated by `separator`. `known` are the
    fields that it names, `evidence` the separator and the words for them."""

    line: int
    text: str
    separator: str
    cells: list[str]
    known: frozenset[str]
    evidence: str
    skipped: Skipped

    @property
    def is_complete(self) -> bool:
        """True if the line names both province and city."""
        return {PROVINCE.name, CITY.name} <= self.known


def find_heading(lines: Lines) -> Heading | None:
    """The first line that names province and city, or else the one that names the most fields.
    Above it may be empty lines, comments (lines that begin with #), a line `sep=` and some
    titles."""
    best: Heading | None = None
    skipped: Skipped = []
    separators, titles = list(SEPARATORS), 0
    for text in lines:
        plain = text.strip(AROUND)
        if plain and not plain.startswith("#"):
            headings = read_headings(lines.count, text, separators, skipped)
            heading = max(headings, key=lambda found: len(found.known))
            if heading.is_complete:
                return heading
            if best is None or len(heading.known) > len(best.known):
                best = heading._replace(skipped=list(skipped))
            if separator := separator_of(text):
                separators.append(separator)
                plain = text.strip()
            titles += 1
            if titles > MOST_TITLES:
                break
        if plain:
            skipped.append((lines.count, shown(plain)))
        check_empty(lines.count, lines.count - titles)
        lines.begin_record()
    return best


def find_heading_row(rows: Iterable[Row | None]) -> Heading | None:
    """The same of the rows of a sheet, whose columns are separated already."""
    best: Heading | None = None
    skipped: Skipped = []
    titles = 0
    for row in rows:
        if row is None or titles > MOST_TITLES:
            break
        known = frozenset(known_columns(row.cells).values())
        heading = Heading(row.number, "", "", row.cells, known, "", list(skipped))
        if heading.is_complete:
            return heading
        if best is None or len(known) > len(best.known):
            best = heading
        text = " ".join(filter(None, map(str.strip, row.cells)))
        titles += not text.startswith("#")
        skipped.append((row.number, shown(text)))
    return best


def read_headings(
    line: int, text: str, separators: list[str], skipped: Skipped
) -> Iterator[Heading]:
    """The line as a header with each of the separators."""
    begin = text[:HEADER_LENGTH]
    for separator in separators:
        if all(map(begin.count, separator)) or separator == separators[0]:
            tidy = quotes_of(separator).tidy(begin, inside=False)
            cells = next(csv.reader([tidy], delimiter=separator[0]), [])[:MOST_COLUMNS]
            names = known_columns(cells)
            evidence = "".join([separator, *names])
            found = frozenset(names.values())
            yield Heading(line, text, separator, cells, found, evidence, skipped)


def known_columns(cells: Iterable[str]) -> dict[str, str]:
    """The names of the fields that cells of a header name, by these cells."""
    known = {cell: COLUMNS.get(header_key(cell)) for cell in cells}
    return {cell: field.name for cell, field in known.items() if field}


def shown(text: str) -> str:
    """The beginning of a title, on one line."""
    return "".join(c if c.isprintable() else " " for c in text[:OTHER_LENGTH])


def separator_of(text: str) -> str:
    """The separator that a line `sep=;` of a spreadsheet names, or an empty text."""
    plain = text.strip('" \r\n')
    separator = plain[4:5]
    named = plain[:4].casefold() == "sep=" and (separator.isprintable() or separator == "\t")
    return separator if named else ""


def header_key(cell: str) -> str:
    """The name of a column for comparison: in any case and width, without invisible characters."""
    return same_key(cell[:OTHER_LENGTH]).casefold()


def read_header(line: int, cells: list[str]) -> tuple[Places, list[str]]:
    """The places of our columns, and the names of the others."""
    places: Places = {}
    ignored: list[str] = []
    names = [cell.strip() for cell in cells]
    for place, name in enumerate(names):
        field = COLUMNS.get(header_key(name))
        if field is None:
            if name:
                ignored.append(name[:OTHER_LENGTH])
        elif field.name in places:
            raise repeated_column(line, field, names[places[field.name]], name)
        else:
            places[field.name] = place
    for field in (PROVINCE, CITY):
        if field.name not in places:
            raise missing_column(line, field)
    return places, ignored[:OTHERS_SHOWN]


def check_empty(line: int, empty: int) -> None:
    """Refuse a file of empty lines before it costs much."""
    if empty > MOST_EMPTY:
        raise refused(
            N_(
                "Up to line %(line)s there are more than %(most)s lines without a city. "
                "Delete them and save the file again.",
                line=str(line),
                most=MOST_EMPTY,
            )
        )


def repeated_column(line: int, field: Field, first: str, second: str) -> Invalid:
    """The error for two columns of one field, by their names in the file."""
    if first == second:
        message = N_(
            "The header in line %(line)s has two columns “%(name)s”. Delete one of them.",
            line=str(line),
            name=first,
        )
    else:
        message = N_(
            "The columns “%(first)s” and “%(second)s” of the header in line %(line)s have the same "
            "meaning: %(field)s. Delete one of them.",
            line=str(line),
            first=first,
            second=second,
            field=field.label,
        )
    return refused(message)


def missing_column(line: int, field: Field) -> Invalid:
    """The error for a header without province or city."""
    return refused(
        N_(
            "The header in line %(line)s has no column “%(name)s” (or “%(header)s”). Add it.",
            line=str(line),
            name=field.label,
            header=field.headers[0],
        )
    )


def no_header(heading: Heading | None) -> Invalid:
    """The error for a file of which no line names province and city."""
    if heading is not None and heading.known:
        read_header(heading.line, heading.cells)
    line = str(heading.line if heading else 1)
    if heading is not None and heading.text.count('"') % 2:
        return unmatched_quotes(heading.line)
    if heading is not None and any(map(damage_of, heading.cells)):
        return refused(
            N_(
                "Line %(line)s, which should be the header, is damaged: the file was read in a "
                "wrong encoding once. Export it again as UTF-8.",
                line=line,
            )
        )
    return refused(
        N_(
            "Line %(line)s should be the header that names the columns. It needs “%(province)s” "
            "and “%(city)s”, which may also be named as here: %(header)s",
            line=line,
            province=PROVINCE.label,
            city=CITY.label,
            header=",".join(HEADER),
        )
    )
