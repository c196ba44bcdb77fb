"""Scripts put text on a page as text."""

import re

import pytest

from app.config import ROOT

# They turn text into elements of the page, or into code. What DOMParser returns runs no scripts.
UNSAFE = re.compile(
    r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|createContextualFragment)\b"
    r"|\bdocument\.write|\beval\(|\bFunction\("
)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "static" / "js").glob("*.js")), ids=lambda path: path.name
)
def test_no_script_makes_elements_or_code_from_text(path):
    assert UNSAFE.findall(path.read_text()) == []


@pytest.mark.parametrize(
    "line",
    ["row.innerHTML = name;", "list.insertAdjacentHTML(where, name)", "eval(text)",
     "new Function(text)", "document.writeln(name)"],
)  # fmt: skip
def test_the_check_finds_what_it_looks_for(line):
    assert UNSAFE.search(line)
