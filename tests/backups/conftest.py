"""Fixtures: an application with people, cities and files, and the program that dumps MariaDB."""

import shutil

import pytest

from app.backups.databases import mariadb
from tests.backups.contents import fill
from tests.conftest import need


def need_program():
    need(next(filter(None, map(shutil.which, mariadb.PROGRAMS)), None), "mariadb-dump")


@pytest.fixture
def dump_program():
    """Skip the test without the program that dumps MariaDB."""
    need_program()


@pytest.fixture
def filled(request, any_app):
    """An application on each database with some of everything. MariaDB is skipped without the
    program mariadb-dump."""
    if "mariadb" in request.node.callspec.params.values():
        need_program()
    fill()
    return any_app
