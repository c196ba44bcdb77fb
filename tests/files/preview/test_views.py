"""The addresses of previews, and what a page shows of a file."""

import os
import threading
import time
from contextlib import contextmanager

import pytest

from app.children import acquire_slot
from app.database.engine import db
from app.files.download import counting
from app.files.models import File
from app.files.preview import results, services, views
from app.files.preview.results import cached_path, find_problem, version
from app.files.preview.views import EMPTY_PICTURE, NOT_YET_PICTURE
from app.files.storage.folder import preview_path
from tests.factories import HTML
from tests.files.helpers import JPEG, PNG, Script, files_dir, on_disk
from tests.files.preview.helpers import ACTION, decoded, encoded, pdf, photograph
from tests.files.preview.test_child import header_of
from tests.html import Page

WAV = b"RIFF\x24\0\0\0WAVEfmt " + bytes(100)
IMAGE = {"Accept": "image/avif,image/webp,*/*;q=0.8"}


@pytest.fixture
def script(app):
    return Script(app)


@pytest.fixture
def add(app, script):
    """Uploads a file; returns its id."""

    def add(name, data):
        assert script.upload((name, data)).status_code == 200
        with app.app_context():
            return db.session.scalar(db.select(db.func.max(File.id)))

    return add


def stored_name(app, file_id):
    with app.app_context():
        return db.session.get(File, file_id).stored_name


def stored_as(app, file_id, part):
    """Where a part of a preview is stored."""
    name = stored_name(app, file_id)
    with app.app_context():
        return cached_path(name, part)


def page_of(as_role, file_id, role="viewer"):
    return Page(as_role(role).get(f"/files/{file_id}/details"))


def assert_sandboxed(headers, cached="private, max-age=31536000, immutable"):
    """No browser runs anything of it, whoever leads there."""
    directives = headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "sandbox", "frame-ancestors 'self'"} == set(directives)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == cached
    assert headers["Vary"] == "Cookie"
    assert headers["Content-Disposition"].startswith("inline; ")


@pytest.mark.parametrize(("size", "expected"), [(64, (64, 64)), (1200, (1200, 900))])
def test_pictures_are_made_once(add, script, size, expected, monkeypatch):
    file_id = add("harbour.jpg", encoded(photograph(1600, 1200), "JPEG"))
    response = script.get(f"/files/{file_id}/picture/{size}")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/webp"
    assert_sandboxed(response.headers, "private, no-cache")
    assert decoded(response.data).size == expected
    monkeypatch.setattr(results, "generate", None)
    again = script.get(f"/files/{file_id}/picture/{size}")
    assert again.data == response.data
    etag = response.headers["ETag"]
    assert script.get(f"/files/{file_id}/picture/{size}", If_None_Match=etag).status_code == 304
    other = script.get(f"/files/{file_id}")
    assert other.headers["ETag"] != etag


@pytest.mark.parametrize(
    ("name", "data", "content_type"),
    [("a.pdf", pdf(), "application/pdf"), ("a.wav", WAV, "audio/wav"),
     ("a.mp3", b"ID3" + bytes(50), "audio/mpeg"), ("a.ogg", b"OggS" + bytes(50), "audio/ogg"),
     ("a.mp4", b"\0\0\0\x18ftypmp42" + bytes(50), "video/mp4"),
     ("a.webm", b"\x1a\x45\xdf\xa3" + bytes(50), "video/webm")],
)  # fmt: skip
def test_documents_sounds_and_films_are_sent_whole(app, add, script, name, data, content_type):
    file_id = add(name, data)
    path = f"/files/{file_id}/preview/{name}?v={version()}"
    response = script.get(path)
    assert (response.status_code, response.data) == (200, data)
    assert response.headers["Content-Type"] == content_type
    assert_sandboxed(response.headers)
    etag = response.headers["ETag"]
    part = script.get(path, Range="bytes=5-9", If_Range=etag)
    assert (part.status_code, part.data) == (206, data[5:10])
    assert part.headers["Content-Range"] == f"bytes 5-9/{len(data)}"
    assert script.get(path, Range="bytes=5-9", If_Range='"other"').data == data
    assert script.get(path, Range="bytes=9999-").status_code == 416
    head = script.client.head(path, headers=script.headers)
    assert (head.content_length, head.data) == (len(data), b"")
    assert script.get(path, If_None_Match=etag).status_code == 304
    with app.app_context():
        assert counting.store_counts() == 0


