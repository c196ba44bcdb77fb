"""Downloads: who may, what is sent, conditions and ranges."""

import base64
import hashlib

import pytest

from app.database.engine import db
from app.files import queries
from app.files.download import counting
from app.files.models import File
from tests.factories import HTML, OPERATOR
from tests.files.helpers import (
    JSON,
    PDF,
    REPORT,
    Script,
    on_disk,
    some_text,
)

DATA = some_text(200_000)
DIGEST = hashlib.sha256(DATA).hexdigest()
ETAG = f'"{DIGEST}"'


@pytest.fixture
def script(app):
    script = Script(app)
    assert script.upload(("data.txt", DATA)).status_code == 200
    return script


def downloads(app, file_id=1):
    """The count of a file, once the clock has written it."""
    with app.app_context():
        counting.store_counts()
        return queries.load_file(OPERATOR, file_id).downloads


def test_headers_of_a_download(script):
    response = script.get("/files/1")
    assert response.status_code == 200
    assert response.data == DATA
    headers = response.headers
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Content-Length"] == str(len(DATA))
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert headers["ETag"] == ETAG
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    digest = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
    assert headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert headers["Last-Modified"].endswith("GMT")


@pytest.mark.parametrize(
    ("name", "header"),
    [
        (REPORT, "attachment; filename=\"__ (__)-1.pdf\"; "
                 "filename*=UTF-8''%E6%8A%A5%E5%91%8A%20%28%E7%BB%88%E7%A8%BF%29.pdf"),
        ("a.pdf", "attachment; filename=\"a.pdf\"; filename*=UTF-8''a.pdf"),
        ('a";x=%41.pdf', "attachment; filename=\"a_;x=_41-1.pdf\"; "
                         "filename*=UTF-8''a%22%3Bx%3D%2541.pdf"),
    ],
)  # fmt: skip
def test_the_name_in_the_header_is_exactly_the_one_sent(app, name, header):
    script = Script(app)
    assert script.upload_raw(name.replace('"', "%22"), PDF).status_code == 200
    assert script.get("/files/1").headers["Content-Disposition"] == header


def test_names_in_plain_ascii_keep_files_apart(app):
    script = Script(app)
    for name in ("报告.txt", "合同.txt", "%.txt", "%22.txt", "__.txt"):
        assert script.upload_raw(name, b"x").status_code == 200
    plain = [
        script.get(f"/files/{number}").headers["Content-Disposition"].split('"')[1]
        for number in range(1, 6)
    ]
    assert plain == ["__-1.txt", "__-2.txt", "_-3.txt", "_-4.txt", "__.txt"]


def test_every_extension_is_sent_as_an_attachment(make_app):
    script = Script(make_app(UPLOAD_EXTENSIONS="html, SVG,.js"))
    for number, extension in enumerate(("html", "svg", "js"), 1):
        assert script.upload((f"x.{extension}", b"<script>alert(1)</script>")).status_code == 200
        response = script.get(f"/files/{number}")
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["Content-Disposition"].startswith("attachment")


RANGES = [
    # Range, status, Content-Range, slice, counted
    ("bytes=0-99", 206, "bytes 0-99/200000", slice(0, 100), 1),
    ("bytes=0-", 206, "bytes 0-199999/200000", slice(0, None), 1),
    ("bytes=100-", 206, "bytes 100-199999/200000", slice(100, None), 0),
    ("bytes=100-199", 206, "bytes 100-199/200000", slice(100, 200), 0),
    ("bytes=-5", 206, "bytes 199995-199999/200000", slice(-5, None), 0),
    ("bytes=199999-", 206, "bytes 199999-199999/200000", slice(-1, None), 0),
    ("bytes=150000-999999", 206, "bytes 150000-199999/200000", slice(150_000, None), 0),
    ("bytes=0-0,5-9", 200, None, slice(None), 1),
    ("lines=1-2", 200, None, slice(None), 1),
    ("bytes=nonsense", 200, None, slice(None), 1),
    ("bytes=9-5", 200, None, slice(None), 1),
    ("bytes=-200000", 206, "bytes 0-199999/200000", slice(0, None), 1),
    ("bytes=-999999", 206, "bytes 0-199999/200000", slice(0, None), 1),
    (f"bytes=-{'9' * 30}", 206, "bytes 0-199999/200000", slice(0, None), 1),
    (f"bytes=5-{'9' * 30}", 206, "bytes 5-199999/200000", slice(5, None), 0),
    ("Bytes= 5-9", 206, "bytes 5-9/200000", slice(5, 10), 0),
    ("bytes=-", 200, None, slice(None), 1),
    ("bytes=-0", 416, "bytes */200000", None, 0),
    (f"bytes={'9' * 30}-", 416, "bytes */200000", None, 0),
    ("bytes=200000-", 416, "bytes */200000", None, 0),
    ("bytes=500000-600000", 416, "bytes */200000", None, 0),
]


