"""Reading a CSV file, before the register is asked."""

from contextlib import suppress
from random import Random

import pytest
from flask_babel import force_locale

from app.cities.exporting.csv_writer import guard, unguard, write_csv
from app.cities.fields import CSV_FIELDS, FIELDS
from app.cities.importing.compare import compare_line, examine
from app.cities.importing.reading import tables
from app.cities.importing.reading.header import MOST_EMPTY, MOST_TITLES, SEPARATORS
from app.cities.importing.reading.tables import Line
from app.config import LANGUAGES
from app.errors import Invalid
from app.text import load_messages
from app.textfiles import records
from app.textfiles.records import LINE_COSTS, MOST_COLUMNS, PAUSE_EVERY
from tests.cities.importing.staging import read_csv
from tests.factories import SPACES, note_calls

HEADER = "provincename,cityname,usernumber\n"


def line(number, *cells, surplus=False):
    """A line as it is read: its cells are those of province, city and users."""
    names = [field.name for field in CSV_FIELDS]
    return Line(number, dict(zip(names, cells, strict=False)), surplus)


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
    "header",
    ["City,Province,Users", " 城市 ,\u3000省份,用户数", "城市,PROVINCE,users ", "市,省,人数"],
)
def test_the_labels_of_our_pages_and_short_ones_name_the_columns(header):
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


@pytest.mark.parametrize("space", ["", *SPACES, "\t", "\u200b", "\ufeff", " \u00a0 "], ids=ascii)
def test_spaces_around_quotation_marks_are_not_part_of_a_name(space):
    header = f'{space}"省份"{space},{space}"城市" ,"用户数"{space}\n'
    text = header + f'{space}"安省"{space},{space}"岚,""市"""{space},{space}"12"{space}\n'
    assert read_csv(text.encode()).lines == [line(2, "安省", '岚,"市"', "12")]


@pytest.mark.parametrize("marks", ["“”", "””", '“"', '＂"', "““", "„“", "‟”", "＂＂", '""'])
def test_curly_quotation_marks_are_those_of_a_cell(marks):
    begin, end = marks
    text = f"{begin}省份{end},{begin}城市{end}\n {begin}安省{end} ,\u3000{begin}崖,市{end}\n"
    assert read_csv(text.encode()).lines == [line(2, "安省", "崖,市")]


@pytest.mark.parametrize(
    "name", ["“幸福”小区", "“幸福", "幸福”", 'the "old" city', "5” tall", "a “b” c", "‘x’", "「x」"]
)
def test_quotation_marks_within_a_name_are_part_of_it(name):
    assert read_csv(f"province,city\na,{name}\n".encode()).lines == [line(2, "a", name)]


def test_cells_in_quotation_marks_go_on_in_the_next_line():
    text = HEADER + 'a, "b\nc , ""d"" ,\n" , 1\n "e" ,f,2\n'
    lines = read_csv(text.encode()).lines
    assert lines == [line(2, "a", 'b\nc , "d" ,\n', " 1"), line(5, "e", "f", "2")]


@pytest.mark.parametrize("separator", [one for one in SEPARATORS if len(one) == 1])
def test_any_separator_is_read_and_named(separator):
    rows = ["省份|城市|用户数", ' "安,省;" |“荷|市”|"1,234"', "b|c|5"]
    text = "\n".join(rows).replace("|", separator).replace(f"荷{separator}市", "荷市")
    table = read_csv(text.encode())
    assert table.lines == [line(2, "安,省;", "荷市", "1,234"), line(3, "b", "c", "5")]
    assert table.source.separator == separator


@pytest.mark.parametrize("separators", [one for one in SEPARATORS if len(one) > 1])
def test_separators_of_both_widths_may_be_mixed(separators):
    narrow, wide = separators
    text = (
        f"省份{narrow}城市{wide}用户数\n安省{wide}兰市{narrow}5\n '“a' {wide} “b{narrow}c”{wide}6\n"
    )
    table = read_csv(text.replace("'", '"').encode())
    assert table.lines == [line(2, "安省", "兰市", "5"), line(3, "“a", f"b{narrow}c", "6")]
    assert table.source.separator == separators


def test_a_line_with_another_separator_than_the_header_is_one_cell():
    for text in ("安省;荷市;5", "安省，荷市，5", "安省\t荷市\t5"):
        cells = read_csv((HEADER + text).encode()).lines[0].cells
        assert list(cells.values()) == [text, "", ""]


@pytest.mark.parametrize("marks", [1, 2, 3])
@pytest.mark.parametrize("begin", ["", '"'])
def test_several_byte_order_marks_are_skipped(marks, begin):
    text = "\ufeff" * marks + f"{begin}provincename{begin},city\na,b\n"
    assert read_csv(text.encode()).lines == [line(2, "a", "b")]
    assert read_csv(f"ï»¿{text}".encode()).lines == [line(2, "a", "b")]