@pytest.mark.parametrize("address", ["preview/x", "picture/64"])
def test_previews_are_for_members(add, browser, address, app):
    file_id = add("a.png", PNG)
    response = browser.get(f"/files/{file_id}/{address}")
    assert response.location == f"/login?next=/files/{file_id}/{address}"
    assert app.test_client().get(f"/files/{file_id}/{address}").status_code == 401


def test_what_has_no_preview_is_not_found(add, script, as_role):
    text, picture = add("a.txt", b"x"), add("a.png", PNG)
    for path in (f"{text}/preview/x", f"{text}/picture/64", f"{picture}/preview/x",
                 f"{picture}/picture/65", f"{picture}/picture/12000", "99/preview/x",
                 "99/picture/64"):  # fmt: skip
        assert script.get(f"/files/{path}").status_code == 404, path
    as_role("editor").submit(f"/files/{picture}/remove", page="/files")
    assert script.get(f"/files/{picture}/picture/64").status_code == 404


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("broken.png", PNG[:40], "This picture cannot be shown: the file is damaged."),
        ("broken.jpg", JPEG, "This picture cannot be shown: the file is damaged."),
        ("empty.webp", b"RIFF", "This picture cannot be shown: the file is damaged."),
        ("bomb.png", header_of(30_000, 30_000), "This picture cannot be shown: it has 900 "
         "megapixels; at most 40 are shown."),
    ],
)  # fmt: skip
def test_a_picture_that_cannot_be_shown_says_why(app, add, script, as_role, name, data, reason):
    file_id = add(name, data)
    refused = script.get(f"/files/{file_id}/picture/1200", Accept="application/json")
    assert (refused.status_code, refused.json["error"]) == (422, reason)
    assert refused.headers["Cache-Control"] == "no-store"
    page = page_of(as_role, file_id)
    assert page.text(".preview.none") == reason
    assert not page.has(".preview img")


def test_in_a_list_it_is_transparent(add, script):
    file_id = add("broken.png", PNG[:40])
    for _again in range(2):
        response = script.get(f"/files/{file_id}/picture/64")
        assert (response.status_code, response.data) == (200, EMPTY_PICTURE)
        # It may have failed for a reason that passes, after which it is tried again.
        assert response.headers["Cache-Control"] == "private, max-age=86400"
        assert response.headers["Vary"] == "Cookie"
    for picture, width in ((EMPTY_PICTURE, 1), (NOT_YET_PICTURE, 2)):
        assert decoded(picture).size == (width, 1)
        assert decoded(picture).convert("RGBA").getpixel((0, 0))[3] == 0


def test_a_broken_picture_starts_one_child(app, add, script, monkeypatch):
    file_id, begun = add("broken.png", PNG[:40]), []
    run = results.run
    monkeypatch.setattr(results, "run", lambda *args: begun.append(1) or run(*args))
    for size in (64, 64, 1200):
        script.get(f"/files/{file_id}/picture/{size}")
    assert len(begun) == 1


