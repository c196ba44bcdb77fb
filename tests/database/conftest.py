"""Fixtures: applications on MariaDB without an application context."""

import pytest

from tests.conftest import empty_tables
from tests.factories import Browser, add_person


@pytest.fixture
def on_mariadb(make_app, mariadb_migrated):
    """The application on MariaDB, with empty tables."""
    app = make_app(DATABASE_URL=mariadb_migrated)
    with app.app_context():
        empty_tables()
    return app


@pytest.fixture
def mariadb_editor(on_mariadb):
    """An editor signed in on MariaDB."""
    with on_mariadb.app_context():
        add_person("editor", "editor")
    browser = Browser(on_mariadb)
    browser.sign_in("editor")
    return browser
