"""CSV in and out, as plain functions on bytes and text; nothing here asks the database."""

import re
from dataclasses import dataclass

from flask_babel import gettext as _

from app.cities.csv_export import HEADER, unguard
from app.cities.importing.csv_reader import check_blank, records, refused

MOST_LINES = 5000
# 3 KB for each line: a column that is passed over may hold a description.
MOST_BYTES = 16 << 20
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
