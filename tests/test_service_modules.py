"""What is in services.py and staging.py without a decorator, and who may commit."""

import ast
from pathlib import Path

from app.config import ROOT
from tests.test_structure import (
    APP,
    DECORATORS,
    Function,
    decorators,
    holds_services,
    modules,
    name_of,
)

SERVICE_MODULES = {"services.py", "staging.py"}

# Functions without a decorator that views, commands and other modules without services use.
UNDECORATED = {
    "reads what everybody may read, or what its caller was given": {
        "cities/services.py: is_empty",
        "cities/services.py: read_sample",
        "health/services.py: read_report",
    },
    "checks the reader itself, because PUBLIC_READ opens cities to everybody": {
        "cities/services.py: load_city",
    },
    "builds an error": {
        "cities/services.py: missing",
    },
    "finds out who the actor is": {
        "auth/tokens/services.py: authenticate",
    },
    "is a part of a service": {
        "files/services.py: newest_current",
        "files/services.py: recorded",
        "history/services.py: changed_fields",
        "history/services.py: dump",
        "history/services.py: new_batch_id",
        "history/services.py: record",
        "jobs/services.py: insert_job",
        "jobs/services.py: restart",
    },
    "is housekeeping of the clock": {
        "cities/removed/services.py: delete_old_removed",
    },
    "computes figures for everybody, and counts them": {
        "numbers/services.py: get_fib",
        "numbers/services.py: get_pi",
        "numbers/services.py: person_limits",
        "numbers/services.py: visitor_limits",
    },
    "reads or writes the values of a session in Redis, for whoever has its key": {
        "session_page/services.py: clean_key",
        "session_page/services.py: clear_values",
        "session_page/services.py: get_value",
        "session_page/services.py: list_values",
        "session_page/services.py: pop_value",
        "session_page/services.py: set_value",
    },
    "signs and checks the link with which the first administrator claims an installation": {
        "setup/services.py: check_link_token",
        "setup/services.py: create_link_path",
    },
}


def undecorated(tree: ast.Module) -> set[str]:
    """The functions at the top of a module that are not services."""
    return {
        node.name
        for node in tree.body
        if isinstance(node, Function) and not decorators(node) & DECORATORS
    }


def module_of(path: Path) -> str:
    """The name of a module as one imports it: app.cities.services."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def names_used(tree: ast.Module) -> set[tuple[str, str]]:
    """Names of other modules that a module uses, as (module, name): imported, or by
    `services.name`."""
    pairs, imported = set(), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                pairs.add((str(node.module), alias.name))
                imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            pairs.add((imported.get(node.value.id, ""), node.attr))
    return pairs


def test_functions_without_a_decorator_that_others_use_are_those_of_the_list():
    used = {
        pair for tree in modules().values() if not holds_services(tree) for pair in names_used(tree)
    }
    found = {
        f"{name_of(path)}: {name}"
        for path, tree in modules().items()
        if path.name in SERVICE_MODULES
        for name in undecorated(tree)
        if (module_of(path), name) in used
    }
    assert sorted(found) == sorted(name for names in UNDECORATED.values() for name in names)


def commits(tree: ast.AST) -> list[int]:
    """The lines in which something is committed."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("commit", "begin")
    ]


def test_only_the_database_package_begins_and_commits():
    found = {
        f"{name_of(path)}: {line}"
        for path, tree in modules().items()
        if APP / "database" not in path.parents
        for line in commits(tree)
    }
    assert not found


SAMPLE = """
from app.cities import services
from app.cities import services as cities
from app.files.services import remove

@permitted(Role.ADMIN)
def read(actor: Actor): ...

def write(actor):
    services.load()
    cities.store()
    db.session.commit()
"""


def test_the_checks_find_what_they_look_for():
    tree = ast.parse(SAMPLE)
    assert undecorated(tree) == {"write"}
    assert commits(tree) == [12]
    assert names_used(tree) >= {
        ("app.cities.services", "load"),
        ("app.cities.services", "store"),
        ("app.files.services", "remove"),
    }