def test_what_took_too_long_is_tried_again_after_a_day(app, add, script, monkeypatch):
    file_id = add("slow.png", PNG)
    monkeypatch.setattr(results, "run", lambda *_args: None)
    refused = script.get(f"/files/{file_id}/picture/1200", Accept="application/json")
    assert "too much time or memory" in refused.json["error"]
    monkeypatch.undo()
    path = f"/files/{file_id}/picture/1200"
    assert script.get(path).status_code == 422
    problem = stored_as(app, file_id, "problem")
    day = time.time() - results.RETRY_SECONDS - 1
    os.utime(problem, (day, day))
    assert script.get(path).status_code == 200


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_a_child_that_was_killed_is_tried_again_after_a_minute(
    app, add, script, monkeypatch, tmp_path, name
):
    file_id, program, run = add("killed.png", PNG), tmp_path / "killed.py", results.run
    program.write_text(f"import os, signal\nos.kill(os.getpid(), signal.{name})\n")
    monkeypatch.setattr(results, "run", lambda _program, *args: run(program, *args))
    path = f"/files/{file_id}/picture/1200"
    for _again in range(2):
        answered = script.get(path, Accept="application/json")
        assert (answered.status_code, answered.headers["Retry-After"]) == (503, "60")
        assert "interrupted" in answered.json["error"]
        listed = script.get(f"/files/{file_id}/picture/64")
        assert (listed.data, listed.headers["Cache-Control"]) == (NOT_YET_PICTURE, "no-store")
        monkeypatch.undo()  # it is remembered for a minute
    minute = time.time() - results.INTERRUPTED_SECONDS - 1
    os.utime(stored_as(app, file_id, "problem"), (minute, minute))
    assert script.get(path).status_code == 200


def test_what_is_too_large_is_not_tried_again(app, add, script):
    file_id = add("bomb.png", header_of(30_000, 30_000))
    script.get(f"/files/{file_id}/picture/64")
    name = stored_name(app, file_id)
    os.utime(stored_as(app, file_id, "problem"), (0, 0))
    with app.app_context():
        assert "900" in str(find_problem(name))


@pytest.mark.parametrize("report", [b"", b"{", b"[]", b"null", b'{"problem": "other"}'])
def test_a_damaged_report_is_made_again(app, add, script, report):
    file_id = add("a.png", PNG)
    path = stored_as(app, file_id, "problem")
    path.parent.mkdir(parents=True)
    path.write_bytes(report)
    assert script.get(f"/files/{file_id}/picture/64").status_code == 200


def test_a_child_that_says_nonsense_is_a_problem(app, add, script, monkeypatch):
    for status, said in ((results.REFUSED, b"{"), (results.REFUSED, b'{"problem": 1}'), (1, b"Oh")):
        file_id = add(f"a{len(said)}.png", PNG)
        monkeypatch.setattr(results, "run", saying(status, said))
        assert script.get(f"/files/{file_id}/picture/1200").status_code == 422
    assert [path for path in on_disk(files_dir(app)) if path.suffix == ".part"] == []


def saying(status, said):
    def run(_program, _words, _source, target, _seconds):
        target.write(said)
        target.flush()
        return status

    return run


def test_while_others_are_made_it_says_try_again(app, add, script, monkeypatch, as_role):
    monkeypatch.setattr(results, "WAIT_SECONDS", 0.1)
    picture, document = add("a.png", PNG), add("a.pdf", pdf())
    folder = app.config["SETTINGS"].instance
    with acquire_slot(folder, "preview", 2, 1), acquire_slot(folder, "preview", 2, 1):
        busy = script.get(f"/files/{picture}/picture/1200", Accept="application/json")
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "2")
        assert busy.headers["Cache-Control"] == "no-store"
        listed = script.get(f"/files/{picture}/picture/64")  # where an icon is below it
        assert (listed.status_code, listed.data) == (200, NOT_YET_PICTURE)
        assert listed.headers["Cache-Control"] == "no-store"
        framed = as_role("viewer").get(f"/files/{document}/preview/x")
        assert framed.status_code == 503
        assert "Try again in a moment" in Page(framed).text("body")
    assert script.get(f"/files/{picture}/picture/64").data != NOT_YET_PICTURE


def test_two_work_at_once_and_the_third_waits(tmp_path):
    working, most, lock = 0, [], threading.Lock()

    def work():
        nonlocal working
        with acquire_slot(tmp_path, "x", 2, 30):
            with lock:
                working += 1
                most.append(working)
            time.sleep(0.05)
            with lock:
                working -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (6, 2)


