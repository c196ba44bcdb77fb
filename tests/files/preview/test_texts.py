"""The beginning of a text file, as text or as a table."""

import pytest

from app.files.preview import texts
from app.files.preview.texts import CELL_LENGTH, MOST_COLUMNS, MOST_ROWS, TEXT_BYTES, read_text


@pytest.fixture
def read(tmp_path):
    """Reads some bytes as the preview does."""

    def read(data, as_table=False):
        (tmp_path / "file").write_bytes(data)
        return read_text(tmp_path / "file", as_table)

    return read


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        ("河水".encode(), "河水", "UTF-8"), (b"\xef\xbb\xbfx", "x", "UTF-8"), (b"", "", "UTF-8"),
        ("河水".encode("utf-16"), "河水", "UTF-16"), ("臺北市".encode("big5"), "臺北市", "Big5"),
        ("中国人民".encode("gb18030"), "中国人民", "GB18030"),
    ],
)  # fmt: skip
def test_the_encoding_is_found(read, data, text, encoding):
    found = read(data)
    assert (found.text, found.encoding, found.is_certain) == (text, encoding, True)
    assert not found.is_cut


def test_an_unclear_encoding_is_named(read):
    found = read("Überfluß".encode("latin-1") + b" \x81")
    assert (found.text, found.encoding) == ("Überfluß \ufffd", "Windows-1252")
    assert not found.is_certain


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_long_text_is_cut_after_a_line(read, encoding):
    line = f"{'河水很清' * 10}\n"
    found = read((line * 2000).encode(encoding))
    assert found.is_cut
    assert set(found.text.split("\n")) == {line.rstrip(), ""}
    assert TEXT_BYTES * 0.8 < len(found.text.encode(encoding)) <= TEXT_BYTES


def test_one_long_line_is_cut_within(read):
    found = read(b"x" + "河".encode() * TEXT_BYTES)
    assert found.is_cut
    assert len(found.text) == (TEXT_BYTES - 1) // 3 + 1
    assert "\ufffd" not in found.text


def test_only_the_beginning_is_read(read, monkeypatch):
    seen = []
    monkeypatch.setattr(texts, "guess", lambda data: seen.append(len(data)))
    read(b"x" * 10_000_000)
    assert seen == [TEXT_BYTES]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]), ("a;b\n1,5;2\n", [["a", "b"], ["1,5", "2"]]),
        ("a\tb\n1\t2", [["a", "b"], ["1", "2"]]), ("a|b\n1|2", [["a", "b"], ["1", "2"]]),
        ('a,b\n"x, y","two\nlines"\n', [["a", "b"], ["x, y", "two lines"]]),
        ("a,b\n\n,\n1\n", [["a", "b"], ["1", ""]]), ("a\n1,2\n", [["a", ""], ["1", "2"]]),
        ("a\n1\n", [["a"], ["1"]]), ("", []),
    ],
)  # fmt: skip
def test_a_table_has_rows_of_the_same_length(read, data, rows):
    found = read(data.encode(), as_table=True)
    assert found.rows == rows
    assert not found.is_cut


def test_a_large_table_is_cut(read):
    row = ",".join(["x" * 500] * 30)
    found = read(f"{row}\n".encode() * 3, as_table=True)
    assert (len(found.rows), {len(cells) for cells in found.rows}) == (2, {MOST_COLUMNS})
    assert {len(cell) for cells in found.rows for cell in cells} == {CELL_LENGTH}
    many = read(b"a,b\n" * 500, as_table=True)
    assert (len(many.rows), many.is_cut) == (MOST_ROWS, True)


def test_a_cut_within_a_cell_is_no_mistake(read):
    found = read(b'a,b\n1,2\n3,"' + b"long\n" * 20_000 + b'"\n', as_table=True)
    assert found.rows == [["a", "b"], ["1", "2"]]
    assert found.is_cut


def test_what_is_no_table_is_text(read):
    found = read(b'a,b\n1,"2\n', as_table=True)
    assert (found.rows, found.text) == ([], 'a,b\n1,"2\n')


def test_of_many_columns_the_first_are_shown(read):
    wide = read(b"\n".join([b",".join([b"x"] * 300)] * 2), as_table=True)
    assert (wide.rows, wide.columns) == ([["x"] * MOST_COLUMNS] * 2, 300)
    assert not wide.is_cut


@pytest.mark.parametrize(
    ("data", "columns"),
    [
        (b"1," * TEXT_BYTES, None),
        (b"a,b\r" + b"1," * TEXT_BYTES, None),
        (b"1," * 300 + b"\r" + b"x" * TEXT_BYTES, 301),
        ((b"1," * 300 + b"\n") * 200, 301),
        (b"a,b," + b"x" * TEXT_BYTES, 3),
    ],
)
def test_of_a_record_that_is_cut_the_columns_are_not_counted(read, data, columns):
    found = read(data, as_table=True)
    assert found.is_cut
    assert found.columns == columns
    assert len(found.rows[0]) == min(columns or MOST_COLUMNS, MOST_COLUMNS)
