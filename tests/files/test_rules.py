"""The rules of files on plain values."""

import pytest

from app.errors import Invalid
from app.files.rules import check_extension


def test_only_allowed_extensions_are_accepted():
    check_extension("txt", ("pdf", "txt"))
    check_extension("exe", ())
    with pytest.raises(Invalid, match=r"Allowed: pdf, txt\."):
        check_extension("exe", ("pdf", "txt"))
    for other in ("", "TXT", "tx"):
        with pytest.raises(Invalid):
            check_extension(other, ("txt",))
