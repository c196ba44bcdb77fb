"""Compiled templates are used again while all that they depend on is the same."""

import sys

import pytest
from jinja2 import DictLoader, Environment

from app.web.assets import compiled_templates
from app.web.assets.compiled_templates import CompiledTemplates, code_hash


@pytest.fixture
def compiled(tmp_path, monkeypatch):
    """Returns what a new process renders a template to, and whether it compiled it."""
    monkeypatch.setattr(compiled_templates, "ROOT", tmp_path)
    (tmp_path / "app").mkdir()

    def render(source: str, suffix: str = "!") -> tuple[str, bool]:
        code_hash.cache_clear()
        cache = CompiledTemplates(tmp_path / "compiled")
        environment = Environment(loader=DictLoader({"a": source}), bytecode_cache=cache)  # noqa: S701
        environment.filters["loud"] = lambda text: text + suffix
        compilations = []
        compile_source = environment.compile
        environment.compile = lambda *args, **kwargs: (
            compilations.append(args) or compile_source(*args, **kwargs)
        )
        return environment.get_template("a").render(), bool(compilations)

    yield render
    code_hash.cache_clear()


def test_a_template_is_compiled_once(compiled):
    assert compiled("{{ 'a' | loud }}") == ("a!", True)
    assert compiled("{{ 'a' | loud }}") == ("a!", False)
    assert compiled("{{ 'b' | loud }}") == ("b!", True)


def test_a_template_is_compiled_again_when_code_has_changed(compiled, tmp_path):
    """A filter of a constant is computed by the compiler."""
    compiled("{{ 'a' | loud }}")
    (tmp_path / "app" / "filters.py").write_text("suffix = '?'")
    assert compiled("{{ 'a' | loud }}", "?") == ("a?", True)


def test_a_template_is_compiled_again_with_another_jinja(compiled, monkeypatch):
    compiled("a")
    monkeypatch.setattr(compiled_templates, "version", lambda name: "1.0")
    assert compiled("a") == ("a", True)


@pytest.mark.parametrize("part", [slice(0), slice(20), slice(-20)])
def test_a_damaged_file_is_made_again(compiled, tmp_path, part):
    compiled("a")
    [file] = (tmp_path / "compiled").iterdir()
    file.write_bytes(file.read_bytes()[part])
    assert compiled("a") == ("a", True)
    assert compiled("a") == ("a", False)


def test_a_folder_that_cannot_be_written_is_no_error(compiled, tmp_path):
    (tmp_path / "compiled").touch()
    assert compiled("a") == ("a", True)


def test_they_are_beside_the_compiled_code_if_python_may_write_there(make_app, monkeypatch):
    assert make_app(own=True).jinja_env.bytecode_cache.directory.endswith(
        "app/__pycache__/templates"
    )
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert make_app(own=True).jinja_env.bytecode_cache is None
