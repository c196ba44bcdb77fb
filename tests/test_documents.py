"""What the documents name exists: files, functions, tests, `make` targets and flask commands."""

import re
import shutil
import subprocess
import sys
from functools import cache

import click
import pytest

from app.config import ROOT
from tests.applications import environment

DOCUMENTS = [
    *sorted(ROOT.glob("README*.md")),
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOLDERS = "app|docs|migrations|requirements|scripts|static|templates|tests|translations"
FILE = re.compile(rf"(?:(?:{FOLDERS})/[\w./*-]*|[\w.-]+\.(?:py|conf|toml|md|html|po|js|css))")
# Created by `make` or by following a guide.
NOT_TRACKED = ("static/vendor/",)
PLACEHOLDERS = ("NAME", "NNNN")


def inline_code(text):
    """Everything between single backticks, without the fenced blocks."""
    return re.findall("`([^`\n]+)`", FENCE.sub("", text))


def all_code(text):
    """The inline code and the lines of fenced blocks."""
    blocks = (body for _language, body in FENCE.findall(text))
    return [*inline_code(text), *(line for body in blocks for line in body.splitlines())]


@cache
def basenames():
    """The names of all files, without their folders."""
    top = (path.name for path in ROOT.iterdir())
    deep = (
        path.name
        for folder in FOLDERS.split("|")
        for path in (ROOT / folder).rglob("*")
        if "__pycache__" not in path.parts
    )
    return {*top, *deep}


def is_there(name):
    """True if a file or folder exists; a name without a folder may be in any folder."""
    if any(word in name for word in PLACEHOLDERS) or name.startswith(NOT_TRACKED):
        return True
    if "/" not in name:
        return name in basenames()
    return any(ROOT.glob(name.rstrip("/")))


def missing_files(text):
    """Names of files in inline code that do not exist."""
    return {code for code in inline_code(text) if FILE.fullmatch(code) and not is_there(code)}


def broken_links(text, folder):
    """Targets of links, relative to the document's folder, that do not exist."""
    links = re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", text)
    return {link for link in links if not (folder / link).exists()}


def missing_definitions(text):
    """`path::name`, a function or class of a file. Paths of tests may begin below tests/; one that
    is left out is that of the name before it, on the same line or the one of the table."""
    missing = set()
    for line in FENCE.sub("", text).splitlines():
        path = ""
        for code in re.findall("`([^`]+)`", line):
            file, colons, name = code.partition("::")
            if not colons:
                continue
            path = file or path
            folder = ROOT if (ROOT / path).is_file() else ROOT / "tests"
            source = (folder / path).read_text() if (folder / path).is_file() else ""
            pattern = rf"^\s*(?:def|class) {re.escape(name)}\b|^{re.escape(name)}\b.* = "
            if not re.search(pattern, source, re.MULTILINE):
                missing.add(code)
    return missing


def missing_targets(text):
    """`make` targets that the Makefile lacks."""
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = (re.match(r"(?:\$ )?make ([a-z-]+)", code) for code in all_code(text))
    return {found[1] for found in named if found} - known


def missing_commands(text, cli):
    """Flask commands that do not exist, those of groups included."""
    missing = set()
    for code in all_code(text):
        if code.startswith("from flask import"):
            continue
        for first, second in re.findall(
            r"(?:^|[\s/`])flask ([a-z][\w-]*)(?: ([a-z][\w-]*))?", code
        ):
            command = cli.get_command(click.Context(cli), first)
            if isinstance(command, click.Group) and second:
                command = command.get_command(click.Context(command), second)
            if command is None:
                missing.add(f"{first} {second}".strip())
    return missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_exists(path, make_app):
    text = path.read_text()
    assert missing_files(text) == set()
    assert broken_links(text, path.parent) == set()
    assert missing_definitions(text) == set()
    assert missing_targets(text) == set()
    assert missing_commands(text, make_app(commands=True).cli) == set()


def test_the_architecture_names_every_package():
    text = (ROOT / "docs" / "architecture.md").read_text()
    tree = text[text.index("```") : text.index("```", text.index("```") + 3)]
    packages = [path.parent.name for path in (ROOT / "app").glob("*/__init__.py")]
    assert [name for name in packages if f" {name}/" not in tree] == []


def test_the_checks_find_what_is_missing(make_app):
    text = """
`make check` `make quick` `app/text.py` `app/lost.py` `lost.html` `app/text.py::fold` `::lost`
`cities/test_rules.py::test_lost` `flask prepare` `flask lost` `history prune` [a](docs/lost.md)
`app/NAME/models.py` `instance/log/web.log`
```console
$ make nothing PORT=1
.venv/bin/flask history lost
```
"""
    assert missing_files(text) == {"app/lost.py", "lost.html"}
    assert broken_links(text, ROOT) == {"docs/lost.md"}
    assert missing_definitions(text) == {"::lost", "cities/test_rules.py::test_lost"}
    assert missing_targets(text) == {"quick", "nothing"}
    assert missing_commands(text, make_app(commands=True).cli) == {"lost", "history lost"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("README*.md")), ids=lambda path: path.name)
