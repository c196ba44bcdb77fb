"""POST /upload, as scripts, the page's own script and plain browsers use it."""

import re

import pytest
from urllib3 import encode_multipart_formdata

from app import disk
from app.config import ROOT
from app.database.engine import db
from app.files.models import File
from app.files.upload import multipart
from app.files.upload import request as upload_request
from tests.factories import OPERATOR, actor_of
from tests.files.helpers import JSON, PDF, PNG, REPORT, Script, files_dir, on_disk, parts, some_text

# The file extensions of the original program.
ORIGINAL = "txt,pdf,png,jpg,jpeg,gif"


def lines(response):
    assert response.mimetype == "text/plain"
    return response.text.splitlines()


# Scripts


def test_a_script_uploads_one_file_and_reads_the_original_first_line(app):
    script = Script(app)
    response = script.upload((REPORT, PDF))
    assert response.status_code == 200
    first, line = lines(response)
    assert first == "file uploaded successfully"
    name, state, file_id, digest = line.split("\t")
    assert (name, state) == (REPORT, "kept")
    sent = script.get(f"/files/{file_id}")
    assert sent.data == PDF
    assert digest in sent.headers["ETag"]
    assert script.client.post(
        "/upload/", data={"file": parts(("a.pdf", PDF))}, headers=script.headers
    ).text.startswith("file uploaded successfully\n")


def test_each_file_of_a_form_has_its_own_line(make_app):
    app = make_app(UPLOAD_EXTENSIONS=ORIGINAL)
    response = Script(app).upload(("a.pdf", PDF), ("b.exe", b"MZ"), ("c.png", PDF), ("d.png", PNG))
    assert response.status_code == 207
    first, *rest = lines(response)
    assert first == "file uploaded successfully"
    assert [line.split("\t")[:2] for line in rest] == [
        ["a.pdf", "kept"], ["b.exe", "refused"], ["c.png", "refused"], ["d.png", "kept"],
    ]  # fmt: skip
    assert "txt, pdf, png, jpg, jpeg, gif" in rest[1]
    assert len(on_disk(files_dir(app))) == 2


@pytest.mark.parametrize(
    ("name", "data"), [("a.gif", b"MZ"), ("a.png", PDF), ("a/..", PDF), ("..", PDF)]
)
def test_nothing_stored_is_422_with_the_original_first_line(app, name, data):
    response = Script(app).upload((name, data))
    assert response.status_code == 422
    assert lines(response)[0] == "file uploaded Fail"
    assert lines(response)[1].split("\t")[1] == "refused"
    assert on_disk(files_dir(app)) == []


def test_no_part_and_no_selection_have_the_original_lines(app):
    script = Script(app)
    response = script.client.post("/upload", data={"other": "x"}, headers=script.headers)
    assert (response.status_code, lines(response)) == (422, ["No file part"])
    response = script.client.post("/upload", headers=script.headers)
    assert (response.status_code, lines(response)) == (422, ["No file part"])
    response = script.upload_raw("", b"")
    assert (response.status_code, lines(response)) == (422, ["No selected file"])
    assert on_disk(files_dir(app)) == []


def test_names_cannot_forge_lines_of_the_response(app):
    response = Script(app).upload_raw("a\tkept\t1.pdf", PDF)
    assert response.status_code == 422
    assert lines(response)[1].startswith("a\\tkept\\t1.pdf\trefused\t")


def test_a_name_of_a_hundred_thousand_characters_is_refused_in_one_short_line(app):
    response = Script(app).upload_raw("a" + "\u0301\u0327" * 50_000 + ".txt", b"x")
    assert response.status_code == 422
    assert "\trefused\tA name can have at most 255 bytes: " in lines(response)[1]
    assert len(response.text) < 1000


def test_a_folder_is_stored_with_its_paths(app):
    script = Script(app)
    response = script.upload(("survey/a.txt", b"1"), ("survey/北/b.txt", b"2"), field="folder")
    assert response.status_code == 200
    assert [line.split("\t")[0] for line in lines(response)[1:]] == [
        "survey/a.txt",
        "survey/北/b.txt",
    ]
    assert script.get("/download/survey/北/b.txt").data == b"2"
    response = script.upload(("../a.txt", b"1"), field="folder")
    assert response.status_code == 422


def test_a_form_that_is_sent_again_with_its_key_is_stored_once(app):
    script = Script(app)
    file = (b'name="folder"; filename="f/a.txt"', b"1")
    key = (b'name="batch"', b"0123")
    first = lines(script.upload_parts(key, file))
    assert lines(script.upload_parts(key, file)) == first
    assert lines(script.upload_parts((b'name="batch"', b"4567"), file))[1] != first[1]
    assert lines(script.upload_parts(file))[1].endswith("Version 3 of this file.")


@pytest.mark.parametrize("name", ["report.docx", "table.xlsx", "setup.exe", "Makefile", "x.文"])
@pytest.mark.parametrize("setting", ["", "*"])
def test_every_file_type_is_accepted_by_default(make_app, name, setting):
    app = make_app(UPLOAD_EXTENSIONS=setting)
    data = b"PK\x03\x04" if name.endswith("x") else b"MZ\0"
    assert Script(app).upload((name, data)).status_code == 200


def test_trimmed_names_and_next_versions_are_reported(app):
    script = Script(app)
    response = script.upload((" a.txt. ", b"1"))
    assert lines(response)[1].startswith("a.txt\tkept\t")
    assert "Leading and trailing spaces and trailing dots were removed." in lines(response)[1]
    assert "Version 2" in lines(script.upload((" a.txt. ", b"2")))[1]