@pytest.mark.parametrize(
    "cell",
    ["\u200bcity", "ci\u00adty", "city\u200e", "\u2060ＣＩＴＹ\ufeff", "Ｃity", "city\u180e"],
)
def test_invisible_characters_and_width_do_not_matter_in_the_header(cell):
    assert read_csv(f"province,{cell}\na,b\n".encode()).lines == [line(2, "a", "b")]


@pytest.mark.parametrize(
    ("above", "skipped"),
    [
        ("sep=,\n", [(1, "sep=,")]),
        ('"sep=;"\n', [(1, '"sep=;"')]),
        ("SEP=\t\r\n", [(1, "SEP=")]),
        ("城市登记表,,\n", [(1, "城市登记表")]),
        (
            '"城市登记表",,\n\n,,\n导出日期,2026-11-30,\n',
            [(1, "城市登记表"), (4, "导出日期,2026-11-30")],
        ),
        ("# note\n", [(1, "# note")]),
        ("sep=,\r\nRegister\r\n", [(1, "sep=,"), (2, "Register")]),
        ("a title of the\rfirst page\r", [(1, "a title of the"), (2, "first page")]),
    ],
)
def test_lines_above_the_header_are_skipped_and_named(above, skipped):
    table = read_csv((above + HEADER + "安省,兰市,5\n").encode())
    assert [one.cells for one in table.lines] == [line(0, "安省", "兰市", "5").cells]
    assert table.source.skipped == skipped
    assert table.source.skipped_count == len(skipped)


def test_skipped_lines_are_shown_without_characters_that_nobody_sees():
    table = read_csv(f"a\x1a\u202eb\tc\n{HEADER}a,b,1\n".encode())
    assert table.source.skipped == [(1, "a  b c")]


def test_random_files_are_read_or_refused():
    """Nothing in a file is an error of ours."""
    random = Random(7)
    parts = [
        *"“”,;\t|，；、\"'=#?\n\r \ufeff\u200b\u00a0\0\x1a\ufffdé广😀１",
        "\r\n", "sep=", "省份", "city", "number", "1,234", '""', "å¹¿",
    ]  # fmt: skip
    counts = {"lines": 0, "faults": 0, "files": 0}
    for _ in range(3000):
        header = random.choice(["", "省份,城市,用户数\n", "city;province\r\n", "省份，城市\r"])
        text = header + "".join(random.choices(parts, k=random.randrange(40)))
        codec = random.choice(["utf-8", "utf-16", "utf-16-be", "gb18030", "big5hkscs", "cp1252"])
        data = bytearray(text.encode(codec, "ignore"))
        if data and random.random() < 0.3:
            data[random.randrange(len(data))] = random.randrange(256)
        with suppress(Invalid):
            lines = read_csv(bytes(data)).lines
            seen: dict = {}
            reasons = [
                load_messages(compare_line(examine(one), {}, seen)["reason"]) for one in lines
            ]
            counts["files"] += 1
            counts["lines"] += len(reasons)
            counts["faults"] += sum(map(bool, reasons))
    assert min(counts.values()) > 400, counts


def test_a_line_sep_may_name_any_separator():
    table = read_csv(b"sep=^\nprovince^city\na,b^c\n")
    assert table.lines == [line(3, "a,b", "c")]
    assert table.source.separator == "^"


def test_twenty_titles_are_skipped_and_one_more_is_refused():
    titles = "".join(f"title {number}\n" for number in range(MOST_TITLES))
    table = read_csv((titles + HEADER + "a,b,1\n").encode())
    assert table.lines == [line(MOST_TITLES + 2, "a", "b", "1")]
    assert table.source.skipped == [(number + 1, f"title {number}") for number in range(5)]
    assert table.source.skipped_count == MOST_TITLES
    assert "Line 1 should be the header" in refusal("title\n" + titles + HEADER + "a,b,1\n")


def test_the_line_that_names_most_columns_is_the_one_that_lacks_one():
    message = refusal("title\n城市,人口\na,b\n")
    assert "The header in line 2 has no column “Province” (or “provincename”)" in message


@pytest.mark.parametrize(
    ("cell", "text"),
    [('="007"', "007"), ('="岚市"', "岚市"), ('"=""岚市"""', "岚市"), ("'=1", "=1"), ("=1", "=1")],
)
def test_what_keeps_a_spreadsheet_from_calculating_is_removed(cell, text):
    assert read_csv(f"province,city\na,{cell}\n".encode()).lines == [line(2, "a", text)]


def test_missing_column_differs_from_an_empty_cell():
    assert read_csv(b"province,city\na,b\n").lines == [line(2, "a", "b")]
    assert read_csv(b"province,city,number\na,b\n").lines == [line(2, "a", "b", "")]


def test_line_breaks_in_quotes_belong_to_the_cell_and_lines_are_counted_by_the_file():
    table = read_csv((HEADER + '"a\r\nb",c,1\n\n,,\nd,e,2\n').encode())
    assert table.lines == [line(2, "a\r\nb", "c", "1"), line(6, "d", "e", "2")]


def test_cells_beyond_the_header_are_noted():
    table = read_csv((HEADER + "a,b,1,\na,b,1,200\n").encode())
    assert [line.surplus for line in table.lines] == [False, True]


