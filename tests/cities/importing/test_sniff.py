"""Which encoding a file has, by evidence."""

import codecs
import tracemalloc

import pytest

from app.cities.importing.reading.samples import sample_encodings
from app.cities.importing.reading.sniff import (
    ENCRYPTED,
    OLD_DOCUMENT,
    find_encoding,
    first_fault,
)
from app.errors import Invalid
from app.textfiles import encoding
from app.textfiles.encoding import GB18030, PIECE, UTF_8, UTF_16
from tests.cities.importing.staging import read_csv
from tests.factories import note_calls

ASCII = "provincename,cityname,usernumber\n"
LABELS = "省份,城市,用户数\n"
SIMPLIFIED = "广东,深圳市,17494398\n陕西,亳州市,5\n"
TRADITIONAL = "臺灣,臺北市,2480681\n廣東,深圳市,5\n"


def cells(text, codec, mark=b""):
    """The texts of the first line that is read."""
    return list(read_csv(mark + text.encode(codec)).lines[0].cells.values())


def refusal(data):
    """The message that refuses a file."""
    with pytest.raises(Invalid) as caught:
        read_csv(data)
    return caught.value.message


@pytest.mark.parametrize("header", [ASCII, LABELS, "# cities\nsep=,\n" + ASCII])
@pytest.mark.parametrize(
    ("codec", "mark", "name"),
    [
        ("utf-8", b"", "UTF-8"),
        ("utf-8", codecs.BOM_UTF8 * 2, "UTF-8"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "UTF-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "UTF-16"),
        ("utf-16-le", codecs.BOM_UTF16_LE * 2, "UTF-16"),
        ("utf-16-le", b"", "UTF-16"),
        ("utf-16-be", b"", "UTF-16"),
        ("utf-32-le", codecs.BOM_UTF32_LE, "UTF-32"),
        ("utf-32-be", codecs.BOM_UTF32_BE, "UTF-32"),
        ("gb18030", b"", "GB18030"),
        ("gb18030", "\ufeff".encode("gb18030"), "GB18030"),
        ("gbk", b"", "GB18030"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_encoding_is_recognized(header, codec, mark, name, end):
    text = (header + SIMPLIFIED).replace("\n", end)
    table = read_csv(mark + text.encode(codec))
    assert [list(line.cells.values()) for line in table.lines] == [
        ["广东", "深圳市", "17494398"],
        ["陕西", "亳州市", "5"],
    ]
    assert table.source.encoding == name


@pytest.mark.parametrize("header", [ASCII, "省份,城市,用戶數\n", "省份，城市，用戶數\n"])
def test_big5_is_recognized(header):
    text = header + (TRADITIONAL.replace(",", "，") if "，" in header else TRADITIONAL)
    assert cells(text, "big5") == ["臺灣", "臺北市", "2480681"]
    assert read_csv(text.encode("big5")).source.encoding == "Big5"


def test_a_header_of_our_words_says_the_encoding_of_rare_characters():
    rare = "广东,㙍市,5\n"
    assert cells(LABELS + rare, "gb18030") == ["广东", "㙍市", "5"]
    hong_kong = "香港,深水埗,5\n"
    assert cells("省份,城市\n" + hong_kong, "big5hkscs")[1] == "深水埗"


@pytest.mark.parametrize("separator", "，；｜、")
def test_full_width_separators_are_evidence_too(separator):
    header = separator.join(("province", "city"))
    text = f"{header}\n广东{separator}㙍市\n"
    assert cells(text, "gb18030") == ["广东", "㙍市"]


@pytest.mark.parametrize(
    ("text", "codec", "name"),
    [
        ("Québec,Montréal,1\n", "cp1252", "Windows-1252"),
        ("Åland,Mariehamn,1\n", "cp1252", "Windows-1252"),
        ("Österreich,Öblarn,1\n", "latin-1", "Windows-1252"),
        ("Россия,Москва,1\n", "cp1251", "Windows-1251"),
        ("Москва,Москва,1\n", "cp1251", "Windows-1251"),
        ("東京都,渋谷区,1\n", "cp932", "Shift_JIS"),
        ("경기도,수원시,1\n", "cp949", "EUC-KR"),
    ],
)
@pytest.mark.parametrize("header", [ASCII, "# 1\nprovince,city,number,ignored\n"])
def test_other_encodings_are_among_those_to_choose(tmp_path, text, codec, name, header):
    path = tmp_path / "a.csv"
    path.write_bytes(header.encode(codec, "ignore") + text.encode(codec))
    assert not find_encoding(path).is_certain
    fitting = [each.encoding.name for each in sample_encodings(path) if not each.faults]
    assert name in fitting
    assert "UTF-8" not in fitting


def test_what_was_chosen_the_last_time_is_suggested_if_it_fits(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes((LABELS + SIMPLIFIED).encode("gb18030"))
    for remembered, name in (
        ("", "GB18030"), ("cp1252", "Windows-1252"), ("cp932", "GB18030"), ("x", "GB18030"),
    ):  # fmt: skip
        assert find_encoding(path, remembered).encoding.name == name


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (LABELS.encode() + b"a,b,1\nc,\xff,1\n", 3),
        (LABELS.encode("gbk") + b"a,b,1\nc,\xff,1\n", 3),
        (codecs.BOM_UTF8 + ASCII.encode() + b"a,\xb9\xe3,1\nb,c,1\n", 2),
        (b"\xff\xfe" + (ASCII + "a,").encode("utf-16-le") + b"\0\xd8b\0", 2),
        ((ASCII + "a,b").encode("utf-16")[:-1], 2),
    ],
)
def test_lines_that_are_not_text_are_marked(data, line):
    found = {each.line: each.problems for each in read_csv(data).lines}
    assert found.pop(line) == {"city": "undecodable"}
    assert not any(found.values())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((ASCII + "a,b\0\n").encode("utf-16"), "Line 2 contains a NUL character."),
        (ASCII.encode() + b"a,b\0,1\n", "Line 2 contains a NUL character."),
        (ASCII.encode() + b"a,\xff\0,1\n", "Line 2 is not UTF-8 text. Save"),
    ],
)
def test_a_file_with_a_nul_is_refused_by_its_line(data, message):
    assert message in refusal(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The file is empty."),
        (b" \r\n\r\n", "The file is empty."),
        (codecs.BOM_UTF8, "The file is empty."),
        (codecs.BOM_UTF16_LE, "The file is empty."),
        (OLD_DOCUMENT + b"\0" * 9, "This is an Excel workbook or another document in the format"),
        (OLD_DOCUMENT + b"\0" * 9 + ENCRYPTED, "This Excel workbook is protected by a password."),
        (b"<!DOCTYPE html>\n<title>x</title>", "This is a web page"),
        (codecs.BOM_UTF8 + b"\n <html lang=zh>", "This is a web page"),
        ("<table><td>城市".encode("gbk"), "This is a web page"),
    ],
)
def test_what_is_not_csv_is_refused_by_what_it_is(data, message):
    assert refusal(data).startswith(message)


