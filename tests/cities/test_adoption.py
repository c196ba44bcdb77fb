"""A table of the original program is taken over, and the original may go on using it."""

import re
import secrets

import pytest
import sqlalchemy as sa
from flask_migrate import downgrade, upgrade

from app import create_app
from app.cities import search_keys, services
from app.cities.listing import queries
from app.cities.listing.queries import CityListing
from app.config import ROOT, Settings
from app.database.engine import db
from app.database.schema import bring_up_to_date, create_database
from tests.applications import environment
from tests.cities.conftest import ACTOR, add_as_original, given, stored

ROWS = [
    (3, "广东", "深圳市", 17494398),
    (7, "广东", "深圳市", 17494398),
    (8, None, "Zürich", None),
    (12, "", " ", -5),
    (40, "Île", "Straße", 0),
]


def original_database(url, collation):
    """A database as the original program made and filled it."""
    create_database(url)
    engine = sa.create_engine(url)
    mysql = engine.dialect.name == "mysql"
    number = "INTEGER NOT NULL AUTO_INCREMENT" if mysql else "INTEGER NOT NULL"
    # SQLite has neither a length of text nor a collation of a table.
    options = f"CHARACTER SET {collation.split('_')[0]} COLLATE {collation}" if mysql else ""
    rows = [row for row in ROWS if collation != "latin1_swedish_ci" or row[1] != "广东"]
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                f"CREATE TABLE city (id {number}, provincename VARCHAR(255), "
                f"cityname VARCHAR(255), usernumber INTEGER, PRIMARY KEY (id)) {options}"
            )
        )
        for row in rows:
            connection.execute(
                sa.text("INSERT INTO city VALUES (:i, :p, :c, :u)"),
                dict(zip("ipcu", row, strict=True)),
            )
    engine.dispose()
    return rows


ON_MARIADB = [
    pytest.param(collation, marks=pytest.mark.mariadb)
    for collation in ("utf8mb4_unicode_ci", "utf8mb3_general_ci", "latin1_swedish_ci")
]


@pytest.fixture(params=["sqlite", *ON_MARIADB])
def adopted(request, tmp_path, redis_url):
    """The application over an adopted table, and the rows that were in it."""
    url = f"sqlite:///{tmp_path / 'original.sqlite'}"
    if request.param != "sqlite":
        server = request.getfixturevalue("mariadb_url")
        url = f"{server}/original_{secrets.token_hex(4)}"
    settings = Settings.load(environment(tmp_path, redis_url, url))
    rows = original_database(settings.database_url, request.param)
    app = create_app(settings)
    with app.app_context():
        upgrade()
        yield app, rows
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()


def listed(**filters):
    """The rows of a list, the newest first, after the clock has filled in the keys that are due."""
    search_keys.fill_keys()
    return queries.select_page(ACTOR, CityListing(**filters)).rows


def ids(**filters):
    """The ids of a list, the newest first."""
    return [row.id for row in listed(**filters)]


def test_every_row_and_id_survives(adopted):
    _app, rows = adopted
    assert stored() == rows
    assert ids() == [row[0] for row in reversed(rows)]
    assert ids(search="ZÜRICH") == [8]
    assert ids(search="strasse") == [40]
    assert ids(flawed=True) == [12, 8]
    assert all(row.changed_at is None for row in listed())


def test_original_goes_on_inserting_and_is_found(adopted):
    _app, rows = adopted
    add_as_original(("江苏", "南京市", 9), (None, None, None))
    assert [row[0] for row in stored()] == [*[r[0] for r in rows], 41, 42]
    [found] = listed(search="南京")
    assert (found.id, found.version) == (41, 1)
    assert found.changed_at is not None
    removed_id, _name = services.delete_city(ACTOR, 42)
    assert services.create_city(ACTOR, given("江苏", "苏州市", "1")) == 43
    services.restore_city(ACTOR, removed_id)
    assert len(stored()) == len(rows) + 3


def test_what_the_original_renames_is_found_under_its_new_name(adopted):
    with db.engine.begin() as connection:
        connection.execute(sa.text("UPDATE city SET cityname = 'Ｎewname' WHERE id = 8"))
        connection.execute(sa.text("UPDATE city SET provincename = '' WHERE id = 40"))
    for sort in ("id", "city"):
        assert ids(search="newname", sort=sort) == [8]
    assert ids(search="zürich") == []
    assert ids(flawed=True) == [40, 12, 8]
    db.session.rollback()
    with db.engine.begin() as connection:  # a missing province has the same key as an empty one
        connection.execute(sa.text("UPDATE city SET provincename = NULL WHERE id = 40"))
        due = connection.execute(sa.text("SELECT COUNT(*) FROM city WHERE keys_due = 1"))
        assert due.scalar() == 0


