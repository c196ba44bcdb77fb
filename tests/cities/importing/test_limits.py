"""What the page that uploads a file refuses, and what it accepts at most."""

import io
import shutil

import pytest
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.test import encode_multipart

from app import concurrency
from app.auth import queries
from app.cities.importing import services
from app.cities.importing.models import CityImport
from app.database.engine import db
from tests.cities.importing.staging import MIXED, send
from tests.factories import HTML, add_token, note_calls
from tests.html import Page
from tests.workbooks.books import book


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\0", "Line 1 is not UTF-8"),
        (b"province,city\n", "There is nothing below the header"),
        (b"<html>", "This is a web page"),
    ],
)
def test_unreadable_file_is_refused_and_nothing_stored(app, as_role, data, message):
    response = send(as_role("editor"), data)
    assert response.status_code == 422
    assert message in Page(response).text("#file-error")
    with app.app_context():
        assert db.session.scalars(select(CityImport)).all() == []


def test_missing_file_is_refused(as_role):
    response = as_role("editor").submit("/cities/import")
    assert response.status_code == 422
    assert Page(response).text("#file-error") == "Error: Choose a CSV or Excel file."


def test_five_thousand_lines_with_a_long_column_are_accepted(as_role):
    lines = "".join(f"广东,城{i},{i},{'备注' * 400}\n" for i in range(5000))
    editor = as_role("editor")
    response = send(editor, "province,city,number,description\n" + lines)
    assert response.status_code == 303
    button = Page(editor.get(response.location)).text("form[action*='/confirm?'] button")
    assert button == "Import 5,000 cities"


@pytest.mark.parametrize("other", ["file", "file2"])
def test_several_files_are_refused_and_none_is_read(app, as_role, other):
    editor = as_role("editor")
    files = [("file", "a.csv"), (other, "b.csv")]
    data = MultiDict([(field, (io.BytesIO(MIXED.encode()), name)) for field, name in files])
    data.add("csrf_token", editor.token("/cities/import"))
    response = editor.client.post("/cities/import", data=data, headers=HTML)
    assert response.status_code == 422
    assert "Only one file can be imported at a time; 2 were sent." in Page(response).text()
    with app.app_context():
        assert db.session.scalars(select(CityImport)).all() == []


@pytest.mark.parametrize(
    ("path", "size", "limit"),
    [("/cities/import", 200 << 20, "200 MB"), ("/cities/new", 64 << 10, "64 KB")],
)
def test_body_over_the_limit_is_refused_with_the_limit(as_role, path, size, limit):
    editor = as_role("editor")
    for headers in (HTML, {"Accept": "application/json"}):
        response = editor.client.post(
            path,
            content_type="multipart/form-data; boundary=b",
            headers=headers,
            environ_overrides={"CONTENT_LENGTH": str(size + 10_001)},
        )
        assert response.status_code == 413
        text = response.json["error"] if response.is_json else Page(response).text("main")
        assert f"At most {limit} can be sent here at once." in text
    hint = Page(editor.get("/cities/import")).text("#file-help")
    assert hint == (
        "At most 1,000,000 lines and 200 MB, an Excel workbook 50 MB; best as UTF-8, of other "
        "encodings you choose the one."
    )


def test_a_workbook_has_a_limit_of_its_own(as_role, monkeypatch):
    monkeypatch.setattr(services, "WORKBOOK_BYTES", 1_000)
    response = send(as_role("editor"), book([["x"] * 50]), "cities.xlsx")
    assert response.status_code == 422
    assert "can have at most 1,000 B" in Page(response).text("#file-error")


def test_field_that_is_too_long_is_refused_without_the_limit_of_the_body(as_role):
    boundary, body = encode_multipart({"file": "x" * 5_000_000})
    kind = f"multipart/form-data; boundary={boundary}"
    response = as_role("editor").client.post(
        "/cities/import", data=body, content_type=kind, headers=HTML
    )
    assert response.status_code == 413
    text = Page(response).text("main")
    assert "Send less at a time." in text
    assert "At most" not in text


def test_other_requests_run_while_a_body_is_read(monkeypatch, as_role):
    pauses = note_calls(monkeypatch, concurrency, "yield_to_hub")
    assert send(as_role("editor"), "x" * 8_000_000).status_code == 303
    assert len(pauses) > 100


def test_a_script_uploads_a_file_with_its_token(app, as_role):
    as_role("editor")
    with app.app_context():
        token = add_token(queries.find_person("editor").id)
    response = app.test_client().post(
        "/cities/import",
        data={"file": (io.BytesIO(MIXED.encode()), "cities.csv")},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert response.status_code == 303


def test_nothing_is_stored_on_a_nearly_full_disk(app, as_role, monkeypatch):
    editor = as_role("editor")
    usage = type(shutil.disk_usage("/"))(100 * 10**9, 96 * 10**9, 4 * 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    assert send(editor, MIXED).status_code == 507
    with app.app_context():
        assert db.session.scalars(select(CityImport)).all() == []