def test_a_document_with_scripts_is_replaced_by_a_sentence(add, script, as_role):
    file_id = add("form.pdf", pdf(ACTION))
    assert page_of(as_role, file_id).has("iframe.preview")
    framed = as_role("viewer").get(f"/files/{file_id}/preview/x")
    assert framed.status_code == 422
    assert "contains JavaScript" in Page(framed).text(".preview")
    assert b"app.alert" not in framed.data
    assert framed.headers["X-Frame-Options"] == "SAMEORIGIN"
    policy = framed.headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; style-src 'self'; frame-ancestors 'self'"
    assert not Page(framed).has("script")
    page = page_of(as_role, file_id)
    assert "contains JavaScript" in page.text(".preview.none")
    assert not page.has("iframe")
    assert script.get(f"/files/{file_id}/preview/x").status_code == 422
    assert script.get(f"/files/{file_id}").data == pdf(ACTION)


@pytest.mark.parametrize("part", ["checked", "checked-1234abcd"])
def test_what_an_earlier_release_has_checked_is_checked_again(app, add, script, part):
    """It may have let through what this one refuses."""
    file_id = add("form.pdf", pdf(ACTION))
    path = preview_path(files_dir(app), stored_name(app, file_id), part)
    path.parent.mkdir(parents=True)
    path.touch()
    assert script.get(f"/files/{file_id}/preview/x").status_code == 422


def test_another_release_has_other_pictures_and_addresses(add, script, as_role, monkeypatch):
    """Browsers store for a year what was made, and never ask again."""
    file_id = add("a.png", PNG)
    before = page_of(as_role, file_id).one(".preview img")["src"]
    made = script.get(before)
    assert_sandboxed(made.headers)
    monkeypatch.setattr(results, "version", lambda: "1234abcd")
    monkeypatch.setattr(views, "version", lambda: "1234abcd")
    after = page_of(as_role, file_id).one(".preview img")["src"]
    assert before.replace(version(), "1234abcd") == after
    again = script.get(after)
    assert_sandboxed(again.headers)
    assert again.headers["ETag"] != made.headers["ETag"]
    # Another release's page may ask this one, which does not know what it will make.
    assert_sandboxed(script.get(before).headers, "private, no-cache")


def test_the_page_may_frame_and_play_what_is_ours(add, as_role):
    file_id = add("a.pdf", pdf())
    browser = as_role("viewer")
    response = browser.get(f"/files/{file_id}/details")
    policy = response.headers["Content-Security-Policy"]
    assert policy.endswith("; frame-src 'self'; media-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert "frame-src" not in browser.get("/files").headers["Content-Security-Policy"]
    frame = Page(response).one("iframe")
    assert frame["src"] == f"/files/{file_id}/preview/a.pdf?v={version()}#navpanes=0"
    assert frame.get("sandbox") is None  # Chromium would show nothing


@pytest.mark.parametrize(
    ("name", "data", "selector"),
    [("a.png", PNG, ".preview img[src*='/picture/1200?v='][alt]"),
     ("a.wav", WAV, ".preview audio[controls]"),
     ("a.mp4", b"\0\0\0\x18ftypmp42", "video.preview[controls]"),
     ("a.txt", b"Hello", ".preview.text pre"), ("README", b"Hello", ".preview.text pre"),
     ("a.csv", b"a,b\n1,2\n", ".preview.text table"),
     ("a.zip", b"PK\3\4\0\0", ".preview.none"), ("a.mp3", b"no sound\0", ".preview.none")],
)  # fmt: skip
def test_each_kind_has_its_preview(add, as_role, name, data, selector):
    page = page_of(as_role, add(name, data))
    assert page.has(selector)
    assert len(page.all(".preview")) == 1


def test_a_table_that_cannot_be_read_is_text_and_says_so(add, as_role):
    page = page_of(as_role, add("wide.csv", b"," * 300 + b"\n"))
    assert page.has(".preview.text pre")
    assert "cannot be read as a table" in page.text(".below-preview")


def test_a_wide_table_says_that_rows_are_missing_too(add, as_role):
    both = page_of(as_role, add("both.csv", (b"x," * 3000 + b"\n") * 50))
    expected = "Only the first rows and the first 20 of 3,001 columns are shown."
    assert expected in both.text("main")


def test_a_table_with_one_long_line_says_no_number_of_columns(add, as_role):
    page = page_of(as_role, add("wide.csv", b"1," * 100_000))
    expected = "Only the first rows and the first 20 columns are shown."
    assert page.text(".below-preview").startswith(expected)


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
     ("a.html", b"<html><script>alert(1)</script><img src=x onerror=alert(2)>"),
     ("a.txt", b"</code></pre><script>alert(1)</script>"),
     ("a.csv", b"<script>alert(1)</script>,<b>x</b>\n1,2\n")],
)  # fmt: skip
def test_pages_and_drawings_are_their_source(add, script, as_role, name, data):
    file_id = add(name, data)
    page = page_of(as_role, file_id)
    assert "<script>alert(1)</script>" in page.text(".preview")
    assert not page.has(".preview script, .preview svg, .preview img, .preview b")
    assert script.get(f"/files/{file_id}/preview/x").status_code == 404
    assert script.get(f"/files/{file_id}/picture/64").status_code == 404


