"""Uploads in progress end with the account; a form has to arrive in time."""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat

import gevent
import pytest

from app.auth import services as auth
from app.auth.tokens import services as tokens
from app.database.engine import db
from app.files.models import File
from app.files.upload import request as upload_request
from app.files.upload.progress import ProgressNote, list_running
from tests.factories import (
    HTML,
    OPERATOR,
    PASSWORD,
    Browser,
    actor_of,
    connections_held,
    note_calls,
)
from tests.files.helpers import PDF, Script, all_connections_taken, make_person, on_disk
from tests.html import Page


@pytest.fixture
def during(app, monkeypatch):
    """Has something happen after the form was read and before its files are stored."""

    def during(change):
        store_uploads = upload_request.store_uploads

        def change_and_store(*args):
            with app.app_context():
                change()
                db.session.remove()
            return store_uploads(*args)

        monkeypatch.setattr(upload_request, "store_uploads", change_and_store)

    return during


def ask_often(monkeypatch):
    for name in ("NOTE_SECONDS", "ASK_SECONDS"):
        monkeypatch.setattr(upload_request, name, 0.005)


def stored(app):
    with app.app_context():
        return db.session.query(File).count(), len(on_disk(app.config["SETTINGS"].files_dir))


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda person_id: auth.set_active(OPERATOR, person_id, False), 401),
        (lambda person_id: auth.set_role(OPERATOR, person_id, "viewer"), 403),
        (lambda person_id: revoke_all(person_id), 401),
    ],
)
def test_a_script_that_is_shut_out_stores_nothing(app, during, change, status):
    script = Script(app)
    during(lambda: change(script.person_id))
    response = script.upload(("a.pdf", PDF), ("b.txt", b"x"))
    assert response.status_code == status
    assert response.text.splitlines()[0] == "file uploaded Fail"
    assert stored(app) == (0, 0)


def revoke_all(person_id):
    owner = actor_of(person_id)
    for token in tokens.list_tokens(owner):
        tokens.revoke_token(owner, token.id)


def test_a_session_of_an_older_epoch_stores_nothing(app, during):
    script = Script(app)
    browser = Browser(app)
    browser.sign_in("editor's script", PASSWORD)
    during(lambda: auth.set_role(OPERATOR, script.person_id, "admin"))
    token = browser.token("/files")
    form = Script(app, role=None)
    form.client, form.headers = browser.client, dict(HTML)
    field = (b'name="csrf_token"', token.encode())
    assert form.upload_parts(field, (b'filename="a.txt"', b"x")).status_code == 401
    assert stored(app) == (0, 0)


@pytest.fixture
def as_page(app):
    """An editor's browser that sends forms as a script does, and the field with its token."""
    Script(app)
    browser = Browser(app)
    browser.sign_in("editor's script", PASSWORD)
    token = (b'name="csrf_token"', browser.token("/files").encode())
    form = Script(app, role=None)
    form.client, form.headers = browser.client, dict(HTML)
    return form, token


def sign_out_elsewhere(form):
    """With the same cookie, in a thread: a request within a request."""
    other = Browser(form.app)
    cookie = form.client.get_cookie("gz")
    other.client.set_cookie(cookie.key, cookie.value)
    with ThreadPoolExecutor() as pool:
        pool.submit(other.submit, "/logout", page="/cities").result()


def test_a_session_that_was_signed_out_stores_nothing(app, as_page, monkeypatch):
    form, token = as_page
    read_form = upload_request.read_form

    def read_and_sign_out(parser):
        read_form(parser)
        sign_out_elsewhere(form)

    monkeypatch.setattr(upload_request, "read_form", read_and_sign_out)
    assert form.upload_parts(token, (b'filename="a.txt"', b"x")).status_code == 401
    assert stored(app) == (0, 0)


