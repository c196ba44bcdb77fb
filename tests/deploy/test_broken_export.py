"""An export during which the database fails, through a real gunicorn."""

import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from app import create_app
from app.cities.models import City
from app.cities.rules import keys
from app.config import Settings
from app.database.engine import db
from tests import servers
from tests.applications import environment, migrate

pytestmark = pytest.mark.deploy

ROWS = 30_000
END_OF_CHUNKS = b"\r\n0\r\n\r\n"


@pytest.fixture(scope="module")
def folder(redis_url: str) -> Iterator[Path]:
    """A folder with a filled SQLite file, and gunicorn on a unix socket, which buffers less than a
    TCP connection."""
    with servers.short_folder("export") as folder:
        env = {**environment(folder, redis_url), "PUBLIC_READ": "1", "WEB_WORKERS": "1"}
        (folder / "instance").mkdir()
        fill(env)
        with servers.gunicorn_server(env, folder / "web.log", unix=folder / "web.sock"):
            yield folder


def fill(env: dict[str, str]) -> None:
    """Create the tables and the cities."""
    app = create_app(Settings.load(env))
    migrate(app)
    with app.app_context():
        rows = [("广东", f"城市 {number}", number) for number in range(ROWS)]
        db.session.execute(
            insert(City.__table__),
            [{"provincename": p, "cityname": c, "usernumber": n, **keys(p, c)} for p, c, n in rows],
        )
        db.session.commit()
        db.engine.dispose()


def ask(folder: Path) -> tuple[socket.socket, bytes]:
    """Request the export and read only its beginning; the server waits before sending the rest."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30)
    connection.connect(str(folder / "web.sock"))
    connection.sendall(
        b"GET /cities/export.csv HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    return connection, connection.recv(2000)


def read_rest(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    connection.close()
    return b"".join(pieces)


def rename(folder: Path, table: str, name: str) -> None:
    """Rename a table."""
    with sqlite3.connect(folder / "test.sqlite", timeout=60) as database:
        database.execute(f"ALTER TABLE {table} RENAME TO {name}")
    database.close()


def test_a_complete_export_has_its_last_chunk(folder: Path) -> None:
    connection, beginning = ask(folder)
    response = beginning + read_rest(connection)
    assert response.startswith(b"HTTP/1.1 200 ")
    assert b"Transfer-Encoding: chunked" in response
    assert response.count("广东,城市 ".encode()) == ROWS
    assert response.endswith(END_OF_CHUNKS)


def test_a_failed_export_lacks_its_last_chunk(folder: Path) -> None:
    connection, beginning = ask(folder)
    assert beginning.startswith(b"HTTP/1.1 200 ")
    rename(folder, "city", "elsewhere")
    response = beginning + read_rest(connection)
    rename(folder, "elsewhere", "city")
    assert 0 < response.count("广东,城市 ".encode()) < ROWS
    # Without the last chunk every client knows that the file is incomplete.
    assert not response.endswith(END_OF_CHUNKS)
    assert b"no such table" in (folder / "web.log").read_bytes()