def test_an_empty_file_says_so(add, as_role):
    for name in ("a.png", "a.pdf", "a.txt", "a.bin"):
        assert page_of(as_role, add(name, b"")).text(".preview.none") == "This file is empty."


def test_a_missing_content_leaves_the_page(app, add, script, as_role):
    file_id = add("a.png", PNG)
    for path in on_disk(files_dir(app)):
        path.unlink()
    assert "is missing" in page_of(as_role, file_id).text(".preview.none")
    assert script.get(f"/files/{file_id}/picture/64").status_code == 404


@pytest.mark.parametrize("address", ["picture/1200", "picture/64", "preview/x"])
def test_a_file_that_is_deleted_while_it_waits_is_not_found(
    app, add, script, monkeypatch, caplog, address
):
    """Purged by the clock, after the request has read its row and its first bytes."""
    from app.files.storage.folder import remove_stored

    file_id = add("a.pdf", pdf()) if address == "preview/x" else add("a.png", PNG)
    name = stored_name(app, file_id)
    waited = []

    @contextmanager
    def turn_after_deletion(*_args):
        waited.append(name)
        remove_stored(files_dir(app), name)
        yield

    monkeypatch.setattr(results, "acquire_slot", turn_after_deletion)
    response = script.get(f"/files/{file_id}/{address}")
    assert response.status_code == 404
    assert "was deleted permanently just now." in response.text
    assert waited
    assert "is missing" not in caplog.text


def test_a_preview_that_is_deleted_before_it_is_sent_is_not_found(app, add, script, monkeypatch):
    file_id = add("a.png", PNG)
    gone = files_dir(app) / "previews" / "gone"
    monkeypatch.setattr(services, "get_or_generate", lambda *_args: gone)
    assert script.get(f"/files/{file_id}/picture/64").status_code == 404


def test_previews_go_with_their_file(app, add, script, as_role):
    from app.files.storage.folder import remove_stored

    file_id, other = add("a.png", PNG), add("b.pdf", pdf())
    for each in (f"{file_id}/picture/64", f"{file_id}/picture/1200", f"{other}/preview/x"):
        assert script.get(f"/files/{each}").status_code == 200
    folder = files_dir(app)
    made = [path.relative_to(folder).parts[1] for path in on_disk(folder / "previews")]
    assert sorted(made) == [f"{part}-{version()}" for part in ("1200", "64", "checked")]
    remove_stored(folder, stored_name(app, file_id))
    assert [path.name for path in on_disk(folder / "previews")] == [stored_name(app, other)]


def test_lists_show_small_pictures(add, as_role):
    picture, empty, text = add("a.png", PNG), add("b.png", b""), add("c.txt", b"x")
    page = Page(as_role("viewer").get("/files"))
    [image] = page.all("[data-fresh=list] .thumb img")
    assert image["src"] == f"/files/{picture}/picture/64?v={version()}"
    assert (image["loading"], image["alt"], image["width"]) == ("lazy", "", "28")
    assert len(page.all("[data-fresh=list] .thumb > svg")) == 3
    assert empty
    assert text


def test_in_the_list_of_removed_files_are_icons_alone(add, as_role):
    browser = as_role("editor")
    browser.submit(f"/files/{add('a.png', PNG)}/remove", page="/files")
    page = Page(browser.get("/files/removed", headers=HTML))
    assert page.has("tbody tr svg")
    assert not page.has("tbody img")
