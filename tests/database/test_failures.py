"""Errors of SQLite and MariaDB, by what they mean."""

import sqlite3
from contextlib import closing

import pymysql
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.auth.models import Person
from app.database import failures
from app.database.engine import db
from app.database.failures import Kind, classify, describe, refusal_of
from app.database.service import unrecorded
from app.errors import Conflict, Fault, Locked, NoSpace, Refused, TooLong, Unavailable
from tests.factories import add_person


def reported(number, message="message"):
    """An error as MariaDB reports it."""
    return OperationalError("SELECT ?", {}, pymysql.err.OperationalError(number, message))


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        (Kind.ABSENCE, (2002, 2003, 2006, 2013, 1040, 1053, 1927, 4031, 1203, 1226, 1047)),
        (Kind.TOO_LONG, (1969, 3024, 1317)),
        (Kind.LOCK, (1205,)),
        (Kind.DEADLOCK, (1213, 1467, 1020, 1412)),
        (Kind.FULL, (1021, 1114)),
        (Kind.REFUSED, (1142, 1143, 1044, 1045, 1049, 1130, 1227, 1290, 1036, 2061)),
        (Kind.IN_USE, (1217, 1451)),
        (Kind.GONE, (1216, 1452)),
        (Kind.FAULT, (1054, 1146, 1176, 1064, 1062, 1366, 1406)),
    ],
)
def test_mariadb_by_number(kind, numbers):
    assert {number: classify(reported(number)) for number in numbers} == dict.fromkeys(
        numbers, kind
    )


@pytest.mark.parametrize(
    ("number", "message", "kind"),
    [
        (1030, 'Got error 28 "No space left on device" from storage engine InnoDB', Kind.FULL),
        (3, "Error writing file '/tmp/x' (Errcode: 28 \"No space left on device\")", Kind.FULL),
        (1026, "Error writing file '/tmp/x' (OS errno 122 - Disk quota exceeded)", Kind.FULL),
        (1030, 'Got error 168 "Unknown (generic) error from engine"', Kind.FAULT),
        (1064, "You have an error near 'error 28' at line 1", Kind.FAULT),
    ],
)
def test_full_disk_of_mariadb(number, message, kind):
    assert classify(reported(number, message)) is kind


@pytest.mark.parametrize(
    ("number", "message", "logged"),
    [
        (
            1062,
            "Duplicate entry 'it's for key 'secret'' for key 'uq_person_name'",
            "1062 Duplicate entry '…' for key 'uq_person_name'",
        ),
        (
            1366,
            "Incorrect string value: '\\xF0\\x9F' for column `g`.`city`.`cityname` at row 1",
            "1366 Incorrect string value: '…' for column `g`.`city`.`cityname` at row 1",
        ),
        (
            1064,
            "You have an error in your SQL syntax near 'secret' and 'more' at line 1",
            "1064 You have an error in your SQL syntax near '…' at line 1",
        ),
        (
            1142,
            "INSERT command denied to user 'gaz'@'127.0.0.1' for table `gaz`.`city`",
            "1142 INSERT command denied to user 'gaz'@'127.0.0.1' for table `gaz`.`city`",
        ),
        (1054, "Unknown column 'x' in 'SELECT'", "1054 Unknown column 'x' in 'SELECT'"),
    ],
)
def test_description_has_no_values(number, message, logged):
    assert describe(reported(number, message)) == logged


def test_pool_without_a_free_connection_is_absence():
    error = PoolTimeout("QueuePool limit of size 20 overflow 10 reached")
    assert (classify(error), describe(error)) == (Kind.ABSENCE, "all connections are in use")


@pytest.mark.parametrize(
    ("kind", "domain"),
    [
        (Kind.ABSENCE, Unavailable), (Kind.BUSY, Unavailable), (Kind.TOO_LONG, TooLong),
        (Kind.DEADLOCK, Unavailable), (Kind.LOCK, Locked), (Kind.FULL, NoSpace),
        (Kind.REFUSED, Refused), (Kind.IN_USE, Conflict), (Kind.GONE, Conflict),
        (Kind.FAULT, Fault),
    ],
)  # fmt: skip
def test_every_kind_has_an_answer(kind, domain):
    assert type(refusal_of(kind)) is domain


def fails(*statements):
    """The error of the last of these statements, on a connection of its own."""
    connection = sqlite3.connect(db.engine.url.database, isolation_level=None, timeout=0)
    with closing(connection):
        for statement in statements[:-1]:
            connection.execute(statement)
        with pytest.raises(sqlite3.Error) as error:
            connection.execute(statements[-1])
    return OperationalError(statements[-1], {}, error.value)


