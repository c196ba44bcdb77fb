"""Fixtures: an application over a migrated database and a real Redis, and browsers to ask it.

CSRF protection is on, and nothing of ours is replaced by something that does less: a test may
change a constant (a page's length, a time-out), or have a function do more before its own work
(count, let somebody else come between), and that is all. `app` runs on SQLite; `any_app` runs a
test on SQLite and on MariaDB. What a machine lacks is skipped with a reason, which is a failure in
CI.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.auth import queries
from app.config import Settings
from app.database.engine import db
from app.database.schema import create_database
from app.web import static_files
from tests import servers
from tests.applications import Applications, environment, migrate
from tests.factories import Browser, add_person

# `tmp_path` is in memory too.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(servers.temporary_root()))


def need(program: str | None, name: str) -> None:
    """Skip where the machine lacks a program; in CI that is a failure."""
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not on this machine")
        pytest.skip(f"{name} is not on this machine")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI a skipped test is a failure."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


MARIADB_FIXTURES = {"mariadb", "mariadb_url", "mariadb_migrated"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests on MariaDB, which `make check` leaves out, by the fixtures they use."""
    for item in items:
        asked = set(getattr(item, "fixturenames", ()))
        parameters = getattr(item, "callspec", None)
        if asked & MARIADB_FIXTURES or (parameters and "mariadb" in parameters.params.values()):
            item.add_marker("mariadb")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Prepare static files and translations as `make` does, before the first test process starts:
    the processes share these files."""
    if hasattr(session.config, "workerinput"):
        return
    from babel.messages.frontend import CommandLineInterface

    static_files.build()
    CommandLineInterface().run(["pybabel", "-q", "compile", "-d", "translations"])


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of a Redis that lives for the run."""
    need(servers.REDIS, "redis-server or valkey-server")
    with servers.short_folder("redis") as folder, servers.redis_server(folder) as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """The address of a MariaDB that lives for the run."""
    need(servers.MARIADB, "mariadbd")
    with servers.mariadb_server() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Path:
    """An SQLite file that the migrations made, copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    migrate(create_app(Settings.load(environment(folder, redis_url))))
    return folder / "test.sqlite"


@pytest.fixture(scope="session")
def mariadb_migrated(
    tmp_path_factory: pytest.TempPathFactory, redis_url: str, mariadb_url: str
) -> str:
    """The address of a MariaDB database that the migrations made."""
    settings = Settings.load(
        environment(tmp_path_factory.mktemp("mariadb"), redis_url, f"{mariadb_url}/gazetteer")
    )
    create_database(settings.database_url)
    migrate(create_app(settings))
    return f"{mariadb_url}/gazetteer"


MakeApp = Callable[..., Flask]


@pytest.fixture(scope="session")
def applications(redis_url: str, sqlite_template: Path) -> Iterator[Applications]:
    """The applications of this process."""
    with servers.short_folder("app") as folder:
        applications = Applications(folder, redis_url, sqlite_template)
        yield applications
        applications.close()


@pytest.fixture
def make_app(applications: Applications) -> Iterator[MakeApp]:
    """Get an application with other settings: make_app(PUBLIC_READ="1"). All of one test share its
    database and Redis, as workers do. One without commands is a web process. Other tests use it
    too; make_app(own=True) is for a test that adds something to it."""
    applications.begin()

    def make(own: bool = False, commands: bool = True, **changed: str) -> Flask:
        return applications.get(own, commands, changed)

    yield make
    applications.end()


@pytest.fixture
def site_environment(applications: Applications) -> dict[str, str]:
    """Settings for another process that uses the database, Redis and folder of `app`."""
    return environment(applications.folder, applications.redis_url)


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """The application on a fresh SQLite file, outside of any request."""
    return make_app()


@pytest.fixture(params=["sqlite", "mariadb"])
def any_app(request: pytest.FixtureRequest, make_app: MakeApp) -> Iterator[Flask]:
    """The web process on each of the two databases, inside an application context."""
    changed = {}
    if request.param == "mariadb":
        changed["DATABASE_URL"] = request.getfixturevalue("mariadb_migrated")
    app = make_app(commands=False, **changed)
    with app.app_context():
        if request.param == "mariadb":
            empty_tables()
        yield app
        db.session.rollback()


@pytest.fixture
def mariadb(request: pytest.FixtureRequest, make_app: MakeApp) -> Iterator[Flask]:
    """The web process on MariaDB, inside an application context."""
    app = make_app(commands=False, DATABASE_URL=request.getfixturevalue("mariadb_migrated"))
    with app.app_context():
        empty_tables()
        yield app
        db.session.rollback()


def empty_tables() -> None:
    """Empty what an earlier test filled; TRUNCATE also begins the ids anew."""
    with db.engine.begin() as connection:
        connection.exec_driver_sql("SET FOREIGN_KEY_CHECKS=0")
        for table in db.metadata.tables:
            if connection.exec_driver_sql(f"SELECT 1 FROM {table} LIMIT 1").first():  # noqa: S608
                connection.exec_driver_sql(f"TRUNCATE {table}")
        connection.exec_driver_sql("SET FOREIGN_KEY_CHECKS=1")


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Somebody who is not signed in."""
    return Browser(app)


@pytest.fixture
def as_role(app: Flask) -> Callable[[str], Browser]:
    """Somebody signed in: as_role("editor"). The person's name is the role."""

    def sign_in(role: str) -> Browser:
        with app.app_context():
            if queries.find_person(role) is None:
                add_person(role, role)
        browser = Browser(app)
        browser.sign_in(role)
        return browser

    return sign_in
