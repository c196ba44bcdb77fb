"""Errors of the database are reported and logged for what they are."""

from contextlib import contextmanager
from datetime import UTC

import pymysql
import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from app.cities.listing import queries
from app.cities.listing.queries import CityListing
from app.cities.models import City
from app.database import failures, timing
from app.database.cursor import FIRST
from app.database.engine import db
from app.files.listing import FileListing, select_files
from app.history.queries import HistoryListing, select_entries
from tests.cities.conftest import ACTOR, add_city
from tests.conftest import empty_tables
from tests.factories import HTML, OPERATOR, PASSWORD, Browser, add_person, csrf_token, run_command
from tests.files.helpers import PDF, Script, store
from tests.html import Page


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


def warning_of(app):
    """What /readyz says about the database."""
    return app.test_client().get("/readyz").json["checks"]["database"]


def test_missing_table_is_logged_with_its_message(any_app, caplog):
    with any_app.app_context():
        city_id = add_city()
        add_person("editor", "editor")
    editor = Browser(any_app)
    editor.sign_in("editor")
    assert warning_of(any_app) == "ok"
    with changed(
        any_app,
        "ALTER TABLE removed_city RENAME TO elsewhere",
        "ALTER TABLE elsewhere RENAME TO removed_city",
    ):
        response = editor.submit(f"/cities/{city_id}/delete")
    assert response.status_code == 500
    sqlite = db.engine.dialect.name == "sqlite"
    expected = "no such table: removed_city" if sqlite else "removed_city' doesn't exist"
    assert expected in caplog.text
    assert "does not answer" not in caplog.text
    any_app.extensions.pop("gazetteer-readiness")  # the report of the second before
    number = 1 if sqlite else 1146
    assert warning_of(any_app) == f"warning: it refused a statement ({number}); see the log"


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
    assert warning_of(on_mariadb) == "warning: it refused a statement (1054); see the log"
    assert "does not answer" not in caplog.text


@pytest.mark.parametrize("database", ["sqlite", "mariadb"])
def test_row_that_others_refer_to_is_not_removed(request, caplog, database):
    on_mariadb = database == "mariadb"
    app = request.getfixturevalue("on_mariadb" if on_mariadb else "app")
    with app.app_context():
        city_id = add_city()
    if on_mariadb:
        editor = request.getfixturevalue("mariadb_editor")
    else:
        editor = request.getfixturevalue("as_role")("editor")
    create = "CREATE TABLE visit (city_id INTEGER, FOREIGN KEY (city_id) REFERENCES city (id))"
    with changed(app, create, "DROP TABLE visit"):
        with app.app_context(), db.engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO visit SELECT id FROM city")
        response = editor.submit(f"/cities/{city_id}/delete")
        with app.app_context(), pytest.raises(IntegrityError) as error, db.engine.begin() as one:
            one.exec_driver_sql("INSERT INTO visit SELECT id + 1 FROM city")
    assert response.status_code == 409
    assert "Other entries refer to this." in Page(response).text("main")
    assert "other rows refer to this: " in caplog.text
    assert "Traceback" not in caplog.text
    assert failures.classify(error.value) is failures.Kind.GONE
    assert editor.get(f"/cities/{city_id}").status_code == 200


def list_cities():
    rows = queries.select_page(ACTOR, CityListing(sort="users", descending=True)).rows
    return [row.usernumber for row in rows]


def list_files():
    listing = FileListing(sort="size", descending=True)
    return [file.size for file in select_files(OPERATOR, listing, FIRST, 3).rows]


def list_history():
    listing = HistoryListing(kind="file")
    page, _total = select_entries(OPERATOR, listing, FIRST, UTC)
    return [entry.subject_id for entry in page.rows]


@pytest.mark.parametrize(
    ("table", "index", "columns", "read"),
    [
        ("city", "ix_city_usernumber", "usernumber", list_cities),
        ("file", "ix_file_in_folder_size", "folder, replaced_at, removed_at, size", list_files),
        ("history", "ix_history_subject_kind", "subject_kind, id", list_history),
    ],
)
def test_list_works_without_its_index(on_mariadb, caplog, table, index, columns, read):
    with on_mariadb.app_context():
        person = add_person("Ada", "editor")
        for number in (2, 3, 1):
            add_city(users=number)
            store(person, f"{number}.txt", b"x" * number)
        expected = read()
        assert len(expected) == 3
        db.session.remove()
    with (
        changed(
            on_mariadb,
            f"ALTER TABLE {table} DROP INDEX {index}",
            f"ALTER TABLE {table} ADD INDEX {index} ({columns})",
        ),
        on_mariadb.app_context(),
    ):
        assert read() == expected
    assert f"Key '{index}' doesn't exist in table" in caplog.text


@pytest.fixture
def account(mariadb_migrated, make_app):
    """An application with an account of its own, and what runs a statement as the administrator
    of the server. The account is dropped afterwards."""
    url = make_url(mariadb_migrated)
    administrator = pymysql.connect(host=url.host, port=url.port, user="root", autocommit=True)
    run = administrator.cursor().execute
    run("CREATE USER gaz@'127.0.0.1' IDENTIFIED BY 'x'")
    run(f"GRANT ALL ON `{url.database}`.* TO gaz@'127.0.0.1'")
    own = url.set(username="gaz", password="x")
    app = make_app(DATABASE_URL=own.render_as_string(hide_password=False))
    with app.app_context():
        empty_tables()
    yield app, lambda statement: run(statement.format(database=url.database))
    run("DROP USER gaz@'127.0.0.1'")
    administrator.close()


