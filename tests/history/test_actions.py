"""Every action that is recorded has words, and the other way round."""

import ast
import re

from app.config import ROOT
from app.history.subjects import all_subjects

RECORDING = {"record", "record_rows", "record_move", "record_person", "record_new_person"}


def recorded_actions(source: str, kinds: set[str]) -> set[str]:
    """The actions that a module names, if it records any."""
    nodes = list(ast.walk(ast.parse(source)))
    calls = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    if not calls & RECORDING:
        return set()
    texts = {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
    return {text for text in texts if re.fullmatch(rf"({'|'.join(kinds)})\.[a-z_]+", text)}


def test_every_action_that_is_recorded_has_words_and_no_other(app):
    with app.app_context():
        subjects = all_subjects()
    sources = [path.read_text() for path in (ROOT / "app").rglob("*.py")]
    found = set().union(*(recorded_actions(source, set(subjects)) for source in sources))
    named = {action for subject in subjects.values() for action in subject.actions}
    assert found == {".".join(action.split(".")[:2]) for action in named}  # without variants


def test_the_check_finds_what_it_looks_for():
    source = 'record(actor, "city.paint" if a else "city.move", "the city.name", "town.x")'
    assert recorded_actions(source, {"city"}) == {"city.paint", "city.move"}
    assert recorded_actions('print("city.paint")', {"city"}) == set()
