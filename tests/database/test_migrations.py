"""Migrations of a table that others refer to, and by two hosts concurrently."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pymysql
import pytest
from alembic.script import ScriptDirectory
from flask_migrate import upgrade
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.auth.queries import find_person
from app.config import ROOT
from app.database import schema
from app.database.engine import db
from app.database.schema import SchemaError
from tests import servers
from tests.cities.importing.staging import stage
from tests.conftest import environment
from tests.factories import add_person, add_token

NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "{head}"


def upgrade():
    with op.batch_alter_table("{table}") as table:
        table.alter_column("{column}", existing_type=sa.String(255), nullable=True)


def downgrade():
    pass
"""


@pytest.fixture
def next_release(tmp_path):
    """Creates the migrations of a release that alters a column."""

    def make(table, column):
        folder = tmp_path / "migrations"
        shutil.copytree(ROOT / "migrations", folder)
        versions = (folder / "versions").glob("[0-9]*.py")
        head = max(path.name.split("_")[0] for path in versions)
        written = NEXT.format(head=head, table=table, column=column)
        (folder / "versions" / "9999_next.py").write_text(written)
        return str(folder)

    return make


@pytest.mark.parametrize(
    ("table", "column", "child", "rows"),
    [("city_import", "file_name", "city_import_line", 2), ("person", "name", "api_token", 1)],
)
def test_altering_a_table_does_not_delete_its_children_on_sqlite(
    make_app, next_release, table, column, child, rows
):
    with make_app(commands=True).app_context():
        person = add_person("editor", "editor")
        add_token(person)
        stage(person, "广东,深圳市,1\n广东,广州市,2\n")
        db.session.remove()
        upgrade(directory=next_release(table, column))
        with db.engine.connect() as connection:
            assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
            assert connection.scalar(text(f"SELECT COUNT(*) FROM {child}")) == rows  # noqa: S608
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


@pytest.fixture
def original(mariadb_url):
    """A connection to a MariaDB database in which the original program made its table, and the
    address of that database. Holding the table, the connection stops a migration in the middle."""
    port = make_url(mariadb_url).port
    connection = pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=False)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE two_hosts CHARACTER SET utf8mb4")
        cursor.execute("USE two_hosts")
        cursor.execute(
            "CREATE TABLE city (id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY, "
            "provincename VARCHAR(255), cityname VARCHAR(255), usernumber INTEGER)"
        )
        yield cursor, f"{mariadb_url}/two_hosts"
        connection.rollback()
        cursor.execute("DROP DATABASE two_hosts")


def test_migration_that_leaves_children_without_their_parent_changes_nothing(
    make_app, next_release
):
    folder = next_release("person", "name")
    written = Path(folder, "versions", "9999_next.py")
    statement = 'op.execute("DELETE FROM person")'
    written.write_text(
        written.read_text().replace("def downgrade", f"    {statement}\n\n\ndef downgrade")
    )
    with make_app(commands=True).app_context():
        add_token(add_person("editor", "editor"))
        db.session.remove()
        with pytest.raises(SchemaError, match="1 rows of api_token without a parent"):
            upgrade(directory=folder)
        assert find_person("editor")
        version = db.session.scalar(text("SELECT version_num FROM alembic_version"))
        assert version != "9999"


def waiting(cursor):
    """The number of connections that are waiting for a lock."""
    cursor.execute(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() "
        "AND (state LIKE 'Waiting for%lock%' OR state = 'User lock')"
    )
    return cursor.fetchone()[0]


def test_two_hosts_prepare_one_database_at_once(tmp_path, redis_url, original):
    cursor, url = original
    cursor.execute("SELECT * FROM city")  # holds the table until the transaction ends
    hosts = [start_prepare(tmp_path / "one", redis_url, url)]
    try:
        servers.wait_until(lambda: waiting(cursor) == 1, "the first waits for the table")
        hosts.append(start_prepare(tmp_path / "two", redis_url, url))
        with suppress(TimeoutError):  # where the second waits in another way than for a lock
            servers.wait_until(lambda: waiting(cursor) == 2, "both wait")
        cursor.connection.rollback()
        ended = [(host.wait(60), host.stdout.read().decode()) for host in hosts]
    finally:
        for host in hosts:
            servers.stop(host)
            host.stdout.close()
    assert [status for status, _said in ended] == [0, 0], ended
    cursor.execute("SELECT COUNT(*) FROM alembic_version")
    assert cursor.fetchone() == (1,)


def test_statement_that_a_killed_run_left_to_the_server_is_waited_for(
    tmp_path, redis_url, original
):
    """The server completes it on the connection of that run, which has the lock until then."""
    cursor, url = original
    cursor.execute(
        "SELECT GET_LOCK(CONCAT(%s, LEFT(SHA1(DATABASE()), 20)), 0)", (schema.STEPS_LOCK,)
    )
    assert cursor.fetchone() == (1,)
    host = start_prepare(tmp_path / "next", redis_url, url)
    try:
        servers.wait_until(lambda: waiting(cursor) == 1, "it waits")
        cursor.execute("SHOW TABLES")
        assert cursor.fetchall() == (("city",),)
        cursor.execute("DO RELEASE_ALL_LOCKS()")
        ended = host.wait(60), host.stdout.read().decode()
    finally:
        servers.stop(host)
        host.stdout.close()
    assert ended[0] == 0, ended


@pytest.mark.deploy
def test_two_processes_prepare_one_sqlite_file_at_once(tmp_path, redis_url):
    url = f"sqlite:///{tmp_path}/shared.sqlite"
    hosts = [start_prepare(tmp_path / name, redis_url, url) for name in ("one", "two")]
    ended = []
    for host in hosts:
        ended.append((host.wait(60), host.stdout.read().decode()))
        host.stdout.close()
    assert [status for status, _said in ended] == [0, 0], ended


def start_prepare(folder, redis_url, url):
    """Start `flask prepare` of a host with its own instance folder."""
    folder.mkdir()
    (folder / "env").touch()
    env = {**os.environ, **environment(folder, redis_url, url), "ENV_FILE": str(folder / "env")}
    return subprocess.Popen(
        [sys.executable, "-m", "flask", "prepare"],
        cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_migrations_follow_each_other_in_the_order_of_their_names():
    """`app/database/schema.py::state` takes the last name for the newest state."""
    scripts = ScriptDirectory(str(ROOT / "migrations"))
    order = [script.revision for script in scripts.walk_revisions()]
    assert order == sorted(order, reverse=True)
