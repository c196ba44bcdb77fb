"""Upgrading from the previous release with rows in every table. The new tables must work with the
previous release too, which uses them during a roll-out and after a rollback."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
import sqlalchemy as sa
from flask_migrate import downgrade, upgrade

from app.actor import Actor
from app.cities.listing.queries import CityListing, find_hits
from app.cities.search_keys import KEYS, fill_keys, find_same
from app.database.engine import db
from app.database.schema import create_database
from app.database.stored_keys import refresh
from app.files import search_keys as files
from app.files.listing import FileListing
from app.files.models import File

# The previous release, and a later state that was installed too.
PREVIOUS = ("0008", "0010")
# Columns that take certain values only.
CHECKED = {"role": "editor", "kind": "new", "cells": "{}"}
MOMENT = datetime(2026, 11, 30, 1, 2, 3, 456789, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture(params=product(["sqlite", "mariadb"], PREVIOUS), ids="-".join)
def previous(request, make_app, tmp_path):
    """An application with a database of the previous release that has two rows in every table, and
    the metadata of those tables, with the revision."""
    kind, revision = request.param
    url = f"sqlite:///{tmp_path / 'previous.sqlite'}"
    if kind == "mariadb":
        url = f"{request.getfixturevalue('mariadb_url')}/previous_release"
    app = make_app(commands=True, DATABASE_URL=url)
    create_database(app.config["SETTINGS"].database_url)
    with app.app_context():
        upgrade(revision=revision)
        tables = sa.MetaData(info={"revision": revision})
        with db.engine.begin() as connection:
            tables.reflect(connection)
            insert_rows(connection, tables, 1, 2)
        yield tables
        db.session.remove()
        if kind == "mariadb":
            with db.engine.begin() as connection:
                connection.exec_driver_sql("DROP DATABASE previous_release")


def insert_rows(connection, tables, *numbers):
    """Insert a row per number into every table, with only the required columns."""
    for table in tables.sorted_tables:
        if table.name != "alembic_version":
            rows = [{c.name: value(c, n) for c in table.c if is_needed(c)} for n in numbers]
            connection.execute(table.insert(), rows)


def is_needed(column):
    has_default = column.server_default is not None or column.computed is not None
    return column.primary_key or not (column.nullable or has_default)


def value(column, number):
    """A value of the column's type, different for each number."""
    if column.name in CHECKED:
        return CHECKED[column.name]
    if isinstance(column.type, sa.String):
        return f"{column.name} {number}"[: column.type.length]
    if isinstance(column.type, sa.Boolean):
        return True
    return MOMENT if isinstance(column.type, sa.DateTime) else number


def rows_of(connection, table):
    """All rows of a table as the previous release reads them."""
    return connection.execute(sa.select(table).order_by(*table.primary_key)).all()


def columns_of(connection, name):
    return {each["name"]: each for each in sa.inspect(connection).get_columns(name)}


def test_rows_survive_and_the_previous_release_keeps_working(previous):
    old_tables = [table for table in previous.sorted_tables if table.name != "alembic_version"]
    assert len(old_tables) >= 7
    with db.engine.connect() as connection:
        before = {table.name: rows_of(connection, table) for table in old_tables}
        columns = {table.name: columns_of(connection, table.name) for table in old_tables}
    upgrade()
    with db.engine.begin() as connection:
        for table in old_tables:
            assert rows_of(connection, table) == before[table.name]
            assert len(before[table.name]) == 2
            for name, column in columns_of(connection, table.name).items():
                old = columns[table.name].get(name)
                if old is None:  # it writes rows without the columns that it does not know
                    assert column["nullable"] or column["default"], (table.name, name)
                else:
                    assert str(column["type"]) == str(old["type"]), (table.name, name)
                    assert column["nullable"] or not old["nullable"], (table.name, name)
        insert_rows(connection, previous, 3)
        for table in old_tables:
            assert len(rows_of(connection, table)) == 3
        written = 0 if previous.info["revision"] < "0009" else 3
        assert connection.scalar(sa.text("SELECT COUNT(*) FROM history")) == written


def test_tokens_of_the_previous_release_expire_90_days_after_the_upgrade(previous):
    start = datetime.now(UTC).replace(tzinfo=None)
    upgrade()
    with db.engine.connect() as connection:
        column = sa.column("expires_at", sa.DateTime)
        found = connection.scalars(sa.select(column).select_from(sa.table("api_token"))).all()
    assert [round((moment - start) / timedelta(days=1), 2) for moment in found] == [90, 90]


def test_downgrade_restores_the_tables_of_the_previous_release(previous):
    upgrade()
    downgrade(revision=previous.info["revision"])
    with db.engine.connect() as connection:
        assert set(sa.inspect(connection).get_table_names()) == set(previous.tables)
        for table in previous.sorted_tables:
            if table.name != "alembic_version":
                assert len(rows_of(connection, table)) == 2


def test_names_are_found_after_the_upgrade_and_when_the_previous_release_writes(previous):
    """`flask prepare` computes their keys; the clock those of rows that are written afterwards."""
    city = previous.tables["city"]
    old = {"province_key": "zürich zh", "city_key": "bülach", "search_key": "zürich zh\nbülach"}
    names = {"provincename": "Zürich ZH ", "cityname": "Bülach\u200b"}
    row = {**names, **old, "keyed_province": "Zürich ZH ", "keyed_city": "Bülach\u200b"}
    with db.engine.begin() as connection:
        connection.execute(city.insert(), [row] * 2)
        connection.execute(city.insert(), {**names, "usernumber": 5})
    upgrade()
    refresh(KEYS)
    assert count(search="zurich bulach") == count(province="Zürich ZH") == 3
    with db.engine.begin() as connection:
        connection.execute(city.insert(), row)
    fill_keys()
    assert count(search="zurich bulach") == count(province="Zürich ZH") == 4
    assert find_same("Zürich ZH", "Bülach") == 3


def test_files_are_found_by_the_new_rule_after_the_upgrade(previous):
    """`flask prepare` computes their keys."""
    file = previous.tables["file"]
    old = {"name": "Café.txt", "name_key": "café.txt", "search_key": "ﬂüsse/café.txt"}
    with db.engine.begin() as connection:
        connection.execute(file.update().where(file.c.id == 1).values(folder="Flüsse", **old))
    upgrade()
    refresh(files.KEYS)
    for text in ("flusse/cafe", "CAFÉ", "Cafe\u0301"):
        db.session.rollback()
        listing = FileListing(search=text)
        assert db.session.scalars(sa.select(File.id).where(*listing.conditions())).all() == [1]


def count(**filters):
    """How many cities a list has for a new request."""
    db.session.remove()
    return find_hits(Actor.operator(), CityListing(**filters)).total
