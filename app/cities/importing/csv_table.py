"""The lines of a CSV file as cities, as plain functions; nothing here asks the database."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.cities.exporting.csv_writer import HEADER, unguard
from app.cities.fields import CITY, CSV_FIELDS, PROVINCE, Field
from app.cities.importing.csv_reader import check_empty, records, refused
from app.errors import Invalid
from app.text import N_

MOST_LINES = 5000
# 3 KB for each line: an ignored column may hold a description.
MOST_BYTES = 16 << 20
OTHERS_SHOWN, OTHER_LENGTH = 20, 60
COLUMNS: dict[str, Field] = {header: field for field in CSV_FIELDS for header in field.headers}
# The position of each field's column in the file, by the name of the field.
Places = dict[str, int]


@dataclass(frozen=True)
class Line:
    """One record below the header. `line` is the line of the file in which it begins, counted from
    1; `cells` are its texts by the names of fields, of those for which the file has a column."""

    line: int
    cells: Mapping[str, str]
    surplus: bool = False  # more cells than the header has columns


@dataclass(frozen=True)
class Table:
    """A file that could be read. `fields` are the names of fields for which it has a column,
    `ignored` the headers of its other columns."""

    lines: list[Line]
    fields: list[str]
    ignored: list[str]


def read_csv(data: bytes) -> Table:
    """Read a whole file; Invalid with one message if that is impossible."""
    found = records(data)
    header_line, header = next(found, (1, []))
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
    return Table(lines, list(places), ignored)


def read_header(line: int, cells: list[str]) -> tuple[Places, list[str]]:
    """The places of our columns, and the names of the others."""
    places: Places = {}
    ignored: list[str] = []
    names = [cell.strip() for cell in cells]
    for place, name in enumerate(names):
        field = COLUMNS.get(name.casefold())
        if field is None:
            if name:
                ignored.append(name[:OTHER_LENGTH])
        elif field.name in places:
            raise repeated_column(line, field, names[places[field.name]], name)
        else:
            places[field.name] = place
    check_header(line, cells, places)
    return places, ignored[:OTHERS_SHOWN]


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


def check_header(line: int, cells: list[str], places: Places) -> None:
    """Refuse a header without province or city."""
    missing = [field for field in (PROVINCE, CITY) if field.name not in places]
    if not missing:
        return
    separated = re.split(r"[;\t，]", cells[0].casefold()) if len(cells) == 1 else []
    if any(part.strip() in COLUMNS for part in separated[:3]) and len(separated) > 1:
        raise refused(
            N_(
                "The columns in line %(line)s are not separated by commas (,). "
                "Save the file with commas between the columns.",
                line=str(line),
            )
        )
    if len(missing) == 1:
        raise refused(
            N_(
                "The header in line %(line)s has no column “%(name)s” (or “%(header)s”). Add it.",
                line=str(line),
                name=missing[0].label,
                header=missing[0].headers[0],
            )
        )
    raise refused(
        N_(
            "Line %(line)s should be the header that names the columns. It needs “%(province)s” "
            "and “%(city)s”, which may also be named as here: %(header)s",
            line=str(line),
            province=PROVINCE.label,
            city=CITY.label,
            header=",".join(HEADER),
        )
    )


def read_line(line: int, cells: list[str], places: Places, width: int) -> Line:
    """One record; a missing cell is empty."""
    texts = {
        name: unguard(cells[place]) if place < len(cells) else "" for name, place in places.items()
    }
    return Line(line, texts, surplus=any(map(str.strip, cells[width:])))
