"""Rules of the code that can be checked statically: directions of imports, use of endpoints and
URLs, the first argument of services, who needs no actor, the length of functions.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from app.config import ROOT

APP = ROOT / "app"
LOOSE_MODULES = 12
PACKAGE_MODULES = 14  # more ask for a sub-package
MODULE_LINES = 300
VIEW_LINES = 25
FUNCTION_LINES = 40
WIRING = {"create_app", "init_app"}  # these may import all packages
WITHOUT_REQUEST = {"services.py", "queries.py", "listing.py", "rules.py", "models.py"}

Function = ast.FunctionDef | ast.AsyncFunctionDef

WITHOUT_ACTOR = {"unrecorded", "essential"}
DECORATORS = {"service", "permitted", *WITHOUT_ACTOR}

# Functions with one of these, which have no actor and no history, and what they are for.
BOOKKEEPING = {
    "backups/rehearsing.py: store_proof": "whether a backup can be restored",
    "auth/sign_in/services.py: note_sign_in": "last sign-in",
    "auth/sign_in/services.py: replace_hash": "the same password under the present parameters",
    "auth/tokens/services.py: note_use": "last use",
    "cities/importing/applying/retention.py: delete_piece": "after the undo period",
    "cities/importing/cleaning.py: delete_piece": "imports that ended without a confirmation",
    "cities/importing/cleaning.py: delete_row": "imports that ended without a confirmation",
    "cities/search_keys.py: fill_batch": "search keys of rows that other programs wrote",
    "database/stored_keys.py: store_keys": "search keys of rows by the rules of a new release",
    "cities/removed/services.py: delete_batch": "permanent deletion after the undo period",
    "clock/beats.py: beat": "that a clock runs",
    "jobs/deliveries/dispatch.py: claim_next": "who sends a result",
    "jobs/deliveries/dispatch.py: finish": "whether a result was received",
    "jobs/retention.py: delete_batch": "jobs that ended long ago",
    "jobs/worker/beats.py: forget_worker": "which processes do jobs",
    "jobs/worker/beats.py: note_worker": "which processes do jobs",
    "jobs/worker/claim.py: ask": "who does a job",
    "jobs/worker/claim.py: beat": "who does a job",
    "jobs/worker/claim.py: claim_job": "who does a job",
    "jobs/worker/claim.py: finish": "how a job ended",
    "jobs/worker/claim.py: give_back": "who does a job",
    "jobs/worker/claim.py: take_back_job": "who does a job",
    "jobs/worker/claim.py: write_line": "the log of a job",
    "jobs/worker/claim.py: write_progress": "how far a job is",
    "jobs/worker/outbox.py: mark_unsent": "which jobs were sent",
    "jobs/worker/outbox.py: take_unsent": "which jobs were sent",
    "schedules/running/due.py: delete_runs_of": "old runs of schedules",
    "schedules/running/due.py: pass_over": "the next moments of schedules, after a restore",
    "schedules/running/due.py: run_due": "the jobs of schedules, whose runs are their record",
    "schedules/running/due.py: settle_runs": "how runs of schedules ended",
    "schedules/running/housekeeping.py: begin": "which clock does the housekeeping",
    "schedules/running/housekeeping.py: end": "how the housekeeping ended",
    "schedules/shipped.py: insert_row": "schedules that ship with the product",
    "database/idempotency.py: delete_old_keys": "expired keys",
    "files/folders/rows.py: fill_rows": "folders of files that an earlier release wrote",
    "files/storage/purging.py: purge_batch": "permanent deletion after the undo period",
    "files/storage/purging.py: purge_expired": "results of jobs whose time is over",
    "files/download/counting.py: add_counts": "download counts",
}


@cache
def modules() -> dict[Path, ast.Module]:
    """The syntax trees of all modules of the application."""
    return {path: ast.parse(path.read_text()) for path in sorted(APP.rglob("*.py"))}


def name_of(path: Path) -> str:
    """The path of a module in app/: cities/views.py."""
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
    """True for a module with a function under @service, @permitted, @unrecorded or @essential."""
    return any(decorators(node) & DECORATORS for node in functions(tree))


def decorators(node: Function) -> set[str]:
    """The names of a function's decorators."""
    return {decorator_name(each) for each in node.decorator_list}


def is_view(node: Function) -> bool:
    """True for a function with a route."""
    return any(name.startswith("bp.") for name in decorators(node))


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


def test_modules_are_short():
    lines = {name_of(path): len(path.read_text().splitlines()) for path in modules()}
    assert not {name: count for name, count in lines.items() if count >= MODULE_LINES}


def test_packages_have_few_modules():
    counts = Counter(name_of(path.parent) for path in modules())
    assert len(counts) > 10
    assert not {name: count for name, count in counts.items() if count > PACKAGE_MODULES}


def is_without_request(path: Path, tree: ast.Module) -> bool:
    """True for a module that commands, jobs and imports use too, which have no request."""
    return path.name in WITHOUT_REQUEST or holds_services(tree)


def is_of_web(module: str, name: str) -> bool:
    """True for an import of app.web or of a part of it."""
    return f"{module}.".startswith("app.web.") or (module, name) == ("app", "web")


def reached_from(start: Path) -> set[Path]:
    """A module and all that it imports, also through others."""
    paths = {
        ".".join(path.relative_to(APP.parent).with_suffix("").parts): path for path in modules()
    }
    seen, waiting = set(), [start]
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for module, name in imports_of(path):
            waiting += {paths.get(module), paths.get(f"{module}.{name}")} - {None, *seen}
    return seen


def test_services_and_rules_know_neither_the_web_nor_the_request():
    """Nor does anything that they import, of other packages app.web alone: `app/logs` and
    `app/current.py` look whether there is a request."""
    starts = [path for path, tree in modules().items() if is_without_request(path, tree)]
    found = set()
    for start in starts:
        for path in reached_from(start):
            for module, name in imports_of(path):
                of_request = module == "flask" and name in ("g", "request", "session")
                is_own = unit_of(path) == unit_of(start)
                if is_of_web(module, name) or (of_request and is_own):
                    found.add(f"{name_of(start)}: {name_of(path)} imports {module} {name}")
    assert len(starts) > 20
    assert not found


def test_functions_without_an_actor_are_those_of_the_list():
    found = {
        f"{name_of(path)}: {node.name}"
        for path, tree in modules().items()
        for node in functions(tree)
        if decorators(node) & WITHOUT_ACTOR
    }
    assert found == set(BOOKKEEPING)


def test_who_makes_a_request_is_asked_through_the_hooks():
    found = {
        name_of(path)
        for path, tree in modules().items()
        for module, name in imports(tree)
        if "app.auth.sessions.identification" in (module, f"{module}.{name}")
        and unit_of(path) != "auth"
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
    assert not found


def services_without_actor(tree: ast.Module) -> list[str]:
    """Functions with @service or @permitted whose first argument is not `actor: Actor`."""
    found = []
    for node in functions(tree):
        arguments = [*node.args.posonlyargs, *node.args.args]
        first = ast.unparse(arguments[0]) if arguments else ""
        if decorators(node) & {"service", "permitted"} and first != "actor: Actor":
            found.append(node.name)
    return found


def test_services_take_an_actor_first():
    found = {
        f"{name_of(path)}: {name}"
        for path, tree in modules().items()
        for name in services_without_actor(tree)
    }
    assert not found


def test_class_names_are_used_once():
    names = Counter(
        node.name
        for tree in modules().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    )
    assert len(names) > 50
    assert not [name for name, count in names.items() if count > 1]


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
    assert not found


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