@pytest.mark.parametrize(("wanted", "status", "content_range", "part", "counted"), RANGES)
def test_ranges(app, script, wanted, status, content_range, part, counted):
    response = script.get("/files/1", Range=wanted)
    assert response.status_code == status
    assert response.headers.get("Content-Range") == content_range
    if part is not None:
        assert response.data == DATA[part]
        assert response.headers["Content-Length"] == str(len(DATA[part]))
        assert response.headers["ETag"] == ETAG
    assert downloads(app) == counted


@pytest.mark.parametrize(
    ("if_range", "status"),
    [
        (ETAG, 206),
        ('"other"', 200),
        (f"W/{ETAG}", 200),
        ("*", 200),
        ("nonsense", 200),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 200),
        ("Mon, 01 Jan 2035 00:00:00 GMT", 200),
    ],
)
def test_if_range_gives_a_part_only_of_the_very_same(script, if_range, status):
    response = script.get("/files/1", Range="bytes=5-9", If_Range=if_range)
    assert response.status_code == status
    assert response.data == (DATA[5:10] if status == 206 else DATA)


def test_if_range_with_our_own_date_gives_a_part(script):
    moment = script.get("/files/1").headers["Last-Modified"]
    response = script.get("/files/1", Range="bytes=5-9", If_Range=moment)
    assert response.status_code == 206


@pytest.mark.parametrize(
    "headers",
    [
        {"If_None_Match": ETAG},
        {"If_None_Match": f"W/{ETAG}"},
        {"If_None_Match": f'"x", {ETAG}'},
        {"If_None_Match": "*"},
        {"If_None_Match": ETAG, "Range": "bytes=0-5"},
    ],
)
def test_an_unchanged_file_is_304_without_a_body(app, script, headers):
    response = script.get("/files/1", **headers)
    assert response.status_code == 304
    assert response.data == b""
    assert response.headers["ETag"] == ETAG
    assert downloads(app) == 0


def test_dates_are_compared(script):
    moment = script.get("/files/1").headers["Last-Modified"]
    assert script.get("/files/1", If_Modified_Since=moment).status_code == 304
    old = "Mon, 01 Jan 2001 00:00:00 GMT"
    assert script.get("/files/1", If_Modified_Since=old).status_code == 200
    assert script.get("/files/1", If_None_Match='"x"', If_Modified_Since=moment).status_code == 200


OLD, LATER = "Mon, 01 Jan 2001 00:00:00 GMT", "Mon, 01 Jan 2035 00:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_Match": ETAG}, 200),
        ({"If_Match": f'"x", {ETAG}'}, 200),
        ({"If_Match": "*"}, 200),
        ({"If_Match": '"x"'}, 412),
        ({"If_Match": f"W/{ETAG}"}, 412),
        ({"If_Unmodified_Since": LATER}, 200),
        ({"If_Unmodified_Since": OLD}, 412),
        ({"If_Unmodified_Since": "nonsense"}, 200),
        ({"If_Match": ETAG, "If_Unmodified_Since": OLD}, 200),
        ({"If_Match": '"x"', "If_None_Match": ETAG}, 412),
        ({"If_Match": "*", "If_None_Match": ETAG}, 304),
        ({"If_Match": "*", "If_None_Match": '"x"', "If_Modified_Since": LATER}, 200),
        ({"If_Modified_Since": "nonsense"}, 200),
        ({"If_Match": '"x"', "Range": "bytes=0-5"}, 412),
        ({"If_Match": ETAG, "Range": "bytes=0-5"}, 206),
    ],
)
def test_preconditions_are_evaluated_in_their_order(script, headers, status):
    response = script.get("/files/1", **headers)
    assert response.status_code == status
    assert len(response.data) == {200: len(DATA), 206: 6}.get(status, 0)


def test_head_has_the_headers_and_no_body_and_is_not_counted(app, script):
    response = script.client.head("/files/1", headers={**script.headers, "Range": "bytes=0-5"})
    assert response.status_code == 200
    assert response.data == b""
    assert response.headers["Content-Length"] == str(len(DATA))
    assert response.headers["ETag"] == ETAG
    assert downloads(app) == 0


def test_the_end_of_one_byte_is_all_of_it(app):
    script = Script(app)
    script.upload(("one.txt", b"x"))
    response = script.get("/files/1", Range="bytes=-2")
    assert (response.status_code, response.data) == (206, b"x")
    assert response.headers["Content-Range"] == "bytes 0-0/1"


