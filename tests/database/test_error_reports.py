"""Errors of the database are reported and logged for what they are."""

from contextlib import contextmanager

import pytest
from sqlalchemy.exc import OperationalError

from app.cities.listing import queries
from app.cities.listing.parameters import CityListing
from app.database.engine import db
from tests.cities.conftest import ACTOR, add_city


@contextmanager
def changed(app, statement, back):
    """Change a table by hand, and restore it afterwards."""
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    try:
        yield
    finally:
        with app.app_context(), db.engine.begin() as connection:
            connection.exec_driver_sql(back)


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="Every OperationalError is reported as a database that does not answer.",
)
def test_missing_table_is_logged_with_its_message(app, as_role, caplog):
    with app.app_context():
        add_city()
    editor = as_role("editor")
    with changed(
        app,
        "ALTER TABLE removed_city RENAME TO elsewhere",
        "ALTER TABLE elsewhere RENAME TO removed_city",
    ):
        response = editor.submit("/cities/1/delete")
    assert response.status_code == 500
    assert "no such table: removed_city" in caplog.text
    assert "does not answer" not in caplog.text


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="Every OperationalError is reported as a database that does not answer.",
)
def test_missing_column_is_logged_with_its_number(on_mariadb, mariadb_editor, caplog):
    with on_mariadb.app_context():
        add_city()
    with changed(
        on_mariadb,
        "ALTER TABLE city RENAME COLUMN usernumber TO elsewhere",
        "ALTER TABLE city RENAME COLUMN elsewhere TO usernumber",
    ):
        response = mariadb_editor.get("/cities/1")
    assert response.status_code == 500
    assert "1054" in caplog.text
    assert "Unknown column" in caplog.text
    assert "does not answer" not in caplog.text


@pytest.mark.xfail(
    strict=True,
    raises=OperationalError,
    reason="FORCE INDEX makes MariaDB refuse the list when a newer release drops the index.",
)
def test_list_works_without_its_index(on_mariadb):
    with on_mariadb.app_context():
        for users in (2, 3, 1):
            add_city(users=users)
    with (
        changed(
            on_mariadb,
            "ALTER TABLE city DROP INDEX ix_city_usernumber",
            "ALTER TABLE city ADD INDEX ix_city_usernumber (usernumber)",
        ),
        on_mariadb.app_context(),
    ):
        rows = queries.select_page(ACTOR, CityListing(sort="users", descending=True)).rows
        assert [row.usernumber for row in rows] == [3, 2, 1]