def test_same_names_in_another_form_are_found_as_an_import_finds_them(adopted):
    add_as_original(("Que\u0301bec", "Que\u0301bec ", 5))
    for _time in range(2):  # before the row has keys and afterwards
        with pytest.raises(services.AlreadyThere) as caught:
            services.create_city(ACTOR, given("Québec", "Québec", "5"))
        assert caught.value.city_id == 41
        assert len(ids(search="québec")) == 1
    for other in ("QUÉBEC", "Quebec"):
        assert services.create_city(ACTOR, given("Québec", other, "5")) > 41


def test_names_differ_by_code_points_from_now_on(adopted):
    services.create_city(ACTOR, given("a", "Ae", "1"))
    services.create_city(ACTOR, given("a", "ae", "1"))
    services.create_city(ACTOR, given("a", "Æ", "1"))
    names = ["Æ", "ae", "Ae"]
    # There is no province "A" yet, so it may mean the other.
    for province in ("a", "A"):
        assert [row.cityname for row in listed(province=province)] == names
    other = services.create_city(ACTOR, given("A", "ae", "1"))
    assert ids(province="A") == [other]
    assert [row.cityname for row in listed(province="a")] == names


def test_going_back_leaves_the_original_table(adopted):
    _app, rows = adopted
    db.session.rollback()
    downgrade(revision="0001")
    columns = [column["name"] for column in sa.inspect(db.engine).get_columns("city")]
    assert columns == ["id", "provincename", "cityname", "usernumber"]
    with db.engine.connect() as connection:
        found = connection.execute(sa.text("SELECT * FROM city ORDER BY id")).all()
    assert [tuple(row) for row in found] == rows


class Interrupted(Exception):
    """The machine went down."""


def upgrade_step(done):
    """Run the migrations as far as one more change of a table, which joins those that were `done`
    by earlier runs. Whether more is to do."""
    before = len(done)

    def interrupt(_connection, _cursor, statement, *_rest):
        if re.match(r"\s*(CREATE|ALTER|DROP)\b", statement) and statement not in done:
            if len(done) > before:
                raise Interrupted()
            done.add(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", interrupt)
    try:
        upgrade()
    except Interrupted:
        return True
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", interrupt)
    return False


def shape(engine):
    """Columns, indexes and foreign keys of all tables."""
    found = sa.inspect(engine)
    return {
        table: (
            {(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)},
            {(i["name"], *i["column_names"]) for i in found.get_indexes(table)},
            {(k["name"], *k["constrained_columns"]) for k in found.get_foreign_keys(table)},
        )
        for table in found.get_table_names()
    }


@pytest.mark.mariadb
@pytest.mark.parametrize("is_there", [True, False])
def test_interrupted_migrations_are_continued(
    is_there, tmp_path, redis_url, mariadb_url, mariadb_migrated
):
    """MariaDB commits each change of a table by itself, so whatever was done stays done."""
    url = f"{mariadb_url}/original_{secrets.token_hex(4)}"
    settings = Settings.load(environment(tmp_path, redis_url, url))
    rows = []
    if is_there:
        rows = original_database(settings.database_url, "utf8mb4_unicode_ci")
    else:
        create_database(settings.database_url)
    app = create_app(settings)
    with app.app_context():
        done = set()
        while upgrade_step(done):
            pass
        assert len(done) > 20
        bring_up_to_date(settings.database_url)
        whole = create_app(Settings.load(environment(tmp_path, redis_url, mariadb_migrated)))
        with whole.app_context():
            wanted = shape(db.engine)
            db.engine.dispose()
        assert shape(db.engine) == wanted
        assert stored() == rows
        add_as_original(("江苏", "南京市", 9))
        assert listed(search="南京")[0].changed_at is not None
        assert queries.find_hits(ACTOR, CityListing(search="ZÜRICH")).total == len(rows) // 5
        db.session.remove()
        db.engine.dispose()
    for made in (app, whole):
        made.extensions["redis"].close()


def test_migrations_do_not_follow_rules_that_may_change():
    for path in (ROOT / "migrations" / "versions").glob("*.py"):
        imported = re.findall(r"^(?:from|import) (app[.\w]*)", path.read_text(), re.MULTILINE)
        assert set(imported) <= {"migrations.steps"}, path.name
