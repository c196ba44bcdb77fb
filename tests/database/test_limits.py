"""Limits of locks, statements and answers."""

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pymysql
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from app.actor import Actor
from app.cities import services
from app.cities.services import add_sample_cities
from app.database import limits
from app.database.engine import db
from app.database.failures import Kind, classify
from app.database.mariadb import SharedTlsConnection, limit_query
from app.database.service import unrecorded
from app.errors import Locked
from tests.database.test_pace import ENDLESS
from tests.database.test_transactions import give_role
from tests.factories import HTML, Browser, add_person, run_command, statements

VARIABLES = text("SELECT @@innodb_lock_wait_timeout, @@lock_wait_timeout, @@max_statement_time + 0")
WAITING = text(
    "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"
)


def test_limits_of_pages_and_commands_nest(mariadb, mariadb_migrated, make_app):
    found = []
    for app in (mariadb, make_app(commands=True, DATABASE_URL=mariadb_migrated)):
        with app.app_context():
            lock, table, statement = db.session.execute(VARIABLES).one()
            driver = db.session.connection().connection.driver_connection
            found.append((lock, table, statement, driver._read_timeout))
            db.session.rollback()
    web, command = found
    assert web == (1, 1, 1.2, 1.8)
    assert command == (10, 10, 0, 120)


@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("5.5.5-10.11.6-MariaDB-log", ["max_statement_time=1.2"]),
        ("11.8.2-MariaDB", ["max_statement_time=1.2"]),
        ("8.0.36", ["max_execution_time=1200"]),
    ],
)
def test_statements_are_limited_in_the_words_of_the_server(version, found):
    connection = SharedTlsConnection(defer_connect=True, statement_seconds=1.2)
    connection.server_version = version
    assert connection.limits() == found


def test_statement_ends_on_the_server_when_nobody_waits_any_more(mariadb):
    with pytest.raises(DBAPIError) as error:
        db.session.execute(text("SELECT SLEEP(30)"))
    db.session.rollback()
    assert classify(error.value) is Kind.TOO_LONG
    assert db.session.scalar(WAITING) == 0


def test_a_budget_ends_a_read_and_only_those_of_its_block(any_app, monkeypatch):
    """The limit of the connection is longer than a test may take."""
    name = db.engine.dialect.name
    query = text(ENDLESS if name == "sqlite" else "SELECT SLEEP(3600)")
    monkeypatch.setattr(limits, "WEB", replace(limits.WEB, statement=3600))
    if name == "mysql":
        db.session.execute(text("SET SESSION max_statement_time=3600"))
    with limits.budget.of(0.05), pytest.raises(DBAPIError) as error:
        db.session.scalar(query)
    assert classify(error.value) is Kind.TOO_LONG
    with statements() as sent:
        assert db.session.scalar(text("SELECT 1")) == 1
    assert sent[-1][0].startswith("SELECT")
    db.session.rollback()
    db.engine.dispose()


def test_mysql_takes_a_budget_as_a_hint():
    mysql: Any = SimpleNamespace(dialect=SimpleNamespace(is_mariadb=False))
    with limits.budget.of(0.15):
        query = limit_query(mysql, None, "SELECT id FROM city", {})
        change = limit_query(mysql, None, "UPDATE city SET id = 1", {})
    assert query == ("SELECT /*+ MAX_EXECUTION_TIME(150) */ id FROM city", {})
    assert change == ("UPDATE city SET id = 1", {})


def test_table_that_a_migration_changes_is_a_lock(mariadb):
    person = add_person("viewer")
    holder = db.engine.raw_connection()
    holder.cursor().execute("LOCK TABLES person WRITE")
    try:
        with pytest.raises(Locked):
            unrecorded(give_role)(person, "editor")
    finally:
        holder.cursor().execute("UNLOCK TABLES")
        holder.close()


def test_page_that_reads_a_locked_table_asks_to_try_again(make_app, mariadb_migrated, mariadb):
    add_person("viewer", "viewer")
    browser = Browser(make_app(DATABASE_URL=mariadb_migrated))
    browser.sign_in("viewer")
    holder = db.engine.raw_connection()
    holder.cursor().execute("LOCK TABLES city WRITE")
    try:
        answer = browser.get("/cities?q=anything")
    finally:
        holder.cursor().execute("UNLOCK TABLES")
        holder.close()
    assert answer.status_code == 503
    assert "Someone else is changing this right now. Try again in a moment." in answer.text


@pytest.fixture
def set_password(mariadb, mariadb_migrated, make_app, monkeypatch):
    """Runs `flask set-password` while another transaction holds the row of the person, for a time
    or for ever."""
    add_person("Ada", "viewer")

    def run(lock, held):
        monkeypatch.setattr(limits, "COMMAND", replace(limits.COMMAND, lock=lock))
        command = make_app(own=True, commands=True, DATABASE_URL=mariadb_migrated)
        holder = db.engine.raw_connection()
        holder.cursor().execute("SELECT * FROM person FOR UPDATE")
        if held:
            threading.Timer(held, holder.rollback).start()
        result = run_command(command, "set-password", "Ada", typed="a new password\n")
        holder.rollback()
        holder.close()
        return result.exit_code, result.output

    return run


def test_command_waits_longer_than_a_page_for_a_locked_row(set_password):
    assert set_password(lock=10, held=2.5)[0] == 0


def test_command_names_a_row_that_stays_locked(set_password):
    assert set_password(lock=1, held=None) == (
        1, "Error: Someone else is changing this right now. Try again in a moment.\n"
    )  # fmt: skip


def test_page_that_took_too_long_does_not_ask_to_try_again(make_app, monkeypatch):
    monkeypatch.setattr(limits, "WEB", replace(limits.WEB, statement=0))
    monkeypatch.setattr(limits, "STEPS", 10)
    app = make_app(own=True, PUBLIC_READ="1")
    with app.app_context():
        add_sample_cities(Actor.operator())
        db.session.remove()
        db.engine.dispose()
    answer = app.test_client().get("/cities?q=a", headers=HTML)
    assert answer.status_code == 503
    assert "This took too long. Narrow the search, or try again later." in answer.text
    assert "Retry-After" not in answer.headers


def test_change_that_took_too_long_asks_to_try_again(make_app, monkeypatch):
    browser = Browser(make_app())
    with browser.app.app_context():
        add_person("ada", "editor")
    browser.sign_in("ada")
    monkeypatch.setattr(services, "lock_names", raise_too_long)
    given = {"province": "a", "city": "b", "number": "1"}
    answer = browser.submit("/cities/new", given, headers=HTML)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "Try again in a moment." in answer.text
    assert "Narrow the search" not in answer.text


def raise_too_long(_names):
    raise OperationalError("SELECT", {}, pymysql.err.OperationalError(1969, "interrupted"))