def reconnect(app):
    """Close the pool's connections, so that changed rights count at once."""
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(
    ("right", "path", "fields"),
    [
        ("INSERT", "/cities/new", {"province": "广东", "city": "秘密", "number": "1"}),
        ("UPDATE", "/cities/1/delete", {}),
    ],
)
def test_missing_right_is_reported_as_it_is_to_everybody(account, caplog, right, path, fields):
    app, as_administrator = account
    with app.app_context():
        add_person("editor", "editor")
        add_city()
    editor = Browser(app)
    editor.sign_in("editor")
    as_administrator("REVOKE INSERT, UPDATE, DELETE ON `{database}`.* FROM gaz@'127.0.0.1'")
    reconnect(app)
    page = editor.get("/cities/new" if fields else "/cities/1").text
    answer = editor.client.post(path, data={**fields, "csrf_token": csrf_token(page)}, headers=HTML)
    assert answer.status_code == 500
    typed = {tag["name"]: tag["value"] for tag in Page(answer).all("main input[name][value]")}
    assert fields.items() <= typed.items()
    assert "The database refused this. Tell the administrator of this server." in answer.text
    assert "Try again in a moment" not in answer.text
    assert "the database refuses this: 1142 " in caplog.text
    assert "command denied to user" in caplog.text
    assert "秘密" not in caplog.text
    assert "does not answer" not in caplog.text
    checks = app.test_client().get("/readyz").json["checks"]
    assert checks["database"] == "warning: it refused a statement (1142); see the log"


def test_upload_names_the_refusal_of_the_database(account, caplog):
    app, as_administrator = account
    script = Script(app)
    as_administrator("REVOKE INSERT ON `{database}`.* FROM gaz@'127.0.0.1'")
    reconnect(app)
    answer = script.upload(("a.pdf", PDF))
    assert answer.status_code == 500
    assert "\trefused\tThe database refused this." in answer.text
    assert "files were not stored: the database refuses this: 1142 INSERT command" in caplog.text


def test_command_names_the_refusal_of_the_database(account, make_app):
    app, as_administrator = account
    as_administrator("REVOKE INSERT ON `{database}`.* FROM gaz@'127.0.0.1'")
    reconnect(app)
    command = make_app(commands=True, DATABASE_URL=app.config["SETTINGS"].database_url)
    result = run_command(command, "create-user", "Ada", "--role", "viewer", typed=PASSWORD)
    assert result.exit_code == 1
    assert "Error: The database refuses this: 1142 INSERT command denied to user" in result.output
    assert "Traceback" not in result.output


def test_command_without_tables_names_what_to_run(make_app, tmp_path):
    app = make_app(commands=True, DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite")
    result = run_command(app, "list-users")
    assert (result.exit_code, result.output) == (
        1, "Error: The tables are missing or older than this code; run `flask prepare`.\n"
    )  # fmt: skip


def test_command_names_a_table_that_is_not_there(app, flask):
    with changed(
        app, "ALTER TABLE person RENAME TO elsewhere", "ALTER TABLE elsewhere RENAME TO person"
    ):
        result = flask("list-users")
    assert result.exit_code == 1
    assert result.output.endswith("Error: A statement failed: 1 no such table: person.\n")


def test_readyz_names_an_account_that_is_refused(account):
    app, as_administrator = account
    as_administrator("SET PASSWORD FOR gaz@'127.0.0.1' = PASSWORD('another')")
    reconnect(app)
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["database"] == "the database refuses this (1045); see the log"


def test_statement_that_takes_too_long_is_named_in_both_languages(make_app, any_app, caplog):
    app = make_app(own=True, DATABASE_URL=any_app.config["SETTINGS"].database_url)

    @app.get("/slow")
    def slow():
        if db.engine.dialect.name == "sqlite":
            driver = db.session.connection().connection.driver_connection
            driver.set_progress_handler(lambda: 1, 1)
            try:
                db.session.execute(text("SELECT count(*) FROM city"))
            finally:
                driver.set_progress_handler(None, 0)
        db.session.execute(text("SET STATEMENT max_statement_time=0.1 FOR SELECT SLEEP(2)"))

    for language, sentence in (
        ("en", "This took too long. Narrow the search, or try again later."),
        ("zh", "用时过长。请缩小搜索范围，或稍后重试。"),
    ):
        answer = app.test_client().get("/slow", headers={**HTML, "Accept-Language": language})
        assert answer.status_code == 503
        assert sentence in answer.text
    assert "a statement took too long: " in caplog.text


def test_log_line_has_the_time_and_number_of_statements(app, caplog):
    with caplog.at_level("INFO"):
        app.test_client().get("/readyz")
    fields = next(r.fields for r in caplog.records if getattr(r, "fields", {}).get("db_n"))
    assert fields["db_n"] >= 2
    assert fields["db_ms"] > 0


def test_slow_statement_is_logged_without_its_values(app, monkeypatch, caplog):
    monkeypatch.setattr(timing, "SLOW_SECONDS", 0)
    with app.app_context():
        db.session.execute(select(City.id).where(City.cityname == "secret"))
    assert "a statement took " in caplog.text
    assert "WHERE city.cityname = ?" in caplog.text
    assert "secret" not in caplog.text
