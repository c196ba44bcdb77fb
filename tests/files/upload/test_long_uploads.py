"""Uploads in progress end with the account; a form has to arrive in time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.auth import services as auth
from app.auth.tokens import services as tokens
from app.database.engine import db
from app.files.models import File
from app.files.upload import request as upload_request
from tests.factories import HTML, OPERATOR, PASSWORD, Browser, actor_of
from tests.files.helpers import PDF, Script, on_disk


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


def test_a_session_that_was_signed_out_stores_nothing(app, monkeypatch):
    Script(app)
    browser, other = Browser(app), Browser(app)
    browser.sign_in("editor's script", PASSWORD)
    cookie = browser.client.get_cookie("gz")
    other.client.set_cookie(cookie.key, cookie.value)
    read_in_time = upload_request.read_in_time

    def read_and_sign_out():
        read_in_time()
        with ThreadPoolExecutor() as pool:
            pool.submit(other.submit, "/logout", page="/cities").result()

    token = browser.token("/files")
    monkeypatch.setattr(upload_request, "read_in_time", read_and_sign_out)
    form = Script(app, role=None)
    form.client, form.headers = browser.client, dict(HTML)
    field = (b'name="csrf_token"', token.encode())
    assert form.upload_parts(field, (b'filename="a.txt"', b"x")).status_code == 401
    assert stored(app) == (0, 0)
