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
COMMAND = re.compile(r"(?:^|[\s/`])flask ([a-z][\w-]*)(?: ([a-z][\w-]*))?")
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
def test_what_a_document_names_exists(path, app):
    text = path.read_text()
    assert missing_files(text) == set()
    assert broken_links(text, path.parent) == set()
    assert missing_definitions(text) == set()
    assert missing_targets(text) == set()
    assert missing_commands(text, app.cli) == set()


def test_the_checks_find_what_is_missing(app):
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
    assert missing_commands(text, app.cli) == {"lost", "history lost"}


USE_PACKAGE = """
from flask_migrate import upgrade

from app import create_app
from app.actor import Actor, Role
from app.errors import Forbidden, Invalid
from app.offices import services
from tests.factories import Browser, add_person

app = create_app()
with app.app_context():
    upgrade()
    add_person("editor", "editor")
    add_person("admin", "admin")
    for actor, name, refusal in (
        (Actor(1, "viewer", Role.VIEWER), "Harbour", Forbidden),
        (Actor(1, "editor", Role.EDITOR), "x" * 65, Invalid),
    ):
        try:
            services.create_office(actor, name)
        except refusal:
            print(refusal.__name__)
editor, admin = Browser(app), Browser(app)
editor.sign_in("editor")
admin.sign_in("admin")
print(editor.submit("/offices/new", {"name": ""}).status_code)
print(editor.submit("/offices/new", {"name": "Harbour"}).status_code)
print("Harbour" in editor.get("/offices").text, "Harbour" in admin.get("/history?kind=office").text)
"""


def example_files():
    """The files of docs/package.md, by path. NNNN is the number of the next migration."""
    text = (ROOT / "docs" / "package.md").read_text()
    head = max(path.name[:4] for path in (ROOT / "migrations" / "versions").glob("[0-9]*.py"))
    text = text.replace("NNNN", f"{int(head) + 1:04}").replace("MMMM", head)
    return dict(re.findall(r"^## (\S+/\S+)\n.*?^```\w+\n(.*?)^```$", text, re.M | re.S))


def test_the_example_package_works(tmp_path, redis_url):
    for folder in ("app", "migrations", "static", "templates", "translations"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "tests").mkdir()
    for name in ("__init__.py", "factories.py"):
        shutil.copy(ROOT / "tests" / name, tmp_path / "tests")
    files = example_files()
    assert sum(line.strip() != "" for text in files.values() for line in text.splitlines()) < 200
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    factory = tmp_path / "app" / "__init__.py"
    text = factory.read_text().replace('    "numbers",\n', '    "numbers",\n    "offices",\n')
    factory.write_text(text)
    (tmp_path / "use.py").write_text(USE_PACKAGE)
    done = subprocess.run(
        [sys.executable, "use.py"],
        cwd=tmp_path, env=environment(tmp_path, redis_url), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "Forbidden", "Invalid", "422", "303", "True True",
    ], done.stderr  # fmt: skip
