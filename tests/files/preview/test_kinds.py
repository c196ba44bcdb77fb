"""How files are shown, by extension and first bytes."""

import pytest

from app.files.preview.kinds import KINDS, NAMES, kind_of, type_name
from app.files.storage.content import FILE_TYPES
from tests.files.helpers import GIF, JPEG, PDF, PNG


@pytest.mark.parametrize(
    ("extension", "head", "shown_as"),
    [
        ("png", PNG, "picture"), ("jpg", JPEG, "picture"), ("gif", GIF, "picture"),
        ("webp", b"RIFF\0\0\0\0WEBPVP8 ", "picture"), ("bmp", b"BM\0\0", "picture"),
        ("pdf", PDF, "pdf"), ("mp3", b"\xff\xfb\x90", "audio"), ("mp3", b"ID3", "audio"),
        ("mp4", b"\0\0\0\x20ftypisom", "video"), ("mov", b"\0\0\0\x14ftypqt  ", "video"),
        ("csv", b"a,b\n", "table"), ("tsv", b"a\tb\n", "table"), ("txt", b"x", "text"),
        ("", b"x", "text"), ("py", b"print()\n", "text"), ("svg", b"<svg>", "text"),
        ("html", b"<html>", "text"), ("txt", "x".encode("utf-16"), "text"),
        ("log", b"\x1b[31mred", "text"),
    ],
)  # fmt: skip
def test_the_kind_follows_from_name_and_content(extension, head, shown_as):
    assert kind_of(extension, head).shown_as == shown_as


@pytest.mark.parametrize(
    ("extension", "head"),
    [
        ("png", JPEG), ("jpg", PNG), ("png", b"<svg>"), ("png", b""), ("pdf", PNG),
        ("pdf", b"<html>"), ("wav", b"RIFF\0\0\0\0WEBP"), ("webp", b"RIFF\0\0\0\0WAVE"),
        ("mp4", b"<html>"), ("mp3", b"\xff\0"), ("txt", PNG), ("", b"\x7fELF"),
        ("html", b"\0<html>"), ("zip", b"PK\3\4\0"), ("tiff", b"II*\0"), ("psd", b"8BPS\0\1"),
        ("heic", b"\0\0\0\x18ftypheic"), ("svgz", b"\x1f\x8b\0"),
    ],
)  # fmt: skip
def test_a_content_of_another_kind_is_not_shown(extension, head):
    assert kind_of(extension, head).shown_as == "nothing"


def test_types_have_names(app):
    assert set(KINDS) | set(FILE_TYPES) <= set(NAMES)
    with app.test_request_context():
        assert str(type_name("jpeg")) == "JPEG picture"
        assert str(type_name("xyz")) == "XYZ file"
        assert str(type_name("")) == "File without an extension"
