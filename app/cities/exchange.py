"""CSV in and out, as plain functions on bytes and text; nothing here asks the database."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from app.cities.records import check_blank, records, refused
from app.concurrency import yield_to_hub

MOST_LINES = 5000
# 3 KB for each line: a column that is passed over may hold a description.
MOST_BYTES = 16 << 20
MARK = "\ufeff"
HEADER = ("provincename", "cityname", "usernumber")
# The original's names of the columns and those of its form, and the labels of our pages in both
# languages; a test compares the labels with this table.
COLUMNS = {
    "provincename": "province",
    "province": "province",
    "省份": "province",
    "cityname": "city",
    "city": "city",
    "城市": "city",
    "usernumber": "number",
    "number": "number",
    "users": "number",
    "用户数": "number",
}
# What a spreadsheet would take for a formula. The apostrophes before it are part of the pattern,
# so that a name which itself begins with '= gets one more and comes back whole.
FORMULA = re.compile(r"'*[=+\-@\t\r]")
OTHERS_SHOWN, OTHER_LENGTH = 20, 60


@dataclass(frozen=True)
class Line:
    """One record below the header, as typed; `number` is None where the file has no such column.
    `line` is the line of the file in which it begins, counted from 1."""

    line: int
    province: str
    city: str
    number: str | None
    surplus: bool = False  # more cells than the header has columns


@dataclass(frozen=True)
class Table:
    """A file that could be read. `ignored` names the columns that are not ours."""

    lines: list[Line]
    ignored: list[str]
    has_number: bool


def guard(text: str) -> str:
    """An apostrophe before what a spreadsheet would calculate."""
    return f"'{text}" if FORMULA.match(text) else text


def unguard(text: str) -> str:
    """The reverse: exactly one apostrophe is taken off."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def write_csv(rows: Iterable[Iterable[str | int | None]]) -> str:
    """Rows as RFC 4180 has them, ended by CRLF. Text is guarded, numbers stand as they are."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([guard(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue()


def stream_csv(batches: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Rows of the register as a file that Excel opens with Chinese intact: the mark, the header,
    then a piece for each batch. An error in the middle goes up to the server, which then breaks
    the transfer off; a file that merely ended early would be taken for whole."""
    begin = MARK + write_csv([HEADER])
    for rows in batches:
        yield begin + write_csv([(r.provincename, r.cityname, r.usernumber) for r in rows])
        begin = ""
        yield_to_hub()  # to a fast reader the server never waits
    if begin:
        yield begin


def read_csv(data: bytes) -> Table:
    """Read a whole file; Invalid with one sentence when it is none that we can read."""
    found = records(data)
    header_line, header = next(found, (1, []))
    places, ignored = read_header(header_line, header)
    lines: list[Line] = []
    blank = 0
    for line, cells in found:
        if not any(cell.strip() for cell in cells):
            blank += 1
            check_blank(line, blank)
            continue
        if len(lines) == MOST_LINES:
            raise refused(
                _(
                    "Line %(line)s is one too many: at most %(most)s cities go into one file. "
                    "Divide the file and import the parts one after another.",
                    line=line,
                    most=MOST_LINES,
                )
            )
        lines.append(read_line(line, cells, places, len(header)))
    if not lines:
        raise refused(
            _(
                "There is nothing below the header in line %(line)s. Add a line for each city.",
                line=header_line,
            )
        )
    return Table(lines, ignored, "number" in places)


def read_header(line: int, cells: list[str]) -> tuple[dict[str, int], list[str]]:
    """Where our columns stand, and the names of the others."""
    places: dict[str, int] = {}
    ignored: list[str] = []
    for place, cell in enumerate(cells):
        name = COLUMNS.get(cell.strip().casefold())
        if name is None:
            if cell.strip():
                ignored.append(cell.strip()[:OTHER_LENGTH])
        elif name in places:
            raise refused(
                _(
                    "The header in line %(line)s names the column “%(name)s” twice. "
                    "Keep one of them.",
                    line=line,
                    name=cell.strip(),
                )
            )
        else:
            places[name] = place
    check_header(line, cells, places)
    return places, ignored[:OTHERS_SHOWN]


def check_header(line: int, cells: list[str], places: dict[str, int]) -> None:
    """Province and city must be there; the sentence says what is wrong as closely as it can."""
    if "province" in places and "city" in places:
        return
    separated = re.split(r"[;\t]", cells[0].casefold()) if len(cells) == 1 else []
    if any(part.strip() in COLUMNS for part in separated[:3]) and len(separated) > 1:
        raise refused(
            _(
                "The columns in line %(line)s are not separated by commas. "
                "Save the file with commas between the columns.",
                line=line,
            )
        )
    if "province" in places or "city" in places:
        raise refused(
            _(
                "The header in line %(line)s has no column “%(name)s”. Add it.",
                line=line,
                name="provincename" if "city" in places else "cityname",
            )
        )
    raise refused(
        _(
            "Line %(line)s should be the header that names the columns. "
            "Let the file begin with: %(header)s",
            line=line,
            header=",".join(HEADER),
        )
    )


def read_line(line: int, cells: list[str], places: dict[str, int], width: int) -> Line:
    """One record; a cell that is not there is empty."""

    def cell(name: str) -> str:
        place = places[name]
        return cells[place] if place < len(cells) else ""

    return Line(
        line,
        unguard(cell("province")),
        unguard(cell("city")),
        cell("number") if "number" in places else None,
        surplus=any(text.strip() for text in cells[width:]),
    )
