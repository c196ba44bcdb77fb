"""Rules of the code that can be checked statically: directions of imports, use of endpoints and
URLs, the first argument of services, the length of functions.

KNOWN lists the exceptions. An entry that is no longer needed fails too.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from app.config import ROOT

APP = ROOT / "app"
LOOSE_MODULES = 12
VIEW_LINES = 25
FUNCTION_LINES = 40
WIRING = {"create_app", "init_app"}  # these may import all packages
WITHOUT_REQUEST = {"services.py", "queries.py", "rules.py", "models.py"}

Function = ast.FunctionDef | ast.AsyncFunctionDef

KNOWN: dict[str, set[str]] = {
    "web in services": set(),
    "addresses": set(),
    "actors": set(),
    "class names": set(),
    "long functions": set(),
}


@cache
def modules() -> dict[Path, ast.Module]:
    """The syntax trees of all modules of the application."""
    return {path: ast.parse(path.read_text()) for path in sorted(APP.rglob("*.py"))}


def name_of(path: Path) -> str:
    """The name of a module in KNOWN: cities/views.py."""
    return path.relative_to(APP).as_posix()


def unit_of(path: Path) -> str:
    """The package or loose module at the top of app/ that a module belongs to."""
    return path.relative_to(APP).parts[0].removesuffix(".py")


def functions(tree: ast.AST) -> Iterator[Function]:
    """All functions, including nested ones."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """All imports of a module as (module, name), also within functions, except in WIRING."""
    nodes = [tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, Function) and node.name in WIRING:
            continue
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        nodes.extend(ast.iter_child_nodes(node))


@cache
def imports_of(path: Path) -> list[tuple[str, str]]:
    """What one of the modules imports."""
    return list(imports(modules()[path]))


def decorator_name(node: ast.expr) -> str:
    """The name of a decorator: service of @service(Role.EDITOR), bp.get of @bp.get("/")."""
    return ast.unparse(node.func if isinstance(node, ast.Call) else node)


def holds_services(tree: ast.Module) -> bool:
    """True for a module with a function under @service, @permitted or @bookkeeping."""
    return any(
        decorator_name(each) in {"service", "permitted", "bookkeeping"}
        for node in functions(tree)
        for each in node.decorator_list
    )


def is_view(node: Function) -> bool:
    """True for a function with a route."""
    return any(decorator_name(each).startswith("bp.") for each in node.decorator_list)


def test_units_do_not_import_each_other_in_a_circle():
    units = {unit_of(path) for path in modules()}
    arrows: dict[str, set[str]] = {unit: set() for unit in units}
    for path, tree in modules().items():
        for module, name in imports(tree):
            parts = [*module.split("."), name]
            if parts[0] == "app" and parts[1] in units - {unit_of(path)}:
                arrows[unit_of(path)].add(parts[1])
    assert sum(map(len, arrows.values())) > 50
    while leaves := {unit for unit, targets in arrows.items() if not targets}:
        arrows = {unit: targets - leaves for unit, targets in arrows.items() if unit not in leaves}
    assert not arrows, f"circles among {arrows}"


def test_few_modules_lie_loose():
    assert len(list(APP.glob("*.py"))) <= LOOSE_MODULES


def test_rules_know_no_web():
    """Services and rules are also used by commands, jobs and imports, which have no request."""
    found = set()
    for path, tree in modules().items():
        for module, name in imports(tree):
            of_request = module == "flask" and name in ("g", "request", "session")
            if is_without_request(path, tree) and (of_request or is_of_web(module, name)):
                found.add(f"{name_of(path)}: {module}")
    assert found == KNOWN["web in services"]


def is_without_request(path: Path, tree: ast.Module) -> bool:
    """True for a module that commands, jobs and imports use too."""
    return path.name in WITHOUT_REQUEST or holds_services(tree)


def is_of_web(module: str, name: str) -> bool:
    """True for an import of app.web or of a part of it."""
    return f"{module}.".startswith("app.web.") or (module, name) == ("app", "web")


def test_rules_import_nothing_that_knows_the_web():
    paths = {
        ".".join(path.relative_to(APP.parent).with_suffix("").parts): path for path in modules()
    }
    found = set()
    for start, tree in modules().items():
        if not is_without_request(start, tree):
            continue
        seen, waiting = set(), [start]
        while waiting:
            path = waiting.pop()
            seen.add(path)
            for module, name in imports_of(path):
                if is_of_web(module, name):
                    found.add(f"{name_of(start)}: {name_of(path)} imports {module}")
                known = {paths.get(module), paths.get(f"{module}.{name}")} - {None, *seen}
                waiting += known
    assert not found


def test_who_makes_a_request_is_asked_through_the_hooks():
    found = {
        name_of(path)
        for path, tree in modules().items()
        for module, name in imports(tree)
        if "app.auth.identification" in (module, f"{module}.{name}") and unit_of(path) != "auth"
    }
    assert not found


def test_no_package_knows_an_address_of_another(app):
    """Neither an endpoint, nor a rule of the URL map, nor its prefix before a variable."""
    owners: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        unit = app.view_functions[rule.endpoint].__module__.split(".")[1]
        fixed, variable, _rest = rule.rule.partition("<")
        for text in (rule.rule, rule.endpoint, *([fixed] if variable else [])):
            owners.setdefault(text, set()).add(unit)
    found = set()
    for path, tree in modules().items():
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) else None
            # The only endpoint of one word is that of static files.
            known = isinstance(text, str) and ("." in text or "/" in text) and text != "/"
            if known and text in owners and unit_of(path) not in owners[text]:
                found.add(f"{name_of(path)}: {text}")
    assert len(owners) > 100
    assert found == KNOWN["addresses"]


def services_without_actor(tree: ast.Module) -> list[str]:
    """Functions with @service or @permitted whose first argument is not `actor: Actor`."""
    found = []
    for node in functions(tree):
        names = {decorator_name(each) for each in node.decorator_list}
        arguments = [*node.args.posonlyargs, *node.args.args]
        first = ast.unparse(arguments[0]) if arguments else ""
        if names & {"service", "permitted"} and first != "actor: Actor":
            found.append(node.name)
    return found


def test_services_take_an_actor_first():
    found = {
        f"{name_of(path)}: {name}"
        for path, tree in modules().items()
        for name in services_without_actor(tree)
    }
    assert found == KNOWN["actors"]


def test_class_names_are_used_once():
    names = Counter(
        node.name
        for tree in modules().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    )
    assert len(names) > 50
    assert {name for name, count in names.items() if count > 1} == KNOWN["class names"]


def long_functions(tree: ast.Module) -> list[str]:
    """Functions over their limits in lines, from `def` to the last line, including docstring and
    comments."""
    return [
        node.name
        for node in functions(tree)
        if (node.end_lineno or 0) - node.lineno >= (VIEW_LINES if is_view(node) else FUNCTION_LINES)
    ]


def test_views_and_functions_are_short():
    found = {
        f"{name_of(path)}: {name}"
        for path, tree in modules().items()
        for name in long_functions(tree)
    }
    assert found == KNOWN["long functions"]


SAMPLE = """
@service(Role.EDITOR)
def create(name): ...

@permitted(Role.EDITOR)
def read(actor: Actor, /, name): ...

@service(ANYONE)
def sign_in(who: Actor): ...

@bp.get("/short")
def short():
    from app.web import urls
    from flask import g, request

@bp.route("/long")
@role_required()
def long():
    '''Lines.%(lines)s'''

def init_app(app):
    from app.cities import views
"""


def test_the_checks_find_what_they_look_for():
    tree = ast.parse(SAMPLE % {"lines": "\n" * 24})
    assert services_without_actor(tree) == ["create", "sign_in"]
    assert long_functions(tree) == ["long"]
    assert long_functions(ast.parse(SAMPLE % {"lines": "\n" * 23})) == []
    assert set(imports(tree)) == {("app.web", "urls"), ("flask", "g"), ("flask", "request")}