@pytest.mark.parametrize(
    ("kind", "statements"),
    [
        (Kind.REFUSED, ("PRAGMA query_only=ON", "DELETE FROM person")),
        (Kind.REFUSED, ("ATTACH '/nowhere/at/all' AS other",)),
        (Kind.FAULT, ("SELECT * FROM missing",)),
        (Kind.FAULT, ("SELECT missing FROM person",)),
        (Kind.FAULT, ("INSERT INTO person (id) VALUES (NULL)",)),
        (
            Kind.FULL,
            (
                "CREATE TABLE big (x)",
                "PRAGMA max_page_count=1",  # no more than there are
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99)"
                " INSERT INTO big SELECT zeroblob(100000) FROM n",
            ),
        ),
    ],
)
def test_sqlite_by_code(app, kind, statements):
    with app.app_context():
        assert classify(fails(*statements)) is kind


def test_sqlite_file_that_is_not_a_database_is_refused(make_app, tmp_path):
    (tmp_path / "text.sqlite").write_text("this is a text " * 100)
    app = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/text.sqlite")
    with app.app_context(), pytest.raises(DBAPIError) as error:
        db.session.scalar(text("SELECT 1 FROM city"))
    assert classify(error.value) is Kind.REFUSED


def test_busy_sqlite(app):
    with app.app_context():
        other = db.engine.raw_connection()
        other.execute("BEGIN IMMEDIATE")
        try:
            assert classify(fails("BEGIN IMMEDIATE")) is Kind.BUSY
        finally:
            other.rollback()
            other.close()


def test_duplicate_is_a_fault_without_its_value_in_the_log(any_app, caplog):
    add_person("the secret name")

    @unrecorded
    def add_again():
        row = dict(db.session.execute(select(Person.__table__)).mappings().one())
        db.session.execute(Person.__table__.insert(), {**row, "id": None})

    with pytest.raises(IntegrityError) as error:
        add_again()
    assert classify(error.value) is Kind.FAULT
    failures.report(error.value)
    assert "INSERT INTO person" in caplog.text
    assert "add_again" in caplog.text  # the trace
    assert "the secret name" not in caplog.text


def test_statement_that_exceeds_its_time(mariadb, caplog):
    slow = text("SET STATEMENT max_statement_time=0.1 FOR SELECT COUNT(*), SLEEP(2) FROM person")
    with pytest.raises(DBAPIError) as error:
        db.session.execute(slow)
    assert classify(error.value) is Kind.TOO_LONG
    db.session.rollback()
    failures.report(error.value)
    assert "a statement took too long: 1969 " in caplog.text
    assert "SELECT COUNT(*), SLEEP(2) FROM person" in caplog.text


@pytest.fixture
def lose_connection(mariadb):
    """Ends the session's connection on the server."""

    def end():
        number = db.session.scalar(text("SELECT CONNECTION_ID()"))
        with db.engine.connect() as other:
            other.execute(text(f"KILL {int(number)}"))

    return end


def test_full_table_of_mariadb(mariadb):
    session = db.session
    session.execute(text("SET SESSION max_heap_table_size = 16384"))
    session.execute(text("CREATE TEMPORARY TABLE big (x CHAR(250)) ENGINE=MEMORY"))
    with pytest.raises(DBAPIError) as error:
        session.execute(text("INSERT INTO big SELECT seq FROM seq_1_to_9999"))
    session.rollback()
    assert classify(error.value) is Kind.FULL


def test_lost_connection_is_absence(lose_connection):
    lose_connection()
    with pytest.raises(DBAPIError) as error:
        db.session.execute(text("SELECT 1"))
    db.session.rollback()
    assert classify(error.value) is Kind.ABSENCE


def test_connection_lost_after_the_response_was_made_does_not_fail_the_request(
    make_app, mariadb_migrated, caplog
):
    app = make_app(own=True, DATABASE_URL=mariadb_migrated)

    @app.get("/lost")
    def lost():
        number = db.session.scalar(text("SELECT CONNECTION_ID()"))
        with db.engine.connect() as other:
            other.execute(text(f"KILL {int(number)}"))
        return "made"

    answer = app.test_client().get("/lost")
    assert (answer.status_code, answer.text) == (200, "made")
    assert "a connection could not be given back: the database does not answer: " in caplog.text