def test_a_title_in_angle_brackets_is_not_a_web_page():
    assert cells(f"<tables of 2026>\n{ASCII}a,b,1\n", "utf-8") == ["a", "b", "1"]


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "utf-16-le"])
@pytest.mark.parametrize("shift", range(4))
def test_characters_and_line_ends_between_two_pieces_are_whole(tmp_path, codec, shift):
    line = f"{'省' * 98},市,5\r\n"
    text = "省份,城市,用户数\r\n" + "x" * shift + line * (PIECE // 100)
    fault = (b"\xff" if codec != "utf-16-le" else b"\0\xdc") + "a\r\n".encode(codec)
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(codec) + fault)
    found = next(each for each in (UTF_8, GB18030, UTF_16[0]) if each.codec == codec)
    assert first_fault(path, found) == text.count("\n") + 1


def test_other_requests_run_while_an_encoding_is_looked_for(monkeypatch, tmp_path):
    pauses = note_calls(monkeypatch, encoding, "yield_to_hub")
    path = tmp_path / "a.csv"
    path.write_bytes((ASCII + "Montréal,x,1\n" * 500_000).encode("cp1252"))
    find_encoding(path)
    assert len(pauses) > 5_000_000 // PIECE


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "gb18030"])
def test_a_file_is_never_decoded_as_a_whole(codec):
    lines = "".join(f"广东,城{number},5,{'备注' * 5000}\n" for number in range(60))
    data = f"provincename,cityname,usernumber,ignored\n{lines}".encode(codec)
    tracemalloc.start()
    try:
        assert len(read_csv(data).lines) == 60
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < len(data) / 2
