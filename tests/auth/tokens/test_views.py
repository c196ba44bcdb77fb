"""The page of one's own tokens."""

import re

import pytest

from app.auth.models import TOKEN_LABEL_LENGTH
from app.auth.tokens import services as tokens
from tests.factories import actor_of
from tests.files.helpers import Script

PAGE = "/account/tokens"


def make_token(browser, label="nightly"):
    """The text of a new token, from the one answer that shows it."""
    page = browser.submit(PAGE, {"label": label})
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    found = re.search(r"export GAZETTEER_TOKEN=(gz_[\w-]{43})", page.text)
    assert found
    return found[1]


def asked_with(app, token):
    """The status of an answer to a script with this token."""
    headers = {"Authorization": f"Bearer {token}"}
    return app.test_client().get("/files/1", headers=headers).status_code


def test_a_token_is_shown_once(app, as_role):
    browser = as_role("editor")
    token = make_token(browser)
    page = browser.get(PAGE).text
    assert token not in page
    assert "nightly" in page
    assert "never used" in page
    assert asked_with(app, token) == 404
    assert "never used" not in browser.get(PAGE).text


def test_a_token_can_be_revoked_by_its_owner_only(app, as_role):
    editor, viewer = as_role("editor"), as_role("viewer")
    token = make_token(editor)
    assert viewer.submit(f"{PAGE}/1/revoke", page=PAGE).status_code == 404
    assert asked_with(app, token) == 404
    answer = editor.submit(f"{PAGE}/1/revoke", page=PAGE)
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert asked_with(app, token) == 401
    page = editor.get(PAGE).text
    assert "Token revoked." in page
    assert "You have no tokens yet." in page
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
def test_a_label_that_breaks_a_rule_is_refused_beside_the_field(label, message, as_role):
    answer = as_role("viewer").submit(PAGE, {"label": label})
    assert answer.status_code == 422
    assert "field-error" in answer.text
    assert message in answer.text
    assert f'maxlength="{TOKEN_LABEL_LENGTH}"' in answer.text


def test_tokens_neither_make_nor_revoke_tokens(app):
    script = Script(app)
    answer = script.client.post(PAGE, data={"label": "heir"}, headers=script.headers)
    assert answer.status_code == 403
    answer = script.client.post(f"{PAGE}/1/revoke", headers=script.headers)
    assert answer.status_code == 403
    assert script.get(PAGE).status_code == 403
    with app.app_context():
        assert len(tokens.list_tokens(actor_of(script.person_id))) == 1


def test_making_one_needs_a_csrf_token_and_a_sign_in(as_role, browser):
    assert as_role("editor").client.post(PAGE, data={"label": "x"}).status_code == 400
    assert browser.client.post(PAGE, data={"label": "x"}).status_code in (400, 401)
    assert as_role("viewer").get(f"{PAGE}/1/revoke").status_code == 405


def test_the_page_is_in_the_menu_and_linked_with_the_examples(as_role):
    viewer = as_role("viewer")
    for path in ("/account", "/files/scripts"):
        assert f'href="{PAGE}"' in viewer.get(path).text
    assert 'href="/files/scripts"' in viewer.get(PAGE).text
    assert viewer.submit("/files/scripts", {"label": "x"}, page=PAGE).status_code == 405