class SlowForm:
    """A form with one file, of which some bytes arrive at a time. With each comes a step of
    `events`. Without `end` the client goes on until the server reads no more."""

    def __init__(self, events, end=b""):
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        blocks = [head, *[b"slow"] * 30, end]
        self.length = len(b"".join(blocks)) if end else 1_000_000
        self.blocks = iter(blocks) if end else chain(blocks[:-1], repeat(b"slow"))
        self.events, self.cut_off = events, False

    def read(self, _size=-1):
        if self.cut_off:
            return b""
        try:
            gevent.sleep(0.001)
        except gevent.GreenletExit:
            self.cut_off = True
            raise
        next(self.events, None)
        return next(self.blocks, b"")

    def send(self, script, **more):
        environ = {
            "wsgi.input": self,
            "CONTENT_LENGTH": str(self.length),
            "CONTENT_TYPE": "multipart/form-data; boundary=x",
            **more,
        }
        return script.client.post("/upload", headers=script.headers, environ_overrides=environ)


def once(app, change):
    """An event that happens while the form is being received."""
    with app.app_context():
        change()
        db.session.remove()
    yield


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda person_id: auth.set_active(OPERATOR, person_id, False), 401),
        (lambda person_id: auth.set_role(OPERATOR, person_id, "viewer"), 403),
        (lambda person_id: revoke_all(person_id), 401),
    ],
    ids=["disabled", "viewer", "revoked"],
)
def test_the_upload_of_a_script_ends_while_it_is_being_received(app, monkeypatch, change, status):
    ask_often(monkeypatch)
    script = Script(app)
    form = SlowForm(once(app, lambda: change(script.person_id)))
    response = form.send(script)
    assert form.cut_off
    assert response.status_code == status
    first, *reason = response.text.splitlines()
    assert reason or first != "file uploaded Fail"
    assert stored(app) == (0, 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda person_id, _form: auth.set_active(OPERATOR, person_id, False),
        lambda person_id, _form: auth.set_password(OPERATOR, person_id, "another long one"),
        lambda _person_id, form: sign_out_elsewhere(form),
    ],
    ids=["disabled", "password", "signed-out"],
)
def test_the_upload_of_a_page_ends_while_it_is_being_received(app, monkeypatch, as_page, change):
    ask_often(monkeypatch)
    page, _token = as_page
    person_id = make_person(app, "editor's script")
    form = SlowForm(once(app, lambda: change(person_id, page)))
    assert form.send(page).status_code == 401
    assert form.cut_off
    assert stored(app) == (0, 0)


def test_a_slow_upload_goes_on_also_while_the_database_is_away(app, monkeypatch):
    ask_often(monkeypatch)

    def away_for_a_while():
        with app.app_context(), all_connections_taken():
            yield from range(15)

    form = SlowForm(away_for_a_while(), end=b"\r\n--x--\r\n")
    response = form.send(Script(app))
    assert response.status_code == 200, response.text
    assert stored(app) == (1, 1)


def test_the_progress_of_a_slow_upload_is_shown_to_its_sender(app, monkeypatch):
    ask_often(monkeypatch)
    script, other = Script(app), Script(app, name="another")
    seen = []

    def look():
        for _block in range(20):
            yield
        with app.app_context():
            for person_id in (script.person_id, other.person_id):
                seen.append(list_running(actor_of(person_id)).own)
        browser = Browser(app)
        browser.begin_session("editor's script")
        with ThreadPoolExecutor() as pool:
            seen.append(
                Page(pool.submit(browser.get, "/").result()).texts(
                    "[aria-labelledby=running-uploads] li"
                )
            )

    form = SlowForm(look(), end=b"\r\n--x--\r\n")
    assert form.send(script).status_code == 200
    [[running], others, [line]] = seen
    assert (running.name, running.number, running.size) == ("a.txt", 1, form.length)
    assert 0 < running.received < form.length
    assert others == []
    assert line.startswith("Uploading a.txt: ")
    assert f" of {form.length} B" in line
    with app.app_context():
        assert not list_running(actor_of(script.person_id)).own
        assert not app.extensions["redis"].keys("gz:uploading:*")