def test_the_readme_shows_what_make_run_prints(path):
    [shown] = [body for body in blocks_of(path.read_text(), "console") if "$ make run\n" in body]
    source = (ROOT / "app" / "cli" / "run.py").read_text()
    parts = re.split(r"http\S+|\.\.\./instance|\n", shown.partition("$ make run\n")[2])
    texts = [part.strip() for part in parts if part.strip()]
    assert len(texts) == 4
    assert [text for text in texts if text not in source] == []


def run(folder, redis_url, *command):
    """Run a program of the virtual environment in a copy of the project; returns its output."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder, env=environment(folder, redis_url), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_texts_of_the_catalogue_are_not_added_again():
    catalogue = 'msgid "Name"\nmsgstr "n"\n\nmsgid "Added by"\nmsgstr "a"\n'
    named = 'msgctxt "office"\nmsgid "Name"\nmsgstr "b"\n'
    blocks = [f'\nmsgid "Added by"\nmsgstr "c"\n\n{named}', 'msgid "New"\nmsgstr "d"\n']
    assert new_texts(catalogue, blocks) == f'\n{named}\nmsgid "New"\nmsgstr "d"\n'


@pytest.fixture
def copy(tmp_path):
    """A copy of the project."""
    for name in (
        "app", "docs", "migrations", "scripts", "static", "templates", "tests", "translations",
    ):  # fmt: skip
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("Makefile", "babel.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def insert_before(path, line, text):
    """Insert text into a file, before the one line."""
    content = path.read_text()
    assert content.count(line) == 1
    path.write_text(content.replace(line, text + line))


def msgid_of(entry):
    """The lines that identify an entry of a catalogue: its context and its text."""
    return "".join(re.findall(r"^msg(?:ctxt|id).*", entry, re.M))


def new_texts(catalogue, blocks):
    """The entries of these blocks whose texts the catalogue does not have."""
    had = {msgid_of(entry) for entry in catalogue.split("\n\n")}
    entries = "\n".join(blocks).strip().split("\n\n")
    return "".join(f"\n{entry.strip()}\n" for entry in entries if msgid_of(entry) not in had)


def add_texts(folder, blocks):
    """Append the translations in these blocks, except of texts that are used already."""
    file = folder / "translations/zh/LC_MESSAGES/messages.po"
    catalogue = file.read_text()
    file.write_text(catalogue + new_texts(catalogue, blocks))


def number_migration(text):
    """The text with the number of the next migration for NNNN and the last one for MMMM."""
    head = max(path.name[:4] for path in (ROOT / "migrations" / "versions").glob("[0-9]*.py"))
    return text.replace("NNNN", f"{int(head) + 1:04}").replace("MMMM", head)


def blocks_of(text, language):
    """The fenced blocks in a language."""
    return [body for found, body in FENCE.findall(text) if found == language]


@pytest.mark.deploy
def test_the_example_package_works(copy, redis_url):
    """It is added as the document says: its files, the name of the package, rows of the table of
    permissions and translations. Then linters and its own tests pass."""
    text = number_migration((ROOT / "docs" / "package.md").read_text())
    files = dict(re.findall(r"^## (\S+/\S+)\n.*?^```\w+\n(.*?)^```$", text, re.M | re.S))
    lines = [len(files[name].splitlines()) for name in files if name[:3] in ("app", "tem")]
    assert len(lines) == 8
    assert sum(lines) <= 180  # so that longer names and one more field stay below 200
    for name, content in {**files, "tests/offices/__init__.py": ""}.items():
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text(content)
    insert_before(copy / "app" / "__init__.py", '    "health",\n', '    "offices",\n')
    rows, permissions = blocks_of(text, "text")
    insert_before(copy / "docs" / "security.md", "| `/people` |", rows)
    insert_before(
        copy / "tests" / "test_permissions.py", '    "app.setup.services.claim"', permissions
    )
    add_texts(copy, blocks_of(text, "po"))
    run(copy, redis_url, "ruff", "check", ".")
    run(copy, redis_url, "ruff", "format", "--check", ".")
    run(copy, redis_url, "djlint", "--lint", "--quiet", "templates/offices")
    shared = ("permissions", "service_modules", "structure", "translations")
    tests = ["tests/offices", *(f"tests/test_{name}.py" for name in shared)]
    assert " passed" in run(copy, redis_url, "pytest", "-q", "-m", "not mariadb", *tests)


TEST_NOTE = """
import pytest
from sqlalchemy import select

