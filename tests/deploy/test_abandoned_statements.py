"""Statements that nobody waits for any more end on MariaDB."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest
from sqlalchemy.engine import make_url

from tests import servers
from tests.applications import environment

# Seconds in which a statement has ended; its limit is WEB.statement (app/database/limits.py), and a
# busy machine is late.
MOST = 30
STATEMENTS = {
    "compute": "SELECT BENCHMARK%",
    "wait": "SELECT COUNT(*) FROM city",
}


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """A cursor of another client of the database."""
    address = make_url(url)
    with (
        closing(
            pymysql.connect(host=address.host, port=address.port, user=address.username)
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"USE {address.database}")
        yield cursor


@pytest.fixture
def database(mariadb_migrated: str) -> Iterator[Any]:
    """Locks the table of cities."""
    with connected(mariadb_migrated) as cursor:
        cursor.execute("LOCK TABLES city WRITE")
        yield cursor


@pytest.fixture(scope="module")
def site(redis_url: str, mariadb_migrated: str) -> Iterator[tuple[Path, str]]:
    """A folder and the URL of a web process over it."""
    with servers.short_folder("abandoned") as folder:
        (folder / "instance").mkdir()
        env = {**environment(folder, redis_url, mariadb_migrated), "WEB_WORKERS": "1"}
        log, target = folder / "web.log", "tests.deploy.wsgi:app"
        with servers.gunicorn_server(env, log, target) as base:
            yield folder, base


def workers(folder: Path) -> set[int]:
    return servers.children(int((folder / "instance" / "gunicorn.pid").read_text()))


def runs(database: Any, name: str) -> bool:
    """True if MariaDB executes this statement."""
    database.execute(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE %s",
        [STATEMENTS[name]],
    )
    return bool(database.fetchone()[0])


@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("gone", ["client", "worker"])
def test_a_statement_that_nobody_waits_for_ends(site, database, gone, name):
    folder, base = site
    address = urlsplit(base)
    with socket.create_connection((address.hostname, address.port), 60) as client:
        client.sendall(f"GET /slow/{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        servers.wait_until(lambda: runs(database, name), "it runs")
        [worker] = workers(folder)
        if gone == "client":
            client.close()
        else:
            os.kill(worker, signal.SIGKILL)
        servers.wait_until(lambda: not runs(database, name), "it has ended", MOST)
    servers.wait_until(lambda: servers.answers(base), "the site answers")
    assert (workers(folder) == {worker}) is (gone == "client")
