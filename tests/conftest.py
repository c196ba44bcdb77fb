"""Fixtures: an application with a migrated database and a real Redis, and browsers to use it.

CSRF protection is on, and our own code is not mocked: a test may change a constant (the length of a
page, a time-out) or wrap a function (to count calls, or to let another request come between), and
that is all. `app` runs on SQLite, `any_app` on SQLite and on MariaDB. Tests are skipped if their
programs are missing, which is a failure in CI.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from redis import Redis

from app import create_app
from app.auth import queries
from app.cities.importing import services as importing
from app.cli.run import build_assets
from app.config import Settings
from app.database.engine import db
from app.database.schema import create_database
from app.jobs import waiting
from app.redis import lock
from tests import servers
from tests.applications import Applications, environment, migrate
from tests.factories import Browser, add_person, do_imports, run_command

# Neither the test processes nor the programs that they start shall compile our code each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# So that `tmp_path` is in memory too.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(servers.temporary_root()))


def need(program: str | None, name: str) -> None:
    """Skip the test if a program is missing; fail in CI."""
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Report skipped tests as failures in CI."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


MARIADB_FIXTURES = {"mariadb", "mariadb_url", "mariadb_migrated"}


# What starts a browser, and what starts all programs.
SLOW_FOLDERS = ("tests/browser/", "tests/deploy/")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Add the marker `mariadb`, which `make check` excludes, to tests that use its fixtures; and
    then put those that are left in the order in which several processes run them."""
    for item in items:
        asked = set(getattr(item, "fixturenames", ()))
        parameters = getattr(item, "callspec", None)
        if asked & MARIADB_FIXTURES or (parameters and "mariadb" in parameters.params.values()):
            item.add_marker("mariadb")
    yield
    items[:] = spread(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def spread(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """Each process begins with its slice of the list, and one that is idle takes tests from the end
    of another's. So the tests of each slow folder begin a slice: one or two processes start what
    they share, instead of all, and none of them comes last."""
    if processes < len(SLOW_FOLDERS):
        return items
    slices = [[each for each in items if each.nodeid.startswith(name)] for name in SLOW_FOLDERS]
    slices += [[] for _process in range(processes - len(slices))]
    others = [each for each in items if not each.nodeid.startswith(SLOW_FOLDERS)]
    for some in slices:
        size = max(0, len(items) // processes - len(some))
        some += others[:size]
        del others[:size]
    return [*chain(*slices), *others]


def pytest_collection_finish() -> None:
    """Spare the garbage collector the thousands of tests, which live until the end."""
    gc.freeze()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Build static files and translations as `make` does, before the test processes start, because
    they share these files."""
    if hasattr(session.config, "workerinput"):
        return
    from babel.messages.frontend import CommandLineInterface

    build_assets()
    CommandLineInterface().run(["pybabel", "-q", "compile", "-d", "translations"])


@pytest.fixture(autouse=True)
def imports_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for the job of an import does it in this process, which has no worker; of two
    at once, one waits for the other however busy the machine is."""
    monkeypatch.setattr(waiting, "pause", do_imports)
    monkeypatch.setattr(importing, "WAIT_SECONDS", 60.0)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a Redis for the whole run."""
    need(servers.REDIS, "redis-server or valkey-server")
    with servers.short_folder("redis") as folder, servers.redis_server(folder) as url:
        yield url


@pytest.fixture
def store(redis_url: str) -> Iterator[Redis]:
    """A client of the application's Redis, which returns texts."""
    client = Redis.from_url(redis_url, decode_responses=True)
    yield client
    client.close()


@pytest.fixture
def events(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, object]]]:
    """Returns the fields of the security events so far."""
    caplog.set_level("DEBUG")
    return lambda: [r.fields for r in caplog.records if r.name == "gazetteer.events"]


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """The URL of a MariaDB for the whole run."""
    need(servers.MARIADB, "mariadbd")
    with servers.mariadb_server() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Path:
    """A migrated SQLite file, which is copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    migrate(create_app(Settings.load(environment(folder, redis_url))))
    return folder / "test.sqlite"


@pytest.fixture(scope="session")
def mariadb_migrated(
    tmp_path_factory: pytest.TempPathFactory, redis_url: str, mariadb_url: str
) -> str:
    """The URL of a migrated MariaDB database."""
    settings = Settings.load(
        environment(tmp_path_factory.mktemp("mariadb"), redis_url, f"{mariadb_url}/gazetteer")
    )
    create_database(settings.database_url)
    migrate(create_app(settings))
    return f"{mariadb_url}/gazetteer"


MakeApp = Callable[..., Flask]


@pytest.fixture(scope="session")
def applications(redis_url: str, sqlite_template: Path) -> Iterator[Applications]:
    """The shared applications of this process."""
    with servers.short_folder("app") as folder:
        applications = Applications(folder, redis_url, sqlite_template)
        yield applications
        applications.close()


@pytest.fixture
def make_app(applications: Applications) -> Iterator[MakeApp]:
    """Get an application with changed settings: make_app(PUBLIC_READ="1"). Those of one test share
    its database and Redis, as workers do. It is a web process, with the time limits of one, or with
    `commands=True` the process of a command. `own=True` is for a test that adds something to it,
    because other tests use it too."""
    applications.begin()

    def make(own: bool = False, commands: bool = False, **changed: str) -> Flask:
        return applications.get(own, commands, changed)

    yield make
    applications.end()


@pytest.fixture
def site_environment(applications: Applications) -> dict[str, str]:
    """Environment variables for another process with the database, Redis and folder of `app`."""
    return environment(applications.folder, applications.redis_url)


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """A web process on a fresh SQLite file, without an application context."""
    return make_app()


@pytest.fixture
def flask(make_app: MakeApp) -> Callable[..., Result]:
    """Run a command on the database of `app` as the program `flask` does, with text on its standard
    input: flask("create-user", "Ada", typed="...")."""
    return partial(run_command, make_app(commands=True))


@pytest.fixture(params=["sqlite", "mariadb"])
def any_app(request: pytest.FixtureRequest, make_app: MakeApp) -> Iterator[Flask]:
    """A web process on SQLite and on MariaDB, in an application context."""
    changed = {}
    if request.param == "mariadb":
        changed["DATABASE_URL"] = request.getfixturevalue("mariadb_migrated")
    app = make_app(**changed)
    with app.app_context():
        if request.param == "mariadb":
            empty_tables()
        yield app
        db.session.rollback()


@pytest.fixture
def mariadb(request: pytest.FixtureRequest, make_app: MakeApp) -> Iterator[Flask]:
    """A web process on MariaDB, in an application context."""
    app = make_app(DATABASE_URL=request.getfixturevalue("mariadb_migrated"))
    with app.app_context():
        empty_tables()
        yield app
        db.session.rollback()


def empty_tables() -> None:
    """Empty the tables that an earlier test filled; TRUNCATE also resets the ids."""
    tables = set(db.metadata.tables) - {"installation"}
    filled = " UNION ALL ".join(f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in tables)  # noqa: S608
    with db.engine.begin() as connection:
        connection.exec_driver_sql("SET FOREIGN_KEY_CHECKS=0")
        for (table,) in connection.exec_driver_sql(filled).all():
            connection.exec_driver_sql(f"TRUNCATE {table}")
        connection.exec_driver_sql("SET FOREIGN_KEY_CHECKS=1")


@pytest.fixture
def no_renewal(monkeypatch: pytest.MonkeyPatch) -> None:
    """No lock is renewed, as on a busy machine it would be: that asks Redis while a value is
    computed."""
    monkeypatch.setattr(lock, "RENEW_SECONDS", 600)
    monkeypatch.setattr(lock, "renewal", lock.Renewal())


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A browser that is not signed in."""
    return Browser(app)


@pytest.fixture
def as_role(app: Flask) -> Callable[[str], Browser]:
    """A browser that is signed in: as_role("editor"). The person's name is the role."""

    def sign_in(role: str) -> Browser:
        with app.app_context():
            if queries.find_person(role) is None:
                add_person(role, role)
        browser = Browser(app)
        browser.begin_session(role)
        return browser

    return sign_in