from app.cities import services
from app.cities.models import City
from app.database.engine import db
from app.errors import Invalid
from tests.cities.conftest import ACTOR, given
from tests.html import Page


def test_note_is_stored(any_app):
    services.create_city(ACTOR, given(note="harbour"))
    assert db.session.scalar(select(City.note)) == "harbour"
    with pytest.raises(Invalid) as refused:
        services.create_city(ACTOR, given(city="b", note="x" * 501))
    assert list(refused.value.fields) == ["note"]


def test_form_has_the_note(as_role):
    page = Page(as_role("editor").get("/cities/new", headers={"Accept-Language": "zh"}))
    assert page.text("#note-help") == "最多 500 个字符。"
    assert page.has("textarea[name=note][rows='4'][maxlength]")
"""
TEXTS = """
msgid "Note"
msgstr "备注"

msgid "At most %(most)s characters."
msgstr "最多 %(most)s 个字符。"
"""


@pytest.mark.deploy
def test_the_example_field_works(copy, redis_url):
    """A note is added as CONTRIBUTING.md says: its lines and blocks. Then the linter, a migration
    of a filled database, tests of the field, and those that compare whole cities pass."""
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    field, migration = blocks_of(guide, "python")
    models, fields = (copy / "app" / "cities" / name for name in ("models.py", "fields.py"))
    [limit] = re.findall("`(NOTE_LENGTH = .*?)`", guide)
    [column] = re.findall("`(note: Mapped.*?)`", guide)
    insert_before(models, "TEXT_LENGTH = ", f"{limit}\n")
    insert_before(models, "    usernumber: ", f"    {column}\n")
    insert_before(fields, "TEXT_LENGTH, USERS_MOST\n", "NOTE_LENGTH, ")
    insert_before(fields, "\n# In the order of forms and pages", field)
    insert_before(fields, ")\n# In the order of CSV files", ", NOTE")
    (copy / number_migration("migrations/versions/NNNN_notes.py")).write_text(
        number_migration(migration)
    )
    add_texts(copy, [TEXTS])
    (copy / "tests" / "cities" / "test_note.py").write_text(TEST_NOTE)
    run(copy, redis_url, "ruff", "check", "app", "migrations")
    run(copy, redis_url, "ruff", "format", "--check", "app", "migrations")
    tests = ["tests/database/test_upgrade.py", "tests/cities/importing/test_pages.py"]
    tests += [f"tests/cities/test_{name}.py" for name in ("note", "history", "rules")]
    texts = "tests/test_translations.py"
    assert " passed" in run(copy, redis_url, "pytest", "-q", "-m", "not mariadb", *tests, texts)


def test_no_document_signals_hup_without_a_check():
    for document in DOCUMENTS:
        assert "signal HUP" not in document.read_text(), f"{document.name}: use flask reload"