@pytest.mark.parametrize("wanted", ["bytes=0-", "bytes=-5"])
def test_an_empty_file_has_no_ranges(app, wanted):
    script = Script(app)
    script.upload(("empty.txt", b""))
    response = script.get("/files/1", Range=wanted)
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Content-Length"] == "0"


# By name


def test_by_name_is_the_newest_of_that_name(app, script):
    other = Script(app, name="林梅")
    other.upload(("data.txt", b"newer"))
    for path in ("/download/data.txt", "/download?filename=data.txt"):
        assert script.get(path).data == b"newer"
    script.upload(("data.txt", b"newest"))
    assert script.get("/download/data.txt").data == b"newest"
    assert script.get("/files/1").data == DATA, "the older version is there by its id"


def test_a_chinese_name_and_its_other_form_are_found(app):
    script = Script(app)
    script.upload((REPORT, PDF), ("é.txt", b"x"))
    assert script.get(f"/download/{REPORT}").data == PDF
    assert script.get("/download/e%CC%81.txt").data == b"x"


def test_the_stored_name_finds_its_file_too(app, script):
    with app.app_context():
        stored = queries.load_file(OPERATOR, 1).stored_name
    assert script.get(f"/download/{stored}").data == DATA


@pytest.mark.parametrize(
    "path",
    ["/download/none.txt", "/download?filename=none.txt", "/download?filename=", "/download",
     "/files/999", "/download/..%2f..%2fetc%2fpasswd", "/download?filename=../../etc/passwd",
     "/download/%252e%252e%252fpasswd"],
)  # fmt: skip
def test_a_missing_file_is_404_with_the_original_line(script, path):
    response = script.get(path)
    assert response.status_code == 404
    assert response.mimetype == "text/plain"
    assert response.text.splitlines()[0] == "The downloaded file does not exist"
    assert script.get(path, **JSON).json["status"] == 404
    assert "<html" in script.get(path, **HTML).text


def test_bytes_that_are_gone_are_404_and_in_the_log(app, script, caplog):
    for path in on_disk(app.config["SETTINGS"].files_dir):
        path.unlink()
    assert script.get("/files/1").status_code == 404
    assert "the content of the stored file" in caplog.text


def test_visitors_get_no_file(app, script, browser):
    response = Script(app, role=None).get("/files/1")
    assert (response.status_code, response.mimetype) == (401, "text/plain")
    assert browser.get("/files/1").location == "/login?next=/files/1"


def test_viewers_read(app, script, as_role):
    assert as_role("viewer").get("/files/1", buffered=True).data == DATA


def test_the_old_address_of_the_list(browser):
    assert browser.get("/list_files").location == "/files"


def test_no_database_connection_is_held_while_a_file_is_sent(app, script):
    response = script.client.get("/files/1", headers=script.headers, buffered=False)
    with app.app_context():
        assert db.engine.pool.checkedout() == 0
    assert b"".join(response.response) == DATA
    response.close()


# nginx sends


@pytest.fixture
def behind_nginx(make_app):
    script = Script(make_app(NGINX_SENDS_FILES="1"))
    script.upload((REPORT, PDF))
    return script


def test_nginx_gets_the_path_of_the_file(behind_nginx):
    response = behind_nginx.get("/files/1")
    app = behind_nginx.app
    with app.app_context():
        stored = db.session.get(File, 1).stored_name
    assert response.headers["X-Accel-Redirect"] == f"/_files/{stored[:2]}/{stored}"
    assert response.data == b""
    assert response.headers["ETag"]
    assert "Accept-Ranges" not in response.headers, "nginx adds its own"
    assert "filename*" in response.headers["Content-Disposition"]
    assert downloads(app) == 1


def test_nginx_reads_ranges_itself(behind_nginx):
    response = behind_nginx.get("/files/1", Range="bytes=5-")
    assert response.status_code == 200
    assert "Content-Range" not in response.headers
    assert "X-Accel-Redirect" in response.headers
    assert downloads(behind_nginx.app) == 0
    behind_nginx.get("/files/1", Range="bytes=0-5")
    assert downloads(behind_nginx.app) == 1


def test_304_and_head_are_answered_before_nginx(behind_nginx):
    etag = behind_nginx.get("/files/1").headers["ETag"]
    response = behind_nginx.get("/files/1", If_None_Match=etag)
    assert response.status_code == 304
    assert "X-Accel-Redirect" not in response.headers
    response = behind_nginx.client.head("/files/1", headers=behind_nginx.headers)
    assert response.status_code == 200
    assert response.headers["Content-Length"] == str(len(PDF))
    assert "X-Accel-Redirect" not in response.headers
