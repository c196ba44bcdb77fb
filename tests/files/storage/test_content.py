"""Extension and content must match."""

import random

import pytest

from app.files.storage.content import content_type
from tests.files.helpers import GIF, JPEG, PDF, PNG, some_text

TEXTS = {
    "UTF-8": ("河水很清。\nfine\n".encode(), "text/plain; charset=utf-8"),
    "UTF-8 with byte order mark": (b"\xef\xbb\xbfa,b\r\n", "text/plain; charset=utf-8"),
    "ASCII": (b"a\tb\f\x1a", "text/plain; charset=utf-8"),
    "GB 18030": ("河水很清".encode("gb18030"), "text/plain"),
    "Big5": ("漢字".encode("big5"), "text/plain"),
    "Latin-1": ("déjà vu".encode("latin-1"), "text/plain"),
    "UTF-16 with byte order mark": ("河水 a".encode("utf-16"), "text/plain; charset=utf-16"),
    "HTML": (b"<html><script>alert(1)</script>", "text/plain; charset=utf-8"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_in_any_encoding_are_texts(tmp_path, name):
    data, expected = TEXTS[name]
    path = tmp_path / "x"
    path.write_bytes(data)
    assert content_type(path, "txt") == expected


def test_a_character_across_two_blocks_is_one(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"a" * 65535 + "文".encode() * 30_000)
    assert content_type(path, "txt") == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "data",
    [PDF, PNG, GIF, JPEG, b"\x7fELF\x02\x01\x01\x00", b"MZ\x90\x00\x03", b"PK\x03\x04\x14\x00",
     b"text\x00more", b"a" * 100_000 + b"\x00", random.Random(1).randbytes(1000),
     b"\xff\xfe\x00\xd8a\x00", b"\x1f\x8b\x08"],
)  # fmt: skip
def test_other_content_is_refused_as_text(tmp_path, data):
    path = tmp_path / "x"
    path.write_bytes(data)
    assert content_type(path, "txt") is None


@pytest.mark.parametrize(
    ("extension", "data", "expected"),
    [
        ("pdf", PDF, "application/pdf"),
        ("pdf", b"\n\n" + PDF, "application/pdf"),
        ("png", PNG, "image/png"),
        ("jpg", JPEG, "image/jpeg"),
        ("jpeg", JPEG, "image/jpeg"),
        ("gif", GIF, "image/gif"),
        ("dwg", b"anything\x00", "application/octet-stream"),
        ("html", b"<script>", "application/octet-stream"),
        ("svg", b"<svg onload=x>", "application/octet-stream"),
        *[(extension, b"", None) for extension in ("txt", "pdf", "png", "dwg")],
    ],
)
def test_matching_content_gets_a_type_of_our_table(tmp_path, extension, data, expected):
    path = tmp_path / "x"
    path.write_bytes(data)
    found = content_type(path, extension)
    assert found == expected if expected else found


@pytest.mark.parametrize(
    ("extension", "data"),
    [("pdf", PNG), ("png", JPEG), ("jpg", PNG), ("jpeg", GIF), ("gif", b"GIF88a"),
     ("png", some_text(100)), ("pdf", b"x" * 2000 + PDF), ("png", b"\x89PN")],
)  # fmt: skip
def test_content_of_another_type_is_refused(tmp_path, extension, data):
    path = tmp_path / "x"
    path.write_bytes(data)
    assert content_type(path, extension) is None