# For each sender, the trips to Redis when the form was read: whether the session has ended, and one
# after the commit.
@pytest.mark.parametrize(("sender", "most"), [("script", 1), ("page", 2), ("page's script", 2)])
def test_it_makes_one_trip_to_redis_after_its_commit(app, monkeypatch, as_page, sender, most):
    """Its progress is removed, its results are stored and the change is sent."""
    ask_often(monkeypatch)
    page, (name, token) = as_page
    written = note_calls(monkeypatch, ProgressNote, "write")
    read, before = upload_request.read_or_error, []
    fields = [(name, token)]
    if sender == "page's script":
        fields.append((b'name="batch"', b"k"))
        page.headers["Accept"] = "application/json"
    head = b"\r\n--x\r\nContent-Disposition: form-data; "
    end = b"".join(head + name + b"\r\n\r\n" + value for name, value in fields) + b"\r\n--x--\r\n"

    def read_and_note():
        error = read()
        before.append(len(trips))
        return error

    monkeypatch.setattr(upload_request, "read_or_error", read_and_note)
    for _time in range(2):  # the first one may have to send the text of scripts
        with connections_held(app) as trips:
            response = SlowForm(iter(()), end).send(Script(app) if sender == "script" else page)
        assert response.status_code in (200, 303), response.text
    assert written
    assert len(trips) - before[-1] == most
    assert not app.extensions["redis"].keys("gz:uploading:*")


def test_progress_is_noted_more_often_than_the_sender_is_checked(app, monkeypatch):
    monkeypatch.setattr(upload_request, "NOTE_SECONDS", 0.005)
    written = note_calls(monkeypatch, ProgressNote, "write")
    checked = note_calls(monkeypatch, upload_request, "check_sender")
    assert SlowForm(iter(()), end=b"\r\n--x--\r\n").send(Script(app)).status_code == 200
    assert written
    assert not checked


def test_a_short_upload_is_not_noted(app, monkeypatch):
    written = note_calls(monkeypatch, ProgressNote, "write")
    assert SlowForm(iter(()), end=b"\r\n--x--\r\n").send(Script(app)).status_code == 200
    assert written == []


def test_an_upload_goes_on_without_redis(make_app, monkeypatch):
    app = make_app(REDIS_URL="redis://127.0.0.1:1/0")
    ask_often(monkeypatch)
    script = Script(app)
    assert SlowForm(iter(()), end=b"\r\n--x--\r\n").send(script).status_code == 200
    with app.app_context():
        assert not list_running(actor_of(script.person_id)).own


@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/json"])
def test_a_form_has_to_arrive_in_time(app, monkeypatch, accept):
    monkeypatch.setattr(upload_request, "LEAST_SECONDS", 0.02)
    monkeypatch.setattr(upload_request, "LEAST_SPEED", 1e9)
    script = Script(app)
    script.headers["Accept"] = accept
    form = SlowForm(iter(()))
    response = form.send(script)
    assert form.cut_off
    assert response.status_code == 408
    assert "The upload took too long. Nothing was stored. Send less at a time." in response.text
    assert stored(app) == (0, 0)


CHUNKED = {
    "CONTENT_LENGTH": "",
    "HTTP_TRANSFER_ENCODING": "chunked",
    "wsgi.input_terminated": True,
}


def test_a_form_of_unknown_size_has_the_time_for_what_has_arrived(app, monkeypatch):
    """Not the time for the largest form."""
    monkeypatch.setattr(upload_request, "LEAST_SECONDS", 0.001)
    monkeypatch.setattr(upload_request, "LEAST_SPEED", 1e6)
    form = SlowForm(iter(()), end=b"\r\n--x--\r\n")
    assert form.send(Script(app), **CHUNKED).status_code == 408
    assert form.cut_off
    # All of it takes longer than this, its first bytes do not.
    monkeypatch.setattr(upload_request, "LEAST_SECONDS", 0.02)
    monkeypatch.setattr(upload_request, "LEAST_SPEED", 1)
    form = SlowForm(iter(()), end=b"\r\n--x--\r\n")
    assert form.send(Script(app), **CHUNKED).status_code == 200
    assert stored(app) == (1, 1)
