"""Reading a CSV file, before the register is asked."""

import pytest
from flask_babel import force_locale

from app.cities.exporting.csv_writer import guard, unguard, write_csv
from app.cities.fields import CSV_FIELDS, FIELDS
from app.cities.importing import csv_reader
from app.cities.importing.csv_reader import LINE_COSTS, MOST_COLUMNS, MOST_EMPTY, PAUSE_EVERY
from app.cities.importing.csv_table import MOST_LINES, Line, read_csv
from app.config import LANGUAGES
from app.errors import Invalid
from tests.factories import SPACES

HEADER = "provincename,cityname,usernumber\n"


def line(number, *cells, surplus=False):
    """A line as it is read: its cells are those of province, city and users."""
    names = [field.name for field in CSV_FIELDS]
    return Line(number, dict(zip(names, cells, strict=False)), surplus)


@pytest.fixture(autouse=True)
def _inside(app):
    with app.test_request_context():
        yield


def refusal(data: bytes | str) -> str:
    """The message that refuses a whole file."""
    with pytest.raises(Invalid) as caught:
        read_csv(data.encode() if isinstance(data, str) else data)
    assert list(caught.value.fields) == ["file"]
    return caught.value.message


@pytest.mark.parametrize("byte_order_mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_ends_with_or_without_byte_order_mark(byte_order_mark, end):
    text = byte_order_mark + HEADER + '广东,深圳市,1\n"广东","a ""b"", c",2\n'
    table = read_csv(text.replace("\n", end).encode())
    assert table.lines == [line(2, "广东", "深圳市", "1"), line(3, "广东", 'a "b", c', "2")]
    assert table.ignored == []
    assert table.fields == ["province", "city", "users"]


def test_short_header_in_any_case_and_order_and_with_spaces():
    table = read_csv(b" Number ,CITY,province\n5,b,a\n")
    assert table.lines == [line(2, "a", "b", "5")]


@pytest.mark.parametrize(
    "header", ["City,Province,Users", " 城市 ,\u3000省份,用户数", "城市,PROVINCE,users "]
)
def test_the_labels_of_our_pages_name_the_columns(header):
    table = read_csv(f"{header}\nb,a,5\n".encode())
    assert table.lines == [line(2, "a", "b", "5")]
    assert table.ignored == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_label_of_a_field_is_a_column_header(language):
    with force_locale(language):
        for field in FIELDS:
            assert str(field.label).casefold() in field.headers


def test_other_columns_are_named_and_ignored():
    table = read_csv(b"province,city,number,latitude,,longitude\na,b,1,2,3,4\n")
    assert table.ignored == ["latitude", "longitude"]
    assert table.lines == [line(2, "a", "b", "1")]


def test_lines_before_the_header_that_begin_with_a_hash_are_skipped():
    text = '# Source: "somebody", CC BY 4.0\n\n"# quoted by a spreadsheet",,\n' + HEADER + "a,b,1\n"
    assert read_csv(text.encode()).lines == [line(5, "a", "b", "1")]


def test_a_hash_below_the_header_is_a_name():
    assert read_csv((HEADER + "#a,b,1\n").encode()).lines == [line(2, "#a", "b", "1")]


def test_missing_column_differs_from_an_empty_cell():
    assert read_csv(b"province,city\na,b\n").lines == [line(2, "a", "b")]
    assert read_csv(b"province,city,number\na,b\n").lines == [line(2, "a", "b", "")]


def test_line_breaks_in_quotes_belong_to_the_cell_and_lines_are_counted_by_the_file():
    table = read_csv((HEADER + '"a\r\nb",c,1\n\n,,\nd,e,2\n').encode())
    assert table.lines == [line(2, "a\r\nb", "c", "1"), line(6, "d", "e", "2")]


def test_cells_beyond_the_header_are_noted():
    table = read_csv((HEADER + "a,b,1,\na,b,1,200\n").encode())
    assert [line.surplus for line in table.lines] == [False, True]


@pytest.mark.parametrize(
    ("data", "line", "advice"),
    [
        ("省份,用户数\n".encode(), "line 1", "“City” (or “cityname”)"),
        ("省份;城市;用户数\n".encode(), "line 1", "commas"),
        ("省份，城市，用户数\n".encode(), "line 1", "commas (,)"),
        (HEADER.encode() + "广东,深圳市,1\n".encode("gbk"), "Line 2", "UTF-8"),
        (HEADER.encode() + b"a,b,1\r\nc,\xff,1\r\n", "Line 3", "UTF-8"),
        (HEADER.encode("utf-16"), "Line 1", "UTF-8"),
        (HEADER.encode() + b"a,b\0,1\n", "Line 2", "UTF-8"),
        (b"", "Line 1", "provincename,cityname,usernumber"),
        (b"", "Line 1", "“Province” and “City”"),
        (b"# only a note\n", "Line 1", "provincename,cityname,usernumber"),
        ("广东,深圳市,1\n".encode(), "Line 1", "provincename,cityname,usernumber"),
        (b"# note\ncity,number\n", "line 2", "“Province” (or “provincename”)"),
        (b"province,number\n", "line 1", "“City” (or “cityname”)"),
        (b"province;city;number\na;b;1\n", "line 1", "commas"),
        (b"province\tcity\tnumber\n", "line 1", "commas"),
        (HEADER.encode(), "line 1", "Add a line"),
        (HEADER.encode() + b"\n,,\n", "line 1", "Add a line"),
        (HEADER.encode() + b'a,b,1\nc,"d,2\ne,f,3\n', "line 3", "quotation mark"),
        (HEADER.encode() + b'a,b,1\n"c"d,e,2\n', "line 3", "quotation mark"),
        (HEADER.encode() + b'a,b,1\nc,"d\n' + b"x" * 200_000, "line 3", "131,072 characters"),
        (HEADER.encode() + b"a," + b"x" * 131_073 + b",1\n", "line 2", "131,072 characters"),
        (b"," * 999_999, "Line 1", "1,000,000 cells"),
        (b"," * 16_000_000, "Line 1", "1,000,000 characters"),
        (HEADER.encode() + b'a,"b\n",1\n' + b'"a\n",' * 250_000, "Line 4", "1,000,000 char"),
        (HEADER.encode() + b"a,b,1\n" + b"," * 200, "Line 3", "201 cells"),
        (b"\n" * 3_900_000, "line 20001", "without a city"),
        (b"#\n" * 1_900_000, "line 20001", "without a city"),
        (HEADER.encode() + b"\r" * 3_900_000, "line 20002", "without a city"),
        (HEADER.encode() + b",,\r\n" * 900_000, "line 20002", "without a city"),
        (b"\n" * 9_000 + b"\r\n" * 9_000 + b"\xff", "Line 18001", "UTF-8"),
        (HEADER.encode() + b"a,\xe6\xb7", "Line 2", "UTF-8"),
        (b'"province,city\n', "line 1", "quotation mark"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_the_line_and_advice(data, line, advice):
    message = refusal(data)
    assert line in message
    assert advice in message


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("province,city,users,number", "“users” and “number”"),
        ("province, Number ,city,用户数", "“Number” and “用户数”"),
        ("province,provincename,city", "“province” and “provincename”"),
        ("省份,城市,PROVINCE", "“省份” and “PROVINCE”"),
        ("cityname,province,city", "“cityname” and “city”"),
        ("City,城市,Province", "“City” and “城市”"),
        ("City,CITY,Province", "“City” and “CITY”"),
        ("city,province,other,\u3000city", "two columns “city”"),
        ("用户数,城市,省份,用户数", "two columns “用户数”"),
    ],
)
def test_two_columns_of_one_field_are_refused_as_the_file_names_them(header, names):
    message = refusal(f"# note\n{header}\n")
    assert names in message
    assert "line 2" in message
    assert message.endswith("Delete one of them.")


def test_refusal_of_two_columns_names_the_field_in_the_language_of_the_page():
    with force_locale("zh"):
        assert "“users”和“number”两列含义相同，都表示“用户数”" in refusal("城市,users,number\n")
        assert "有两个“city”列" in refusal("city,city\n")


def test_a_note_before_the_header_may_be_indented():
    for space in SPACES:
        text = f"{space}# note\n{HEADER}a,b,1\n"
        assert read_csv(text.encode()).lines == [line(3, "a", "b", "1")]


def test_empty_lines_and_columns_are_skipped_up_to_the_limit():
    text = "\n" * MOST_EMPTY + HEADER + ",,\n" * MOST_EMPTY + "a,b,1\n"
    assert read_csv(text.encode()).lines == [line(2 * MOST_EMPTY + 2, "a", "b", "1")]
    commas = "," * (MOST_COLUMNS - 3)
    table = read_csv(f"province,city,number{commas}\na,b,1{commas}\n".encode())
    assert table.lines == [line(2, "a", "b", "1")]


@pytest.mark.parametrize(
    "data",
    [
        "\n" * 3_900_000,
        HEADER + ",,\n" * 1_300_000,
        HEADER + ",".join(['"' + "\n" * 131_000 + '"'] * 29),
        HEADER + ("x" * 130_000 + ",y,1\n") * 120 + '"',
    ],
)
def test_other_requests_run_every_few_lines(monkeypatch, data):
    pauses = []
    monkeypatch.setattr(csv_reader, "yield_to_hub", lambda: pauses.append(1))
    with pytest.raises(Invalid):
        read_csv(data.encode())
    assert len(pauses) >= 20_000 * LINE_COSTS // PAUSE_EVERY


def test_exactly_the_most_lines_are_read_and_one_more_is_refused():
    lines = "".join(f"a,b{i},1\n" for i in range(MOST_LINES))
    assert len(read_csv((HEADER + lines).encode()).lines) == MOST_LINES
    assert f"Line {MOST_LINES + 2} is one too many" in refusal(HEADER + lines + "a,b,1\n")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+a", "'+a"),
        ("-a", "'-a"),
        ("@a", "'@a"),
        ("\ta", "'\ta"),
        ("'=x", "''=x"),
        ("''=x", "'''=x"),
        ("'s-Hertogenbosch", "'s-Hertogenbosch"),
        ("'", "'"),
        ("a=b", "a=b"),
        (" =x", " =x"),
        ("", ""),
    ],
)
def test_formulas_get_one_apostrophe_which_is_removed_again(name, written):
    assert guard(name) == written
    assert unguard(written) == name


def test_numbers_are_written_as_they_are():
    assert write_csv([("-a", -5, None)]) == "'-a,-5,\r\n"
