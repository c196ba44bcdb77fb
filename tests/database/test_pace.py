"""Statements and commits of SQLite let the other requests of a worker run."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.config import ROOT
from app.database import limits
from app.database.engine import db
from app.database.failures import Kind, classify

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
BOUND = 0.05  # seconds, of the thread in which all requests run


def test_endless_read_of_sqlite_is_ended(make_app, monkeypatch):
    monkeypatch.setattr(limits, "WEB", replace(limits.WEB, statement=0.2))
    with make_app().app_context():
        with pytest.raises(DBAPIError) as error:
            db.session.scalar(text(ENDLESS))
        db.session.rollback()
        assert classify(error.value) is Kind.TOO_LONG


WITH_GEVENT = """
import time
block = time.sleep
from gevent import monkey
monkey.patch_all()
import gevent
from dataclasses import replace
from sqlalchemy import event, text
from app import create_app
from app.config import Settings
from app.database import limits
from app.database.engine import db
from app.database.failures import DATABASE_ERRORS, classify
from app.database.service import run_transaction, unrecorded

app = create_app(Settings.load(), commands=False)
with app.app_context():
    db_engine = db.engine
WEB = limits.WEB
turns = []
LIMITED = '''WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000)
    SELECT max(i) FROM n'''
ENDLESS = LIMITED.replace("LIMIT 300000", "")

def others():
    while True:
        gevent.sleep(0.001)
        turns.append(1)

def work():
    while True:
        gevent.sleep(0)
        block(0.005)

def read(statement):
    with app.app_context():
        try:
            return db.session.scalar(text(statement))
        except DATABASE_ERRORS as error:
            return classify(error).name

def in_app(function, *args):
    with app.app_context():
        try:
            return function(*args)
        except DATABASE_ERRORS as error:
            return classify(error).name

@unrecorded
def write(key, statement):
    db.session.execute(text(f"INSERT INTO form_key (key, created_at) VALUES ('{key}', '2026')"))
    turns.clear()
    begun = time.monotonic()
    db.session.scalar(text(statement))
    return len(turns), time.monotonic() - begun

def stored():
    return read("SELECT group_concat(key) FROM form_key")

gevent.spawn(others)
gevent.sleep(0.05)
"""
CASES = {
    "others go on": ("""
turns.clear()
assert read(LIMITED) == 300000
print(len(turns) > 5)
""", "True"),
    "the work of others does not count": ("""
limits.WEB = replace(limits.WEB, statement=0.5)
working = gevent.spawn(work)
begun = time.monotonic()
print(read(LIMITED.replace("300000", "20000")), time.monotonic() - begun > 0.5)
working.kill()
limits.WEB = WEB
""", "20000 True"),
    "ended": ("""
print(read(ENDLESS))
""", "TOO_LONG"),
    "killed": ("""
reading = gevent.spawn(read, ENDLESS)
gevent.sleep(0.1)
reading.kill()
print(type(reading.value).__name__, reading.successful())
""", "GreenletExit True"),
    "timed out": ("""
try:
    with gevent.Timeout(0.2):
        read(ENDLESS)
except gevent.Timeout:
    print("Timeout")
print(read("SELECT 7"))
""", "Timeout\n7"),
    "a writer lets others run, but not as often": ("""
paused, seconds = in_app(write, "a", LIMITED.replace("300000", "1000000"))
print(0 < paused <= seconds / limits.HOLD_SECONDS + 1, stored())
""", "True a"),
    "busy readers do not hold up a writer": ("""
def read_again_and_again():
    while True:
        read("SELECT 1")
        block(0.005)
        gevent.sleep(0.001)
readers = [gevent.spawn(read_again_and_again) for _ in range(8)]
gevent.sleep(0.5)
paused, _seconds = in_app(write, "busy", LIMITED)
gevent.killall(readers)
print(paused < 60)
""", "True"),
    "many short statements let others run": ("""
@unrecorded
def write_many():
    turns.clear()
    begun = time.monotonic()
    while time.monotonic() - begun < 5 * limits.HOLD_SECONDS:
        db.session.execute(text("DELETE FROM form_key"))
    return len(turns)
print(0 < in_app(write_many) <= 6)
""", "True"),
    "writers take turns": ("""
begun = []
event.listen(db_engine, "before_cursor_execute", lambda *args: begun.append(args[2][:5]))
both = [gevent.spawn(in_app, write, key, LIMITED) for key in "bc"]
gevent.joinall(both)
print(begun.count("BEGIN"), stored())
""", "2 b,c"),
    "a writer whose turn does not come": ("""
writing = gevent.spawn(in_app, write, "d", ENDLESS)
gevent.sleep(0.1)
print(in_app(run_transaction, lambda: None, 0.1))
""", "BUSY"),
    "killed while it writes": ("""
writing.kill()
print(type(writing.value).__name__, stored())
in_app(write, "e", "SELECT 1")
print(stored())
""", "GreenletExit b,c\nb,c,e"),
    "others run during a commit": ("""
@unrecorded
def commit():
    db.session.execute(text("DELETE FROM form_key"))
    event.listen(db_engine, "commit", lambda _: before.append(loop.iteration))
before, loop = [], gevent.get_hub().loop
in_app(commit)
print(loop.iteration > before[0], stored())
""", "True None"),
}  # fmt: skip


def run(script, environment):
    """What a program prints whose database is that of the test."""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, **environment},
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_long_statements_under_gevent(app, site_environment):
    """In one process, because its start takes longest."""
    script = "".join(f"print({case!r}){code}" for case, (code, _printed) in CASES.items())
    printed = "".join(f"{case}\n{printed}\n" for case, (_code, printed) in CASES.items())
    assert run(WITH_GEVENT + script, site_environment) == printed
