"""Behaviour of the original programs in docs/origins.md that no other test covers."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask_babel import force_locale

from app.cities import services
from app.database.engine import db
from app.database.limits import engine_options
from app.logs.lines import JsonFormatter, TextFormatter
from app.web.formatting import format_ago
from tests.cities.conftest import ACTOR, given
from tests.files.helpers import Script
from tests.html import Page


def test_a_new_city_table_has_the_originals_columns(app):
    with app.app_context():
        columns = sa.inspect(db.engine).get_columns("city")[:4]
        assert [(column["name"], str(column["type"])) for column in columns] == [
            ("id", "INTEGER"),
            ("provincename", "VARCHAR(255)"),
            ("cityname", "VARCHAR(255)"),
            ("usernumber", "INTEGER"),
        ]


def test_alter_opens_the_form_filled_from_the_database(app, as_role):
    with app.test_request_context():
        services.create_city(ACTOR, given("广东", "深圳市", "7"))
    query = "id=1&provincename=sent1&cityname=sent2&usernumber=99"
    response = as_role("editor").get(f"/alter?{query}", follow_redirects=True)
    assert response.request.path == "/cities/1"
    fields = {tag["name"]: tag["value"] for tag in Page(response).all("main input[value]")}
    expected = {"province": "广东", "city": "深圳市", "number": "7"}
    assert {name: fields[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("/pi/1000000", "3.141591698659554"),
        ("/fib/300", "222232244629420445529739893461909967206666939096499764990979600"),
    ],
)
def test_the_documented_numbers(browser, path, result):
    for cached in ("false", "true"):
        assert browser.get(path).text == f'{{"cached": {cached}, "result": {result}}}'


def test_the_page_of_files_has_the_upload_form(as_role):
    page = Page(as_role("editor").get("/files"))
    form = "form[action^='/upload?'][enctype='multipart/form-data']"
    assert page.has(f"{form} input[name=file][multiple]")
    assert page.has(f"{form} input[name=folder][multiple][webkitdirectory]")


def test_with_its_file_types_a_file_of_another_one_fails(make_app):
    app = make_app(UPLOAD_EXTENSIONS="txt,pdf,png,jpg,jpeg,gif")
    for name, first in (("a.txt", "file uploaded successfully"), ("a.exe", "file uploaded Fail")):
        assert Script(app).upload((name, b"x")).text.splitlines()[0] == first


@pytest.mark.parametrize(
    ("past", "english", "chinese"),
    [
        (timedelta(seconds=30), "just now", "刚刚"),
        (timedelta(minutes=5), "5 minutes ago", "5分钟前"),
        (timedelta(minutes=65), "1 hour ago", "1小时前"),
        (timedelta(hours=1, minutes=58), "1 hour ago", "1小时前"),
        (timedelta(hours=47), "1 day ago", "1天前"),
        (timedelta(hours=3), "3 hours ago", "3小时前"),
        (timedelta(days=2), "2 days ago", "2天前"),
    ],
)
def test_times_are_said_as_ago(app, past, english, chinese):
    for language, words in (("en", english), ("zh", chinese)):
        with app.test_request_context(), force_locale(language):
            assert format_ago(datetime.now(UTC) - past) == words


def test_log_lines_say_level_file_function_and_line():
    where = ("name", logging.WARNING, "/app/web.py", 17, "message", (), None, "language")
    record = logging.LogRecord(*where)
    assert " WARNING " in TextFormatter().format(record)
    assert " web.py:language:17 message" in TextFormatter().format(record)
    assert '"where": "web.py:language:17"' in JsonFormatter().format(record)


def test_the_pool_of_database_connections():
    for url in ("mysql+pymysql://u@h/d?charset=utf8mb4", "sqlite:////tmp/d"):
        options = engine_options(url)
        assert (options["pool_size"], options["max_overflow"]) == (20, 10)
        assert options["pool_timeout"] == 2
    assert engine_options("mysql+pymysql://u@h/d")["pool_recycle"] == 360
