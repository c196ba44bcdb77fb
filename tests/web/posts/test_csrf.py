"""The tokens of members, and those that the previous release has rendered."""

import json

import pytest
from itsdangerous import URLSafeTimedSerializer

from tests.applications import KEY
from tests.factories import HTML, Browser, csrf_token


@pytest.fixture
def viewer(as_role):
    return as_role("viewer")


def secret_of(app):
    """The secret of the only session."""
    store = app.extensions["redis"]
    (key,) = [key for key in store.keys("gz:session:*") if key.count(":") == 2]
    return json.loads(store.get(key))["csrf_token"]


def clear(browser, **sent):
    """Send a form of the page Session; returns the status."""
    return browser.client.post("/session/clear", headers=HTML, **sent).status_code


def old_token(secret, key=KEY):
    """A token of Flask-WTF, as the previous release rendered it."""
    return URLSafeTimedSerializer(key, salt="wtf-csrf-token").dumps(secret)


def test_the_token_is_that_of_the_session_on_every_page(viewer, as_role):
    token = viewer.token("/session")
    assert token == viewer.token("/account")
    assert token != as_role("editor").token("/account")
    assert clear(viewer, data={"csrf_token": token}) == 303
    viewer.submit("/logout", page="/account")
    viewer.sign_in("viewer")
    assert clear(viewer, data={"csrf_token": token}) == 400


def test_it_may_be_sent_as_a_header(viewer):
    token = viewer.token("/session")
    headers = {**HTML, "X-CSRFToken": token}
    assert viewer.client.post("/session/clear", headers=headers).status_code == 303


def test_tokens_of_the_previous_release_are_taken(app, viewer):
    secret = secret_of(app)
    assert clear(viewer, data={"csrf_token": old_token(secret)}) == 303
    for wrong in (old_token("x" * 40), old_token(secret, "x" * 64), secret):
        assert clear(viewer, data={"csrf_token": wrong}) == 400


def test_the_secret_is_not_on_the_page(app, viewer):
    assert secret_of(app) not in viewer.get("/session").text


@pytest.mark.parametrize("token", ["", "x", "v1.", "深圳", "v1." + "A" * 43, b"\xff", "\x00"])
def test_other_tokens_are_refused(token, viewer):
    assert clear(viewer, data={"csrf_token": token}) == 400


def test_a_part_without_a_name_is_not_a_token(app, viewer):
    token = csrf_token(viewer.get("/session").text)
    body = f"--b\r\nContent-Disposition: form-data\r\n\r\n{token}\r\n--b--\r\n"
    kind = "multipart/form-data; boundary=b"
    assert clear(viewer, data=body, content_type=kind) == 400
    assert clear(Browser(app), data=body, content_type=kind) == 303
