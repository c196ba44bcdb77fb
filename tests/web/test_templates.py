"""Templates use what they import."""

import re

from app.config import ROOT

IMPORT = re.compile(r"\{% from \"[^\"]+\" import ([^%]+?)(?: with context)? %\}")


def unused_imports(text: str) -> set[str]:
    """The names that a template imports and never uses."""
    names = {name.strip() for found in IMPORT.findall(text) for name in found.split(",")}
    rest = IMPORT.sub("", text)
    return {name for name in names if not re.search(rf"\b{name}\b", rest)}


def test_every_import_is_used():
    paths = sorted((ROOT / "templates").glob("**/*.html"))
    assert len(paths) > 30
    found = {path.name: unused_imports(path.read_text()) for path in paths}
    assert {name: names for name, names in found.items() if names} == {}


def test_the_check_finds_what_it_looks_for():
    text = '{% from "a.html" import icon, chip %}{{ chip("icons") }}'
    assert unused_imports(text) == {"icon"}
