"""Every text of the interface has a Chinese translation."""

import io
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment

from app.config import ROOT
from app.web.error_pages import STATUS_TEXTS

# The functions that `make translations` extracts: Babel's own and those named in its command.
KEYWORDS = DEFAULT_KEYWORDS | parse_keywords(
    re.findall(r" -k (\S+)", (ROOT / "Makefile").read_text())
)
PO = ROOT / "translations/zh/LC_MESSAGES/messages.po"
LETTERS = re.compile("[A-Za-z\u4e00-\u9fff]{2}")
ATTRIBUTES = ("title", "aria-label", "placeholder", "alt")
CODE = ("code", "kbd", "pre")
# Names and addresses, which are the same in every language.
UNTRANSLATED = {"Python", "SHA-256", "curl", "/fib/93", "/pi/1000000"}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%")


def sources() -> Catalog:
    """Extract all texts from the sources, as configured in babel.cfg."""
    methods, options = parse_mapping_cfg(io.StringIO((ROOT / "babel.cfg").read_text()))
    found = Catalog()
    for path, line, text, _comments, context in extract_from_dir(
        ROOT,
        methods,
        options,
        KEYWORDS,
        directory_filter=lambda path: not Path(path).name.startswith("."),
    ):
        found.add(text, locations=[(path, line)], context=context)
    return found


@pytest.fixture(scope="module")
def extracted() -> Catalog:
    """The texts of the sources, extracted once because that takes long."""
    return sources()


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    """The Chinese catalogue."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh")


def entries(text):
    """The entries of a file with translations, without the header and comments."""
    return re.split(r"\n{2,}", re.sub("^#.*\n", "", text, flags=re.M).strip())[1:]


def repeated(text):
    """What more than one entry translates. Babel reads only the first of them."""
    ids = ("".join(re.findall(r"^msg(?:ctxt|id).*\n", entry, re.M)) for entry in entries(text))
    return [each for each, count in Counter(ids).items() if count > 1]


def texts(message):
    """The texts of a message: one, or several with plurals."""
    return message.string if isinstance(message.string, tuple | list) else (message.string,)


def test_every_text_is_translated(extracted, chinese):
    missing = []
    for message in extracted:
        found = chinese.get(message.id, message.context) if message.id else None
        if message.id and not (found and all(texts(found))):
            missing.append(f"{message.locations[0][0]}:{message.locations[0][1]} {message.id!r}")
    assert not missing, f"{len(missing)} texts lack their Chinese:\n" + "\n".join(missing)


def test_no_translation_is_fuzzy(chinese):
    assert [message.id for message in chinese if message.id and message.fuzzy] == []


def test_placeholders_are_the_same(chinese):
    for message in chinese:
        if not message.id or not any(texts(message)):
            continue
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        # The last one is the plural, whose placeholders the Chinese uses.
        expected = sorted(set(PLACEHOLDER.findall(ids[-1])))
        for text in texts(message):
            assert sorted(set(PLACEHOLDER.findall(text))) == expected, message.id


def test_no_translation_is_unused(extracted, chinese):
    left = [m.id for m in chinese if m.id and not extracted.get(m.id, m.context)]
    assert left == [], f"{len(left)} translations have no text any more"
    assert not chinese.obsolete, "translations that are commented out"


class PlainTexts(HTMLParser):
    """The texts of a template, which may be a part of a page, and of attributes; none of code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.depth = 0  # within elements of code
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag in CODE
        if not self.depth:
            self.found |= {value or "" for name, value in attrs if name in ATTRIBUTES}

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag in CODE

    def handle_data(self, data: str) -> None:
        if not self.depth:
            self.found.add(data.strip())


def plain_texts(template: str) -> set[str]:
    """The texts of a template outside of expressions and code, also those of attributes."""
    tokens = Environment(autoescape=True).lex(template)
    html = "".join(value for _line, kind, value in tokens if kind == "data")
    return {text for text in PlainTexts(html).found if LETTERS.search(text)}


def test_templates_have_no_text_without_a_translation():
    paths = (ROOT / "templates").rglob("*.html")
    assert {text for path in paths for text in plain_texts(path.read_text())} == UNTRANSLATED
    template = '<p title="Hint">{# note #}<code>city</code>{% if x %}Add{{ _("b") }}{% endif %}</p>'
    assert plain_texts(template) == {"Add", "Hint"}


def test_every_text_has_one_entry():
    text = PO.read_text()
    assert repeated(text) == []
    again = 'msgid "Add city"\nmsgstr "另一个"\n\nmsgctxt "other"\nmsgid "Add city"\nmsgstr "x"\n'
    assert repeated(f"{text}\n\n{again}") == ['msgid "Add city"\n']


def test_make_translations_moves_no_entry(extracted, tmp_path):
    """What `make translations` runs, after a text was added, one deleted and one moved."""
    template, file = tmp_path / "messages.pot", tmp_path / "messages.po"
    with template.open("wb") as out:
        write_po(out, extracted, no_location=True)
    *others, last = [each for each in entries(PO.read_text()) if 'msgid "Add city"' not in each]
    expected = [last, *others]
    left_over = 'msgid "Nobody says this any more."\nmsgstr "没有了"'
    header = PO.read_text().partition("\n\n")[0]
    file.write_text("\n\n".join([header, left_over, *expected]) + "\n")
    update = [sys.executable, "scripts/update_translations.py", str(template), str(file)]
    for _again in range(2):
        subprocess.run(update, cwd=ROOT, check=True)
        found = entries(file.read_text())
        assert [each for each in found if each in expected] == expected
        assert set(found) - set(expected) == {'msgid "Add city"\nmsgstr ""'}
        assert file.read_text().partition("\n\n")[0] == header


@pytest.mark.parametrize(
    ("page", "title"), [("413", STATUS_TEXTS[413][0]), ("502", STATUS_TEXTS[503][0])]
)
def test_pages_that_nginx_shows_are_titled_as_those_of_the_application(page, title, chinese):
    text = (ROOT / "static" / "errors" / f"{page}.html").read_text()
    english = str(title)
    assert f"<h1>{english}</h1>" in text
    assert f"<h2>{chinese.get(english).string}</h2>" in text
