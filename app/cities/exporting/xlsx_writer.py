"""The register as an Excel file (ECMA-376), written while it is sent, in constant memory.

openpyxl would first write all of it to a disk and then compress it in one piece, and a web process
would answer nobody else in the meantime. Here are rows of text and numbers only.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from io import RawIOBase
from itertools import count, groupby
from operator import itemgetter
from string import ascii_uppercase
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from app.cities.exporting.csv_writer import CELLS, HEADER
from app.cities.fields import CSV_FIELDS
from app.concurrency import yield_to_hub

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_576  # of a sheet, with the header
COMPRESSION = 1  # a quarter of the processor time of the default, and an eighth longer
LETTERS = ascii_uppercase[: len(CSV_FIELDS)]  # of columns
TEXT_WIDTH, NUMBER_WIDTH = 30, 16  # of columns, in digits
# The styles of cells, by their places in STYLES. What is typed into a cell of text stays text.
PLAIN, TEXT, HEAD = range(3)
# What XML cannot contain, and what readers would take for the notation of that.
UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")

XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
ROOT = (
    f'{XML}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
STYLES = (
    f'{XML}<styleSheet xmlns="{SHEETS}">'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" '
    'applyFont="1"/></cellXfs><cellStyles count="1">'
    '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


class Sink(RawIOBase):
    """A file that is only written; what was written is taken out piece by piece."""

    def __init__(self) -> None:
        self.written = bytearray()

    def write(self, data: Any, /) -> int:
        self.written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self.written)
        self.written.clear()
        return taken


def stream_xlsx(batches: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Rows of the register as a file, in a piece for each batch. An error in the middle is raised
    to the server, as in a CSV file."""
    sink = Sink()
    with ZipFile(sink, "w", ZIP_DEFLATED, compresslevel=COMPRESSION) as archive:
        for _part in write_parts(archive, batches):
            yield sink.take()
            yield_to_hub()  # to a fast reader the server never waits
    yield sink.take()


def write_parts(archive: ZipFile, batches: Iterable[Sequence[Any]]) -> Iterator[None]:
    """Write the parts of the file; pauses after each batch."""
    archive.writestr("_rels/.rels", ROOT)
    archive.writestr("xl/styles.xml", STYLES)
    names = []
    for number, parts in groupby(in_sheets(batches), itemgetter(0)):
        names.append("Cities" if number == 1 else f"Cities {number}")
        with archive.open(f"xl/worksheets/sheet{number}.xml", "w") as sheet:
            sheet.write(begin_sheet().encode())
            for _number, first, rows in parts:
                sheet.write("".join(map(write_row, count(first), rows)).encode())
                yield
            sheet.write(b"</sheetData></worksheet>")
    for name, content in directory(names).items():
        archive.writestr(name, content)


def in_sheets(batches: Iterable[Sequence[Any]]) -> Iterator[tuple[int, int, Sequence[Any]]]:
    """Rows with the number of their sheet, and in it that of the first; below each header go as
    many as a sheet can have. Without rows there is one sheet."""
    number, first = 1, 2
    for rows in batches:
        start = 0
        while start < len(rows):
            some = rows[start : start + MOST_ROWS - first + 1]
            yield number, first, some
            start, first = start + len(some), first + len(some)
            if first > MOST_ROWS:
                number, first = number + 1, 2
    if (number, first) == (1, 2):
        yield number, first, []


def begin_sheet() -> str:
    """What comes before the rows of a sheet: the widths of columns, and a header that stays."""
    columns = "".join(
        f'<col min="{place}" max="{place}" customWidth="1" '
        f'width="{NUMBER_WIDTH if field.numeric else TEXT_WIDTH}" '
        f'style="{PLAIN if field.numeric else TEXT}"/>'
        for place, field in enumerate(CSV_FIELDS, 1)
    )
    header = "".join(
        write_cell(letter, 1, name, HEAD) for letter, name in zip(LETTERS, HEADER, strict=True)
    )
    return (
        f'{XML}<worksheet xmlns="{SHEETS}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        f"</sheetView></sheetViews><cols>{columns}</cols>"
        f'<sheetData><row r="1">{header}</row>'
    )


def write_row(number: int, row: Any) -> str:
    """A row of the register; a cell without a value is left out."""
    cells = [
        write_cell(letter, number, cell)
        for letter, cell in zip(LETTERS, CELLS(row), strict=True)
        if cell not in (None, "")
    ]
    return f'<row r="{number}">{"".join(cells)}</row>'


def write_cell(letter: str, number: int, cell: str | int, style: int = TEXT) -> str:
    """A number, or text, which is not calculated whatever it begins with."""
    if not isinstance(cell, str):
        return f'<c r="{letter}{number}"><v>{cell}</v></c>'
    text = escape(UNWRITABLE.sub(as_code, cell), quote=False)
    return (
        f'<c r="{letter}{number}" s="{style}" t="inlineStr">'
        f'<is><t xml:space="preserve">{text}</t></is></c>'
    )


def as_code(found: re.Match[str]) -> str:
    """A character by its number, as Excel writes it."""
    return f"_x{ord(found[0]):04X}_"


def directory(names: Sequence[str]) -> dict[str, str]:
    """The parts of the file that name its sheets, which therefore come last."""
    numbers = range(1, len(names) + 1)
    sheets = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(names, 1)
    )
    links = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/worksheet" '
        f'Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    types = {"/xl/workbook.xml": "sheet.main", "/xl/styles.xml": "styles"} | {
        f"/xl/worksheets/sheet{number}.xml": "worksheet" for number in numbers
    }
    overrides = "".join(
        f'<Override PartName="{name}" ContentType="{KIND}.{kind}+xml"/>'
        for name, kind in types.items()
    )
    return {
        "xl/workbook.xml": f'{XML}<workbook xmlns="{SHEETS}" xmlns:r="{OFFICE}">'
        f"<bookViews><workbookView/></bookViews><sheets>{sheets}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{links}'
        f'<Relationship Id="rIdStyles" Type="{OFFICE}/styles" Target="styles.xml"/>'
        "</Relationships>",
        "[Content_Types].xml": f'{XML}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>',
    }
