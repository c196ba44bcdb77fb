"""The stylesheet: colours and font sizes are tokens, and every class is used."""

import re

from app.config import ROOT
from app.web.assets.vendor import VENDOR

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


def classes_of(rules: list[tuple[str, str]]) -> set[str]:
    """The classes that the selectors of a stylesheet name."""
    return {
        name
        for selector, _body in rules
        if not selector.lstrip().startswith("@")
        for name in re.findall(r"\.([a-z][\w-]*)", selector)
    }


def classes_used(template: str) -> set[str]:
    """The classes of a template's elements, without those that an expression chooses."""
    values = re.findall(r'\bclass="([^"]*)"', template)
    return set(re.sub(r"\{[{%].*?[%}]\}", " ", " ".join(values)).split())


def test_every_class_is_used_in_a_template_or_script():
    sources = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("static/js/*.js")]
    text = "\n".join(path.read_text() for path in sources)
    classes = classes_of(RULES)
    assert {one for one in classes if not re.search(rf"(?<![\w-]){one}(?![\w-])", text)} == set()


def test_every_class_of_a_template_has_a_style():
    bootstrap = (VENDOR / "bootstrap.min.css").read_text()
    styled = classes_of(RULES) | classes_of(re.findall(r"([^{}]+)\{([^{}]*)\}", bootstrap))
    used = {
        path.name: classes_used(path.read_text()) for path in (ROOT / "templates").glob("**/*.html")
    }
    assert len(set().union(*used.values())) > 100
    assert {name: missing for name, classes in used.items() if (missing := classes - styled)} == {}
    assert classes_used('<p class="notice {{ kind }} {% if a %}b{% endif %}">') == {"notice", "b"}
