"""`flask prepare` is killed while it adopts a table of the original program; the next run goes on
from there."""

import os
import secrets
import signal
import subprocess
import sys

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from app import create_app
from app.cities.models import NAMES_INDEX, City
from app.cities.rules import keys
from app.config import ROOT, Settings
from app.database import stored_keys
from app.database.engine import db
from app.database.schema import bring_up_to_date
from tests.applications import environment
from tests.cities.conftest import stored
from tests.cities.test_adoption import original_database

AT_ONCE = 100
# Runs `flask prepare`, and ends it as `kill -9` does when a statement that matches was executed for
# so many times, before the commit.
KILLED = f"""
import os, re, signal, sys
import sqlalchemy as sa
from app.database import stored_keys
from flask.cli import main

stored_keys.AT_ONCE = {AT_ONCE}
pattern, times = sys.argv[1], int(sys.argv[2])

def kill(_connection, _cursor, statement, *_more):
    global times
    times -= bool(re.match(pattern, statement.strip()))
    if times == 0:
        os.kill(os.getpid(), signal.SIGKILL)

sa.event.listen(sa.Engine, "after_cursor_execute", kill)
sys.argv[1:] = ["prepare"]
main()
"""
INSERT = "INSERT INTO city (id, provincename, cityname, usernumber) VALUES (:i, :p, :c, :u)"
NAMES = [
    None, "", " ", "深圳市", "Zürich", "Straße", "a\\u0041\\", "'\"%s:rows{}", "a\x00b", "\x7f\n",
    "😀", "İ\u0301", "ﬃ" * 200, "x ", "字" * 255,
]  # fmt: skip


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def original(request, tmp_path, redis_url):
    """The environment of an application over a table of the original program, and its rows."""
    url = f"sqlite:///{tmp_path / 'original.sqlite'}"
    if request.param == "mariadb":
        url = f"{request.getfixturevalue('mariadb_url')}/killed_{secrets.token_hex(4)}"
    (tmp_path / "env").touch()
    env = {**environment(tmp_path, redis_url, url), "ENV_FILE": str(tmp_path / "env")}
    url = Settings.load(env).database_url
    rows = original_database(url, "utf8mb4_unicode_ci")
    rows += [
        (100 + 3 * number, NAMES[number % 13], NAMES[number % len(NAMES)], number)
        for number in range(450)
    ]
    write(url, INSERT, rows[5:])
    return env, rows


def write(url, statement, rows):
    """Execute a statement of the original program for rows of id, province, city, number."""
    values = [dict(zip("ipcu", row, strict=True)) for row in rows]
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text(statement), values)
    engine.dispose()


def prepare_until(env, pattern, times):
    """Run `flask prepare` and kill it after a statement."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, pattern, str(times)],
        cwd=ROOT, env={**os.environ, **env}, check=False, capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def count_filled(url):
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = connection.scalar(sa.text("SELECT COUNT(province_key) FROM city"))
    engine.dispose()
    return found


def check_keys():
    """All rows have the keys that the application computes, and no others are due."""
    for city in db.session.scalars(select(City)):
        right = keys(city.provincename, city.cityname)
        assert {name: getattr(city, name) for name in right} == right
    assert not db.session.scalar(select(sa.func.count()).where(City.keys_due))


def check_indexes():
    wanted = {index.name for index in City.__table__.indexes}
    if db.engine.dialect.name == "sqlite":
        wanted.remove(NAMES_INDEX)
    assert {index["name"] for index in sa.inspect(db.engine).get_indexes("city")} == wanted


def test_a_killed_adoption_is_continued(original, monkeypatch):
    env, rows = original
    settings = Settings.load(env)
    url = settings.database_url
    prepare_until(env, "UPDATE (JSON_TABLE|city SET)", 3)
    assert count_filled(url) == 2 * AT_ONCE
    # The original program goes on.
    write(url, "DELETE FROM city WHERE id = :i", rows[-1:])
    rows[-1] = (rows[-1][0] + 1, "江苏", "南京市", 9)
    write(url, INSERT, rows[-1:])
    prepare_until(env, "CREATE INDEX ix_city_", 3)
    assert count_filled(url) == len(rows)

    changes, said, store = [], [], stored_keys.store_keys
    monkeypatch.setattr(
        stored_keys, "store_keys", lambda *values: (changes.append(values), store(*values))
    )
    app = create_app(settings)
    with app.app_context():
        bring_up_to_date(url, lambda *words: said.append(words))
        assert changes == [], "what is done is not done again"
        assert ("search keys of city", len(rows), len(rows)) in said
        assert stored() == rows
        check_keys()
        check_indexes()
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()
