"""The stylesheet: colours and font sizes are tokens, and every class is used."""

import re

from app.config import ROOT

STYLES = re.sub(r"/\*.*?\*/", "", (ROOT / "static/gazetteer.css").read_text(), flags=re.DOTALL)
RULES = re.findall(r"([^{}]+)\{([^{}]*)\}", STYLES)


def values(name: str) -> list[str]:
    """All values of a property."""
    return [
        value for _selector, body in RULES for value in re.findall(rf"\b{name}:\s*([^;]+)", body)
    ]


def test_colours_are_defined_only_as_tokens():
    declared = [
        declaration.strip()
        for _selector, body in RULES
        for declaration in body.split(";")
        if re.search(r"#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(", declaration)
    ]
    assert declared
    assert [one for one in declared if not re.match(r"--gz-[a-z-]+: light-dark\(", one)] == []


def test_font_sizes_are_tokens():
    assert [size for size in values("font-size") if not size.startswith("var(--gz-text")] == []


def test_stylesheets_contain_no_data_images():
    for path in ROOT.glob("static/**/*.css"):
        assert 'url("data:' not in path.read_text(), path


def test_there_are_no_view_transitions():
    # During a transition an image covers the page, and clicks right after loading are lost.
    assert "view-transition" not in STYLES


def test_every_class_is_used_in_a_template_or_script():
    classes = {
        name
        for selector, _body in RULES
        if not selector.lstrip().startswith("@")
        for name in re.findall(r"\.([a-z][a-z-]*)", selector)
    }
    sources = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("static/js/*.js")]
    text = "\n".join(path.read_text() for path in sources)
    assert {one for one in classes if not re.search(rf"(?<![\w-]){one}(?![\w-])", text)} == set()
