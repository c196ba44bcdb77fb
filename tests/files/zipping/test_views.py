"""Downloading a folder or a selection as a zip file."""

import io
import zipfile

import pytest

from app.database.engine import db
from app.files.folders.rows import add_rows
from app.files.models import File
from app.files.zipping import queries
from app.times import now
from tests.factories import HTML
from tests.files.helpers import PDF, Script, all_connections_taken, files_dir
from tests.html import Page

PATHS = ("s/2026/报告.pdf", "s/2026/CON.pdf", "s/plan.pdf", "s 2/other.pdf", "top.pdf")


@pytest.fixture
def script(app):
    script = Script(app, name="林梅")
    for number, path in enumerate(PATHS):
        script.upload((path, PDF + bytes([number])), field="folder")
    return script


def opened(response):
    """The zip file of a response, whose length is as announced."""
    assert response.status_code == 200
    assert len(response.data) == response.content_length
    found = zipfile.ZipFile(io.BytesIO(response.data))
    assert found.testzip() is None
    return found


def test_a_folder_comes_with_everything_in_it(script, as_role):
    as_role("editor").submit("/files/new-folder?in=s", {"name": "empty"})
    response = script.get("/files/zip/s")
    found = opened(response)
    assert found.namelist() == [
        "s/", "s/2026/", "s/empty/", "s/plan.pdf", "s/2026/CON_.pdf", "s/2026/报告.pdf",
    ]  # fmt: skip
    assert found.read("s/2026/报告.pdf") == PDF + b"\0"
    assert response.content_type == "application/zip"
    assert response.headers["Content-Disposition"] == (
        "attachment; filename=\"s.zip\"; filename*=UTF-8''s.zip"
    )
    assert response.headers["X-Accel-Buffering"] == "no"
    assert "ETag" not in response.headers


def test_deeper_folders_and_selections_begin_where_they_were_chosen(script):
    assert opened(script.get("/files/zip/s/2026")).namelist() == [
        "2026/", "2026/CON_.pdf", "2026/报告.pdf",
    ]  # fmt: skip
    assert opened(script.get("/files/zip?file=5&folder=3")).namelist() == [
        "s 2/", "top.pdf", "s 2/other.pdf",
    ]  # fmt: skip
    assert opened(script.get("/files/zip?file=1&file=3")).namelist() == [
        "s/plan.pdf", "s/2026/报告.pdf",
    ]  # fmt: skip
    assert opened(script.get("/files/zip?file=1&file=2")).namelist() == ["CON_.pdf", "报告.pdf"]
    assert len(opened(script.get("/files/zip")).namelist()) == len(PATHS) + 3


def test_only_current_versions_that_are_not_removed(script, app):
    script.upload(("s/plan.pdf", PDF + b"new"), field="folder")
    Script(app, name="Ada").upload(("s/plan.pdf", PDF + b"Ada"), field="folder")
    with app.app_context():
        db.session.get(File, 1).removed_at = db.session.get(File, 1).created_at
        db.session.commit()
    found = opened(script.get("/files/zip/s"))
    assert found.namelist()[2:] == ["s/plan.pdf", "s/plan (2).pdf", "s/2026/CON_.pdf"]
    assert found.read("s/plan.pdf") == PDF + b"new"
    assert found.read("s/plan (2).pdf") == PDF + b"Ada"


def test_too_many_files_are_refused_in_words(script, monkeypatch):
    monkeypatch.setattr(queries, "ZIP_MOST", 3)
    response = script.get("/files/zip/s", Accept="application/json")
    assert response.status_code == 422
    assert response.json["error"] == ("A zip file can have at most 3 files. Download less at once.")


def test_a_missing_content_is_said_before_anything_is_sent(script, app):
    stored = next(path for path in files_dir(app).rglob("*.pdf"))
    stored.unlink()
    response = script.get("/files/zip", Accept="application/json")
    assert response.status_code == 404
    assert response.json["error"].endswith("is missing. Tell your administrator.")


def test_a_file_that_shrinks_breaks_the_download(script, app):
    [stored] = [path for path in files_dir(app).rglob("*.pdf") if path.read_bytes()[-1:] == b"\2"]
    stored.write_bytes(b"short")
    with pytest.raises(Exception, match="has 5 bytes"):
        script.get("/files/zip/s")


def test_no_connection_to_the_database_is_needed_while_it_is_sent(script, app):
    response = script.client.get("/files/zip/s", headers=script.headers)
    with app.app_context(), all_connections_taken():
        assert len(response.data) == response.content_length


def test_head_says_how_long_it_is(script):
    response = script.client.head("/files/zip/s", headers=script.headers)
    assert response.status_code == 200
    assert response.content_length == script.get("/files/zip/s").content_length
    assert response.data == b""


@pytest.mark.parametrize("query", ["/nothing", "?file=99", "?folder=99"])
def test_what_is_not_there(script, query):
    assert script.get(f"/files/zip{query}").status_code == 404


def test_visitors_are_led_to_the_folder_after_signing_in(script, app):
    response = app.test_client().get("/files/zip/s", headers=HTML)
    assert response.location == "/login?next=/files/zip/s"


def test_everything_is_a_zip_file_however_many_folders_are_at_the_top(script, app):
    with app.app_context():
        add_rows((f"{number:04}", now(), None) for number in range(1500))
        db.session.commit()
    names = opened(script.get("/files/zip")).namelist()
    assert len(names) == 1500 + len(PATHS) + 3
    response = script.get("/files/zip")
    assert 'filename="files.zip"' in response.headers["Content-Disposition"]


def test_an_earlier_version_brings_the_current_one(script):
    script.upload(("top.pdf", PDF + b"new"))
    found = opened(script.get("/files/zip?file=5"))
    assert found.read("top.pdf") == PDF + b"new"
    assert script.get("/files/zip?file=x").status_code == 404


def test_a_selection_of_nothing_is_the_folder_of_the_page(script, as_role):
    page = Page(as_role("editor").get("/files/folders/s"))
    [address] = [each["formaction"] for each in page.all("#selection [formaction^='/files/zip']")]
    assert address == "/files/zip/s"
    assert opened(script.get(address)).namelist()[0] == "s/"
    assert opened(script.get(f"{address}?file=3")).namelist() == ["plan.pdf"]


def test_a_folder_s_name_may_come_decomposed_and_is_shown_to_old_clients(script):
    script.upload(("é/1.pdf", PDF), field="folder")
    response = script.get("/files/zip/e%CC%81")
    assert opened(response).namelist()[0] == "é/"
    assert 'filename="_.zip"' in response.headers["Content-Disposition"]
