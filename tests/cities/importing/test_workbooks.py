"""Importing Excel workbooks: the rules are those for CSV files, the lines are rows of a sheet."""

import datetime

import pytest

from app.cities.exporting.queries import batches
from app.cities.exporting.xlsx_writer import stream_xlsx
from app.cities.importing.reading import tables
from app.cities.importing.reading.choices import Reading
from app.cities.importing.reading.tables import suggest
from app.cities.listing.queries import CityListing
from app.config import LANGUAGES
from app.errors import Invalid
from tests.cities.conftest import ACTOR, add_cities
from tests.cities.exporting.test_export import NASTY
from tests.cities.importing.staging import (
    begin,
    confirm,
    editor,
    outcomes,
    read_csv,
    register,
    send,
)
from tests.html import Page
from tests.workbooks.books import HEADER, book


def stage_book(person, data):
    """Import a workbook as far as its preview."""
    return begin(editor(person), "cities.xlsx", data)


@pytest.fixture
def refusal(app):
    """Says why a workbook with these sheets is refused."""

    def refuse(*sheets):
        with app.app_context(), pytest.raises(Invalid) as caught:
            read_csv(book(*sheets))
        return caught.value.message

    return refuse


def test_a_sheet_is_compared_with_the_register_row_by_row(person):
    add_cities(("广东", "深圳市", 5), ("广东", "广州市", 7))
    rows = [
        ["城市登记表"],
        [],
        ["备注", *HEADER],
        ["x", "广东", "深圳市", 6],
        [],
        ["", "广东", "广州市", "7"],
        ["", "广东", "佛山市", 8.0, "beside the table"],
        ["", "广东", "佛山市", 9],
        ["", None, "无名", 1.5],
    ]
    import_id = stage_book(person, book(rows))
    assert [(row[0], row[1]) for row in outcomes(import_id)] == [
        (4, "changed"), (6, "same"), (7, "new"), (8, "refused"), (9, "refused"),
    ]  # fmt: skip
    assert outcomes(import_id)[3][3] == "Line 7 has the same city with other values."
    confirm(import_id, person)
    assert register() == [("广东", "深圳市", 6), ("广东", "广州市", 7), ("广东", "佛山市", 8)]


def test_dates_errors_formulas_and_merged_cells_are_refused_by_name(person):
    def merge(made):
        made["A"].merge_cells("A5:A6")

    rows = [
        HEADER,
        ["广东", "甲", datetime.date(2026, 3, 1)],
        ["广东", "#REF!", 1],
        ["广东", "乙", "=1+1"],
        ["广西", "丙", 1],
        [None, "丁", 1],
    ]
    import_id = stage_book(person, book(rows, change=merge))
    found = outcomes(import_id)
    assert [row[:3] for row in found] == [
        (2, "refused", "users"),
        (3, "refused", "city"),
        (4, "refused", "users"),
        (5, "new", ""),
        (6, "refused", "province"),
    ]
    assert found[0][3].startswith("“2026-03-01” is a date.")
    assert found[1][3].startswith("“#REF!” is the error of a formula.")
    assert found[2][3].startswith("“=1+1” is a formula without a stored value.")
    assert found[4][3].startswith("This cell is merged with another one")


def test_the_only_sheet_with_cities_is_read(person):
    import_id = stage_book(person, book([["notes"]], [], [HEADER, ["a", "b", 1]]))
    assert confirm(import_id, person) == (1, 0)


@pytest.mark.parametrize("rows", [[HEADER, ["a", "b", 1]], [["x"]]])
def test_several_sheets_with_cities_or_none_have_to_be_chosen(app, tmp_path, rows):
    path = tmp_path / "book"
    path.write_bytes(book([], rows, rows))
    with app.app_context():
        assert suggest(path) == (Reading(sheet=1), False)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["省份", "用户数"], ["a", 1]], "The header in line 1 has no column “City”"),
        (
            [["x"], ["省份", "城市", "市"]],
            "Sheet “A”: The columns “城市” and “市” of the header in line 2",
        ),
        ([HEADER], "Sheet “A”: There is nothing below the header in line 1."),
        ([["a"], ["b"]], "Sheet “A”: Line 1 should be the header"),
        ([HEADER, ["a"] * 201], "Line 2 has 201 cells; at most 200"),
    ],
)
def test_a_sheet_without_cities_is_refused_with_its_name_and_row(refusal, rows, message):
    assert message in refusal(rows)


def test_a_sheet_has_a_most_of_lines(refusal, monkeypatch):
    monkeypatch.setattr(tables, "MOST_LINES", 500)
    rows = [HEADER, *(["a", f"b{n}", 1] for n in range(500)), [], ["a", "b", 1]]
    assert "Sheet “A”: Line 503 is one too many" in refusal(rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_name_the_sheet_and_the_reasons(as_role, language):
    visitor = as_role("editor")
    visitor.client.set_cookie("gz_language", language)
    rows = [HEADER, ["广东", "甲", datetime.date(2026, 3, 1)], ["广东", "乙", 1]]
    page = Page(visitor.get(send(visitor, book(rows), "cities.xlsx").location))
    words = {
        "en": ("Read from the sheet “A”", "is a date"),
        "zh": ("读取自工作表“A”", "是日期"),
    }[language]
    assert words[0] in page.texts("p.quiet")[0]
    assert words[1] in page.text("#refused tbody .main")
    refused = send(visitor, book([HEADER]), "cities.xlsx")
    assert refused.status_code == 422
    sheet = {"en": "Sheet “A”: There is nothing", "zh": "工作表“A”："}[language]
    assert sheet in Page(refused).text("#file-error")
    damaged = send(visitor, b"PK\3\4", "cities.xlsx")
    assert {"en": "damaged", "zh": "已损坏"}[language] in Page(damaged).text("#file-error")


def test_what_we_export_comes_back_as_the_same(person):
    add_cities(*NASTY)
    data = b"".join(stream_xlsx(batches(ACTOR, CityListing())))
    assert [row[1] for row in outcomes(stage_book(person, data))] == ["same"] * len(NASTY)
