"""Every package that we import is listed in pyproject.toml and pinned."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from app.config import ROOT

OURS = {"app", "migrations", "tests"}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUN = PYPROJECT["project"]["dependencies"]
DEV = PYPROJECT["dependency-groups"]["dev"]


def sources(*folders):
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")]


def statements(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The statements of a module, and those within them."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody", "handlers"):
            yield from statements(getattr(node, part, ()))


def imported(paths: Iterable[Path]) -> set[str]:
    """The top-level names of third-party modules."""
    modules = set()
    for path in paths:
        for node in statements(ast.parse(path.read_text()).body):
            if isinstance(node, ast.Import):
                modules.update(name.name for name in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules.add(node.module)
    names = {module.partition(".")[0] for module in modules}
    return names - set(sys.stdlib_module_names) - OURS


def distribution(module: str) -> str:
    """The package that a module comes from."""
    return normalised(packages_distributions()[module][0])


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirements: Iterable[str]) -> set[str]:
    """The package names of requirements such as "redis[hiredis]>=8"."""
    return {normalised(re.match(r"[\w.-]+", requirement)[0]) for requirement in requirements}


@pytest.mark.parametrize(
    ("paths", "requirements"),
    [
        ([*sources("app", "migrations"), ROOT / "gunicorn.conf.py"], RUN),
        (sources("tests"), RUN + DEV),
    ],
)
def test_every_imported_package_is_named(paths, requirements):
    packages = {distribution(module) for module in imported(paths)}
    assert packages - named(requirements) == set()


@pytest.mark.parametrize(("file", "requirements"), [("run.txt", RUN), ("dev.txt", RUN + DEV)])
def test_every_named_package_is_pinned(file, requirements):
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / file).read_text(), re.MULTILINE)
    assert named(requirements) - {normalised(name) for name in pinned} == set()