def test_an_empty_file_is_stored(app):
    script = Script(app)
    response = script.upload(("empty.png", b""))
    assert response.status_code == 200
    assert script.get("/files/1").data == b""


def test_larger_than_the_limit_is_413_naming_it(make_app):
    app = make_app(UPLOAD_MAX_MB="1")
    script = Script(app)
    assert script.upload(("a.txt", some_text(1 << 20))).status_code == 200
    response = script.upload(("a.txt", some_text((1 << 20) + 1)))
    assert response.status_code == 413
    assert lines(response)[0] == "file uploaded Fail"
    assert "1 MB" in lines(response)[1]
    response = script.upload(("a.txt", some_text(2_000_000)), ("b.txt", b"fits"))
    assert response.status_code == 207
    assert [line.split("\t")[1] for line in lines(response)[1:]] == ["refused", "kept"]


def test_a_form_beyond_its_limit_is_refused_before_it_is_read(make_app):
    app = make_app(UPLOAD_MAX_MB="1")
    script = Script(app)
    response = script.upload(("a.txt", some_text(11_100_000)))
    assert response.status_code == 413
    assert lines(response)[0] == "file uploaded Fail"
    assert "1 MB" in lines(response)[1]
    assert not files_dir(app).exists() or on_disk(files_dir(app)) == []


def test_text_fields_are_bounded_together(app, monkeypatch):
    """Each of them is small enough by itself; files of any size in between do not count."""
    monkeypatch.setattr(multipart, "IN_MEMORY_BYTES", 1_000_000)
    script = Script(app)

    def upload(texts):
        fields = [(f"text{number}", "x" * 400_000) for number in range(texts)]
        fields.insert(1, ("file", ("a.txt", b"y" * 2_000_000)))
        body, kind = encode_multipart_formdata(fields)
        return script.client.post("/upload", data=body, content_type=kind, headers=script.headers)

    assert upload(2).status_code == 200
    assert upload(4).status_code == 413
    assert len(on_disk(files_dir(app))) == 1


def test_too_many_parts_are_413(app, monkeypatch):
    monkeypatch.setattr(upload_request, "FORM_PARTS", 3)
    response = Script(app).upload(*[(f"{n}.txt", b"x") for n in range(4)])
    assert response.status_code == 413
    assert lines(response)[0] == "file uploaded Fail"
    assert on_disk(files_dir(app)) == []


def test_other_addresses_have_a_small_limit(app, as_role):
    browser = as_role("editor")
    response = browser.submit("/account/tokens", {"label": "x" * 5_000_000})
    assert response.status_code == 413


def test_a_nearly_full_disk_is_507(app, monkeypatch):
    script = Script(app)
    monkeypatch.setattr(disk, "FREE_BYTES", 10**18)
    response = script.upload(("a.txt", b"x"))
    assert response.status_code == 507
    assert lines(response)[0] == "file uploaded Fail"
    response = script.upload(("a.txt", b"x"), **JSON)
    assert (response.status_code, response.mimetype) == (507, "application/json")


# Who may


def test_without_a_token_one_plain_line_and_401(app):
    response = Script(app, role=None).upload(("a.txt", b"x"))
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert lines(response) == ["Please sign in, or send a token."]
    assert not files_dir(app).exists()


def test_a_wrong_or_ended_token_is_401(app):
    from app.auth.tokens import services as tokens

    script = Script(app)
    right = script.headers["Authorization"]
    script.headers["Authorization"] = "Bearer gz_wrong"
    assert lines(script.upload(("a.txt", b"x"))) == ["This token is not valid."]
    script.headers["Authorization"] = right
    assert script.upload(("a.txt", b"x")).status_code == 200
    with app.app_context():
        owner = actor_of(script.person_id)
        tokens.revoke_token(owner, tokens.list_tokens(owner)[0].id)
    assert script.upload(("a.txt", b"x")).status_code == 401


def test_a_viewer_is_403_before_anything_is_written(app):
    response = Script(app, role="viewer").upload(("a.txt", b"x"))
    assert response.status_code == 403
    assert lines(response)[0] == "file uploaded Fail"
    assert not files_dir(app).exists()


def test_a_disabled_person_is_401(app):
    from app.auth import services as auth

    script = Script(app)
    with app.app_context():
        auth.set_active(OPERATOR, script.person_id, False)
    assert script.upload(("a.txt", b"x")).status_code == 401


def test_a_form_that_breaks_off_leaves_nothing(app):
    response = Script(app).upload_raw("a.txt", b"half", end=b"")
    assert response.status_code in (400, 422)
    assert on_disk(files_dir(app)) == []
    with app.app_context():
        assert db.session.query(File).count() == 0


# GET


def test_get_is_405_and_mentions_post(app):
    response = Script(app, role=None).client.get(
        "/upload", data={"file": parts(("a.txt", b"x"))}, headers={"Accept": "*/*"}
    )
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert "POST" in lines(response)[0]


def test_a_browser_that_opens_the_address_finds_the_form(as_role):
    response = as_role("editor").get("/upload/")
    assert (response.status_code, response.location) == (302, "/files")


def test_nginx_lets_through_the_largest_form_of_the_defaults(app):
    text = (ROOT / "nginx.conf").read_text()
    found = re.search(r"location ~ \^/upload.*?client_max_body_size (\d+)m;", text, re.DOTALL)
    with app.app_context():
        assert upload_request.form_limit() <= int(found[1]) << 20