@pytest.mark.usefixtures("request_context")
@pytest.mark.parametrize(
    ("data", "line", "advice"),
    [
        ("省份,用户数\n".encode(), "line 1", "“City” (or “cityname”)"),
        (HEADER.encode() + b"a,b\0,1\n", "Line 2", "UTF-8"),
        (b"a,b,1\n", "Line 1", "“Province” and “City”"),
        (b"# only a note\n", "Line 1", "provincename,cityname,usernumber"),
        ("广东,深圳市,1\n".encode(), "Line 1", "provincename,cityname,usernumber"),
        (b"# note\ncity,number\n", "line 2", "“Province” (or “provincename”)"),
        (b"province,number\n", "line 1", "“City” (or “cityname”)"),
        (HEADER.encode(), "line 1", "Add a line"),
        (HEADER.encode() + b"\n,,\n", "line 1", "Add a line"),
        (HEADER.encode() + b'a,b,1\nc,"d,2\ne,f,3\n', "line 3", "quotation mark"),
        (HEADER.encode() + b'a,b,1\n"c"d,e,2\n', "line 3", "quotation mark"),
        (HEADER.encode() + b'a,b,1\nc,"d\n' + b"x" * 200_000, "line 3", "131,072 characters"),
        (HEADER.encode() + b"a," + b"x" * 131_073 + b",1\n", "line 2", "131,072 characters"),
        (HEADER.encode()[:-1] + b"," * 999_900, "Line 1", "999,903 cells"),
        (b"," * 16_000_000, "Line 1", "1,000,000 characters"),
        (HEADER.encode() + b'a,"b\n",1\n' + b'"a\n",' * 250_000, "Line 4", "1,000,000 char"),
        (HEADER.encode() + b"a,b,1\n" + b"," * 200, "Line 3", "201 cells"),
        (b"\n" * 3_900_000, "line 20001", "without a city"),
        (b"#\n" * 1_900_000, "line 20001", "without a city"),
        (HEADER.encode() + b"\r" * 3_900_000, "line 20002", "without a city"),
        (HEADER.encode() + b",,\r\n" * 900_000, "line 20002", "without a city"),
        (b"\n" * 9_000 + b"\r\n" * 9_000 + b"\xff", "Line 18001", "should be the header"),
        (b'"province,city\n', "line 1", "quotation mark"),
        ("çœ�ä»½,åŸŽå¸‚\n".encode(), "Line 1", "is damaged"),
        ("title\nç\x9c\x81ä»½,å\x9f\x8eå¸\x82\na,b\n".encode(), "Line 1", "should be"),
        ("省份,城市\n".encode("gbk").decode("utf-8", "replace").encode(), "Line 1", "is damaged"),
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


@pytest.mark.usefixtures("request_context")
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
    pauses = note_calls(monkeypatch, records, "yield_to_hub")
    with pytest.raises(Invalid):
        read_csv(data.encode())
    assert len(pauses) >= 20_000 * LINE_COSTS // PAUSE_EVERY


def test_exactly_the_most_lines_are_read_and_one_more_is_refused(monkeypatch):
    monkeypatch.setattr(tables, "MOST_LINES", 500)
    lines = "".join(f"a,b{i},1\n" for i in range(500))
    assert len(read_csv((HEADER + lines).encode()).lines) == 500
    assert "Line 502 is one too many: at most 500" in refusal(HEADER + lines + "a,b,1\n")


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
        ("＝1+1", "'＝1+1"),
        ("＋a", "'＋a"),
        ("－a", "'－a"),
        ("＠a", "'＠a"),
        ("|calc", "'|calc"),
        ("｜calc", "'｜calc"),
        ("\ra", "'\ra"),
        (" =x", "' =x"),
        ("\u3000\u00a0=x", "'\u3000\u00a0=x"),
        ("\u200b=1+1", "'\u200b=1+1"),
        ("\ufeff\u2060＝1", "'\ufeff\u2060＝1"),
        ("a;=1+1", "'a;=1+1"),
        ("a; =1", "'a; =1"),
        ("a;b;＠c", "'a;b;＠c"),
        ("a\n;=c", "'a\n;=c"),
        ("'a;=1", "''a;=1"),
        ("a;b", "a;b"),
        ("'a;b", "'a;b"),
        ("a=1;b", "a=1;b"),
        ("\u200b'=x", "\u200b'=x"),
        ("", ""),
    ],
)
def test_formulas_get_one_apostrophe_which_is_removed_again(name, written):
    assert guard(name) == written
    assert unguard(written) == name


def test_names_in_curly_quotation_marks_are_written_in_straight_ones():
    assert write_csv([("省", "“崖市”", 5)]) == '"省","“崖市”","5"\r\n'
    for name in ("“崖市”", "”崖市", "„a“", "＂a＂"):
        text = f"province,city\n{write_csv([('省', name)])}"
        assert read_csv(text.encode()).lines == [line(2, "省", name)]


def test_numbers_are_written_as_they_are():
    assert write_csv([("-a", -5, None)]) == "'-a,-5,\r\n"
