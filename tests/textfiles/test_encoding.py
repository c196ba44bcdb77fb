"""The encoding of the beginning of a text."""

import pytest

from app.textfiles.encoding import guess


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "UTF-8"), (b"plain", "UTF-8"), ("河水".encode()[:5], "UTF-8"),
        (b"\xef\xbb\xbf\xff", "UTF-8"), ("x".encode("utf-16"), "UTF-16"),
        ("x".encode("utf-32"), "UTF-32"), ("深圳市，广州市".encode("gb18030"), "GB18030"),
        ("深圳市\n广".encode("gb18030")[:-1], "GB18030"), ("臺北市高雄市".encode("big5"), "Big5"),
    ],
)  # fmt: skip
def test_it_is_found_by_evidence(data, name):
    assert guess(data).name == name


@pytest.mark.parametrize("data", ["Überfluß".encode("latin-1"), "Москва".encode("cp1251"), b"\xff"])
def test_without_evidence_there_is_none(data):
    assert guess(data) is None
