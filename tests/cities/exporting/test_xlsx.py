"""The register as an Excel file."""

import io
import re
import tracemalloc
from itertools import repeat
from types import SimpleNamespace
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from app.cities.exporting import xlsx_writer
from app.cities.exporting.queries import batches
from app.cities.exporting.xlsx_writer import in_sheets, stream_xlsx
from app.cities.listing.queries import CityListing
from tests.cities.conftest import ACTOR, add_cities
from tests.cities.exporting.test_export import NASTY, read

HEADER = ("provincename", "cityname", "usernumber")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def row(province, city, users):
    return SimpleNamespace(provincename=province, cityname=city, usernumber=users)


def write(*rows):
    return b"".join(stream_xlsx([[row(*cells) for cells in rows]]))


def values(data):
    """The cells of the first sheet, as another program reads them."""
    sheet = load_workbook(io.BytesIO(data)).worksheets[0]
    return list(sheet.iter_rows(values_only=True))


def cells(data):
    """The cells of the first sheet as they are in the file."""
    with ZipFile(io.BytesIO(data)) as archive:
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))  # noqa: S314
    return list(sheet.iter(f"{MAIN}c"))


def test_nasty_names_come_back_as_the_same(any_app):
    add_cities((None, None, None), *NASTY)
    data = b"".join(stream_xlsx(batches(ACTOR, CityListing(descending=False), 7)))
    assert values(data) == [HEADER, (None, None, None), *NASTY]


def test_text_is_text_and_numbers_are_numbers():
    data = write(("=1+1", "007", 17), ("+a", "-5", 0), ("@a", "1e3", -3))
    assert [(cell.get("r"), cell.get("t")) for cell in cells(data)[3:]] == [
        ("A2", "inlineStr"), ("B2", "inlineStr"), ("C2", None),
        ("A3", "inlineStr"), ("B3", "inlineStr"), ("C3", None),
        ("A4", "inlineStr"), ("B4", "inlineStr"), ("C4", None),
    ]  # fmt: skip
    assert values(data)[1:] == [("=1+1", "007", 17), ("+a", "-5", 0), ("@a", "1e3", -3)]
    with ZipFile(io.BytesIO(data)) as archive:
        xml = b"".join(archive.read(name) for name in archive.namelist())
    assert b"<f" not in re.sub(b"<(fonts?|fills?)[ >]", b"", xml)


def test_what_is_typed_into_a_cell_of_text_stays_text():
    sheet = load_workbook(io.BytesIO(write(("a", "b", 1)))).worksheets[0]
    assert [cell.number_format for cell in sheet[2]] == ["@", "@", "General"]


def test_the_header_stays_and_columns_have_a_width():
    sheet = load_workbook(io.BytesIO(write(("a", "b", 1)))).worksheets[0]
    assert sheet.freeze_panes == "A2"
    assert sheet["A1"].font.bold
    assert not sheet["A2"].font.bold
    assert [sheet.column_dimensions[letter].width for letter in "ABC"] == [30, 30, 16]


def test_characters_that_xml_cannot_contain_are_written_by_their_number():
    data = write(("a\x01\ufffe", "\r\n\t", 1), ("_x0041_", "_x41_ <&>", 2))
    texts = [cell.find(f".//{MAIN}t").text for cell in cells(data)[3:] if cell.get("t")]
    assert texts == ["a_x0001__xFFFE_", "_x000D_\n\t", "_x005F_x0041_", "_x41_ <&>"]


def test_an_empty_register_is_a_sheet_with_a_header():
    assert values(write()) == [HEADER]
    assert values(b"".join(stream_xlsx([]))) == [HEADER]


def test_what_is_too_much_for_a_sheet_goes_to_another(monkeypatch):
    monkeypatch.setattr(xlsx_writer, "MOST_ROWS", 4)
    assert list(in_sheets([[1, 2], [3, 4, 5, 6, 7, 8]])) == [
        (1, 2, [1, 2]), (1, 4, [3]), (2, 2, [4, 5, 6]), (3, 2, [7, 8]),
    ]  # fmt: skip
    assert list(in_sheets([[1, 2, 3]])) == [(1, 2, [1, 2, 3])]


def test_the_second_sheet_can_be_read(monkeypatch):
    monkeypatch.setattr(xlsx_writer, "MOST_ROWS", 3)
    book = load_workbook(io.BytesIO(write(("a", "b", 1), ("c", "d", 2), ("e", "f", 3))))
    assert book.sheetnames == ["Cities", "Cities 2"]
    assert list(book["Cities 2"].values) == [HEADER, ("e", "f", 3)]


def test_the_file_is_what_the_list_shows(app, as_role):
    with app.app_context():
        add_cities(("广东", "深圳市", 5), ("广东", "广州市", 7), ("湖南", "长沙市", 6))
    viewer = as_role("viewer")
    query = "q=广&sort=users&order=asc"
    response = viewer.get(f"/cities/export.xlsx?{query}")
    assert response.status_code == 200
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert response.content_type == kind
    assert response.headers["Cache-Control"] == "no-store"
    disposition = response.headers["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="cities-\d{4}-\d\d-\d\d\.xlsx"', disposition)
    csv = read(viewer.get(f"/cities/export.csv?{query}").get_data())
    assert [tuple(map(str, row)) for row in values(response.get_data())] == list(map(tuple, csv))
    assert len(csv) == 3


def test_memory_does_not_grow_with_the_register():
    rows = [row("广东", f"城市{number}", number) for number in range(500)]
    largest = length = 0
    tracemalloc.start()
    try:
        for piece in stream_xlsx(repeat(rows, 40)):
            length += len(piece)
            largest = max(largest, tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert largest < 1_000_000  # the sheet is more than 3 MB


def test_a_failure_is_raised_to_the_server():
    def failing():
        yield [row("a", "b", 1)]
        raise ConnectionError

    pieces = stream_xlsx(failing())
    assert next(pieces).startswith(b"PK")
    with pytest.raises(ConnectionError):
        next(pieces)


def test_a_client_may_leave_in_the_middle():
    pieces = stream_xlsx([[row("a", "b", 1)], [row("c", "d", 2)]])
    next(pieces)
    pieces.close()
