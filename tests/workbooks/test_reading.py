"""What is read of Excel workbooks, and what is refused, in a child process."""

import datetime
import zipfile
from io import BytesIO

import pytest
from openpyxl.chart import BarChart, Reference

from app.workbooks import child, reading
from app.workbooks.reading import ReadersBusy, Row, Unreadable, list_sheets, open_rows
from tests.workbooks.books import HEADER, XLSM, XLSX, book, with_parts, with_rows

# A cell of more characters than Excel can write.
LONG = f'<row r="3"><c t="inlineStr"><is><t>{"x" * 1_000_000}</t></is></c></row>'.encode()


@pytest.fixture
def stored(app, tmp_path):
    """Stores the bytes of a workbook; returns the path."""

    def store(data):
        path = tmp_path / "book"
        path.write_bytes(data)
        return path

    with app.app_context():
        yield store


def rows_of(path, sheet=0, most=100):
    """The name of a sheet and its rows."""
    with open_rows(path, sheet, most) as (name, read):
        found = list(read())
        assert list(read()) == found
        return name, found


def refusal(path):
    """Why a workbook is not read."""
    with pytest.raises(Unreadable) as caught:
        _read = list_sheets(path), rows_of(path)
    return caught.value.message


def protected():
    """A workbook whose parts say that they are encrypted."""
    begin = b"PK\1\2\x14\3\x14\0"
    return book([["a"]]).replace(begin + b"\0", begin + b"\1")


def cell(place, value, kind="n", formula=""):
    """The XML of a cell."""
    return f'<c r="{place}" t="{kind}">{formula}<v>{value}</v></c>'


def test_rows_have_their_numbers_and_values_as_people_type_them(stored):
    rows = [HEADER, [], ["广东", "深圳市", 17494398.0], [None, "x", 1.5], ["", " "], [True, 1e20]]
    name, found = rows_of(stored(book(rows)))
    assert name == "A"
    assert found == [
        Row(1, HEADER, {}),
        Row(3, ["广东", "深圳市", "17494398"], {}),
        Row(4, ["", "x", "1.5"], {}),
        Row(6, ["TRUE", "1e+20"], {}),
    ]


def test_what_is_wrong_with_cells_is_noted(stored):
    moments = [datetime.date(2026, 3, 1), datetime.datetime(2026, 3, 1, 5), datetime.time(5)]  # noqa: DTZ001

    def merge(made):
        made["A"].merge_cells("A3:A4")
        made["A"].merge_cells("B3:C3")

    rows = [moments, ["=A1+1", "#REF!"], ["广东", "深圳市"], [None, "广州市", 5]]
    _name, found = rows_of(stored(book(rows, change=merge)))
    assert found == [
        Row(1, ["2026-03-01", "2026-03-01 05:00:00", "05:00:00"], dict.fromkeys(range(3), "date")),
        Row(2, ["=A1+1", "#REF!"], {0: "formula", 1: "error"}),
        Row(3, ["广东", "深圳市"], {2: "merged"}),
        Row(4, ["", "广州市", "5"], {0: "merged"}),
    ]


def test_the_stored_value_of_a_formula_is_taken(stored):
    row = cell("A1", 7, formula="<f>3+4</f>") + cell("B1", "#N/A", "e", "<f>NA()</f>")
    shared = cell("C1", "a", "str", '<f t="shared" si="0" ref="C1:C2">"a"</f>')
    data = with_rows(book([["x"]]), f'<row r="1">{row}{shared}</row>'.encode())
    assert rows_of(stored(data))[1] == [Row(1, ["7", "#N/A", "a"], {1: "error"})]


def shared(rows, texts):
    """A workbook whose cells name texts of a table, as those of Excel do."""
    kind = (
        b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-'
        b'officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
    )
    table = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</sst>'
    return with_parts(
        with_rows(book([["x"]]), rows.encode()),
        lambda _name, part: part.replace(b"</Types>", kind),
        **{"xl__sharedStrings.xml": table.format("".join(texts)).encode()},
    )


def test_shared_texts_are_read_in_any_order(stored):
    texts = [f"<si><t>{name}</t></si>" for name in ("b", "", "深圳 &amp; <!-- -->")]
    parts = (
        "<r><t>two </t></r><r><rPr><b/></rPr><t>parts</t></r><rPh><t>said</t></rPh><phoneticPr/>"
    )
    cells = [cell(f"{'ABCDE'[place]}1", text, "s") for place, text in enumerate((3, 2, 1, 0, 3))]
    data = shared(f'<row r="1">{"".join(cells)}</row>', [*texts, f"<si>{parts}</si>"])
    assert rows_of(stored(data))[1] == [
        Row(1, ["two parts", "深圳 & ", "", "b", "two parts"], {}),
    ]


def test_a_text_that_is_not_there_is_damage(stored):
    data = shared(f'<row r="1">{cell("A1", 1, "s")}</row>', ["<si><t>a</t></si>"])
    assert "is damaged" in str(refusal(stored(data)))


