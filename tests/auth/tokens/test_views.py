"""The page of one's own tokens."""

import re

import pytest

from app.auth.models import TOKEN_LABEL_LENGTH
from app.auth.tokens import services as tokens
from tests.factories import actor_of
from tests.files.helpers import Script
from tests.html import Page

PAGE = "/account/tokens"


def create_token(browser, label="nightly"):
    """The text of a new token, from the one response that shows it."""
    page = browser.submit(PAGE, {"label": label})
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    found = re.fullmatch(r"export GAZETTEER_TOKEN=(gz_[\w-]{43})", Page(page).text("#token"))
    assert found
    return found[1]


def status_with(app, token):
    """The status of a response to a script with this token."""
    headers = {"Authorization": f"Bearer {token}"}
    return app.test_client().get("/files/1", headers=headers).status_code


def test_a_token_is_shown_once(app, as_role):
    browser = as_role("editor")
    token = create_token(browser)
    response = browser.get(PAGE)
    assert token not in response.text
    assert Page(response).texts("td.main") == ["nightly"]
    assert Page(response).texts("td.sub") == ["never used"]
    assert status_with(app, token) == 404
    assert Page(browser.get(PAGE)).texts("td.sub") != ["never used"]


def test_a_token_can_be_revoked_by_its_owner_only(app, as_role):
    editor, viewer = as_role("editor"), as_role("viewer")
    token = create_token(editor)
    assert viewer.submit(f"{PAGE}/1/revoke", page=PAGE).status_code == 404
    assert status_with(app, token) == 404
    response = editor.submit(f"{PAGE}/1/revoke", page=PAGE)
    assert (response.status_code, response.location) == (303, PAGE)
    assert status_with(app, token) == 401
    page = Page(editor.get(PAGE))
    assert page.text(".said-text") == "Token revoked."
    assert page.text(".empty") == "You have no tokens yet."
    # The button of a page that was open in another tab.
    assert editor.submit(f"{PAGE}/1/revoke", page=PAGE).status_code == 303
    assert editor.submit(f"{PAGE}/99/revoke", page=PAGE).status_code == 404


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("", "Enter what the token is for."),
        ("  ", "A label has 1 to 64 characters."),
        ("x" * 65, "A label has 1 to 64 characters."),
    ],
)
def test_an_invalid_label_is_refused_beside_the_field(label, message, as_role):
    response = as_role("viewer").submit(PAGE, {"label": label})
    assert response.status_code == 422
    page = Page(response)
    assert page.text("#label-error") == f"Error: {message}"
    assert page.one("#label")["maxlength"] == str(TOKEN_LABEL_LENGTH)


def test_tokens_neither_create_nor_revoke_tokens(app):
    script = Script(app)
    response = script.client.post(PAGE, data={"label": "heir"}, headers=script.headers)
    assert response.status_code == 403
    response = script.client.post(f"{PAGE}/1/revoke", headers=script.headers)
    assert response.status_code == 403
    assert script.get(PAGE).status_code == 403
    with app.app_context():
        assert len(tokens.list_tokens(actor_of(script.person_id))) == 1


def test_creating_one_needs_a_csrf_token_and_a_sign_in(as_role, browser):
    assert as_role("editor").client.post(PAGE, data={"label": "x"}).status_code == 400
    assert browser.client.post(PAGE, data={"label": "x"}).status_code in (400, 401)
    assert as_role("viewer").get(f"{PAGE}/1/revoke").status_code == 405


def test_the_page_is_in_the_menu_and_linked_with_the_examples(as_role):
    viewer = as_role("viewer")
    for path in ("/account", "/files/scripts"):
        assert Page(viewer.get(path)).has(f'a[href="{PAGE}"]')
    assert Page(viewer.get(PAGE)).has('a[href="/files/scripts"]')
    assert viewer.submit("/files/scripts", {"label": "x"}, page=PAGE).status_code == 405