def test_sheets_are_listed_with_their_first_rows(stored):
    def hide(made):
        made["B"].sheet_state = "hidden"
        chart = BarChart()
        chart.add_data(Reference(made["B"], min_col=2, min_row=1, max_row=9))
        made.create_chartsheet("chart").add_chart(chart)

    many = [["x" * 500, number] for number in range(100)]
    first, second, third = list_sheets(stored(book([], many, [["a"]], change=hide)))
    assert (first.name, first.is_hidden, first.rows) == ("A", False, [])
    assert (second.is_hidden, len(second.rows)) == (True, reading.FIRST_ROWS)
    assert second.rows[1] == Row(2, ["x" * child.SHOWN_LENGTH, "1"], {})
    assert third.rows == [Row(1, ["a"], {})]


def test_more_rows_than_asked_for_are_announced(stored):
    path = stored(book([[number] for number in range(5)]))
    assert rows_of(path, most=5)[1][-1] == Row(5, ["4"], {})
    assert rows_of(path, most=4)[1][3:] == [Row(4, ["3"], {}), None]


def test_wrong_dimensions_and_a_distant_row_do_not_matter(stored):
    rows = f'<row r="3">{cell("A3", 1)}</row><row r="1048576">{cell("B1048576", 2)}</row>'
    data = with_rows(book([["x"]]), rows.encode())
    path = stored(with_parts(data, lambda _name, part: part.replace(b'ref="A1"', b'ref="A1:B2"')))
    assert rows_of(path)[1] == [Row(3, ["1"], {}), Row(1048576, ["", "2"], {})]


def test_rows_that_no_sheet_can_have_are_not_waited_for(stored):
    rows = f'<row r="1">{cell("A1", 1)}</row><row r="999999999999">{cell("A999999999999", 2)}</row>'
    assert rows_of(stored(with_rows(book([["x"]]), rows.encode())))[1] == [Row(1, ["1"], {})]


def test_empty_rows_below_the_last_one_with_a_value_are_not_read(stored, monkeypatch):
    empty = "".join(f'<row r="{number}" ht="15"/>' for number in range(3, 200_000))
    rows = f'<row r="1">{cell("A1", 1)}</row><row r="2">{cell("A2", 2)}</row>{empty}'
    data = with_rows(book([["x"]]), rows.encode())
    seen = []
    monkeypatch.setattr(child, "read_cells", lambda cells, _others: (seen.append(1), ([], {}))[1])
    assert list(child.read_rows(BytesIO(data), 0, 10)) == ["A", False]
    assert len(seen) == 2


def test_macros_are_left_alone(stored):
    data = with_parts(
        book([["a"]]),
        lambda _name, part: part.replace(XLSX.encode(), XLSM.encode()),
        xl__vbaProject_bin=b"\xd0\xcf\x11\xe0",
    )
    assert rows_of(stored(data))[1] == [Row(1, ["a"], {})]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\3\4 this is no archive", "damaged or incomplete"),
        (book([["a"]])[:-200], "damaged or incomplete"),
        (with_rows(book([["a"]]), b"<row><c><v>1</row>"), "damaged or incomplete"),
        (with_rows(book([["a"]]), b'<row r="1"><c t="s"><v>99</v></c></row>'), "damaged"),
        (protected(), "password"),
        (with_parts(book([["a"]]), lambda _n, part: part, xl__workbook_bin=b""), "binary format"),
        (book([], []), "All sheets of this workbook are empty."),
        (
            with_rows(book([]), LONG),
            "Row 3 of the sheet “A” is too long: a cell can have at most 131,072",
        ),
    ],
)
def test_a_workbook_that_cannot_be_read_is_refused_with_the_reason(stored, data, message):
    data = data.replace(b"xl/workbook_bin", b"xl/workbook.bin")
    assert message in refusal(stored(data))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["word/document.xml", "[Content_Types].xml"], "document of another kind"),
        (["a.txt"], "document of another kind"),
    ],
)
def test_other_archives_are_named(stored, names, message):
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    assert message in refusal(stored(file.getvalue()))


def test_a_document_of_another_program_is_named(stored):
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", child.OPEN_DOCUMENT + b".spreadsheet")
    assert "OpenDocument" in refusal(stored(file.getvalue()))


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(stored):
    def grow(name, part):
        return part + b" " * (child.MOST_UNPACKED + 1) if name.endswith("sheet1.xml") else part

    path = stored(with_parts(book([["a"]]), grow))
    assert path.stat().st_size < 1 << 20
    assert "unpacks to more than 512 MB" in refusal(path)


def test_entities_that_grow_end_the_reading(stored):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    data = with_parts(
        book([["cell"]]),
        lambda name, part: (
            f"{bomb}]>".encode() + part.replace(b"cell", b"&j;")
            if name.endswith("sheet1.xml")
            else part
        ),
    )
    assert "damaged" in refusal(stored(data))


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (-9, ReadersBusy, "was interrupted"),
        (-24, Unreadable, "too much time or memory"),
        (None, Unreadable, "too much time or memory"),
        (1, Unreadable, "too much time or memory"),
    ],
)
def test_a_child_that_was_ended_says_nothing(stored, monkeypatch, status, kind, message):
    monkeypatch.setattr(reading, "run", lambda *_arguments: status)
    with pytest.raises(kind, match=message):
        list_sheets(stored(b""))


def test_only_so_many_are_read_at_once(stored, monkeypatch):
    monkeypatch.setattr(reading, "AT_ONCE", 0)
    monkeypatch.setattr(reading, "WAIT_SECONDS", 0)
    with pytest.raises(ReadersBusy, match="Other workbooks"):
        list_sheets(stored(b""))
