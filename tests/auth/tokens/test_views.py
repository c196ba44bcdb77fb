"""The page of one's own tokens."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from app.auth.models import TOKEN_LABEL_LENGTH, TOKENS_MOST, ApiToken
from app.auth.tokens import services as tokens
from app.database.engine import db
from app.times import now
from tests.factories import PASSWORD, actor_of, add_token
from tests.files.helpers import Script
from tests.html import Page

PAGE = "/account/tokens"


def create_token(browser, label="nightly", **fields):
    """The text of a new token, from the one response that shows it."""
    page = browser.submit(PAGE, {"label": label, "password": PASSWORD, **fields})
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
    assert page.text(".notice-text") == "Token revoked."
    assert page.text(".empty") == "You have no tokens yet."
    # The button of a page that was open in another tab.
    assert editor.submit(f"{PAGE}/1/revoke", page=PAGE).status_code == 303
    assert editor.submit(f"{PAGE}/99/revoke", page=PAGE).status_code == 404


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("", "Enter what the token is for."),
        ("  ", "A label is one line of 1 to 64 characters."),
        ("x" * 65, "A label is one line of 1 to 64 characters."),
    ],
)
def test_an_invalid_label_is_refused_beside_the_field(label, message, as_role):
    response = as_role("viewer").submit(PAGE, {"label": label, "password": PASSWORD})
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


def test_the_password_is_asked_again(app, as_role):
    editor = as_role("editor")
    for password, message in (
        ("", "Enter your current password."),
        ("wrong", "This is not your current password."),
    ):
        response = editor.submit(PAGE, {"label": "x", "password": password})
        assert response.status_code == 422
        assert Page(response).text("#password-error") == f"Error: {message}"
        assert not Page(response).one("#password")["value"]
    assert Page(editor.get(PAGE)).has("form.form #password[autocomplete=current-password]")
    for _attempt in range(4):
        editor.submit(PAGE, {"label": "x", "password": "wrong"})
    response = editor.submit(PAGE, {"label": "x", "password": PASSWORD})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    with app.app_context():
        assert db.session.query(ApiToken).count() == 0


@pytest.mark.parametrize(("fields", "days"), [({}, 90), ({"days": "30"}, 30), ({"days": ""}, 90)])
def test_it_expires_and_the_page_says_when(app, as_role, fields, days):
    editor = as_role("editor")
    assert Page(editor.get(PAGE)).one("#days option[selected]")["value"] == "90"
    create_token(editor, **fields)
    with app.app_context():
        ends = db.session.get(ApiToken, 1).ends_at
    assert timedelta(days=days - 1) < ends - now() <= timedelta(days=days)
    shown = Page(editor.get(PAGE)).texts("tbody td")[2]
    assert str(ends.astimezone(ZoneInfo("Asia/Shanghai")).year) in shown


def test_other_periods_are_refused(as_role):
    for days in ("0", "-1", "36500", "x", "９０"):
        fields = {"label": "x", "password": PASSWORD, "days": days}
        response = as_role("editor").submit(PAGE, fields)
        assert response.status_code == 422
        assert Page(response).text("#days-error") == "Error: Choose one of the periods."


def test_an_expired_token_is_refused_and_still_listed(app, as_role):
    editor = as_role("editor")
    token = create_token(editor)
    with app.app_context():
        db.session.get(ApiToken, 1).expires_at = now() - timedelta(seconds=1)
        db.session.commit()
    headers = {"Authorization": f"Bearer {token}"}
    for _attempt in range(25):  # it is not a guess
        response = app.test_client().get("/files", headers=headers)
        assert response.status_code == 401
        assert response.json["error"] == "This token has expired. Create a new one."
    assert Page(editor.get(PAGE)).text("tbody .chip") == "Expired"
    with app.app_context():
        db.session.get(ApiToken, 1).expires_at = now() - timedelta(days=31)
        db.session.commit()
    assert Page(editor.get(PAGE)).text(".empty") == "You have no tokens yet."


def test_the_last_use_has_an_address(app, as_role):
    editor = as_role("editor")
    headers = {"Authorization": f"Bearer {create_token(editor)}"}
    place = {"environ_base": {"REMOTE_ADDR": "2001:db8::7"}}
    assert app.test_client().get("/files", headers=headers, **place).status_code == 200
    assert "from 2001:db8::7" in Page(editor.get(PAGE)).text("td.sub")


def test_a_person_has_at_most_twenty(app, as_role):
    editor = as_role("editor")
    with app.app_context():
        for number in range(TOKENS_MOST):
            add_token(1, f"token {number}")
    response = editor.submit(PAGE, {"label": "one more", "password": PASSWORD})
    assert response.status_code == 409
    message = "You have 20 tokens. Revoke one that you no longer need."
    assert Page(response).texts(".error-summary li") == [message]
    editor.submit(f"{PAGE}/1/revoke", page=PAGE)
    create_token(editor)


def test_administrators_see_and_revoke_tokens_on_the_page_of_a_person(app, as_role):
    editor, admin = as_role("editor"), as_role("admin")
    token = create_token(editor)
    page = Page(admin.get("/people/1"))
    assert page.texts("td.main") == ["nightly"]
    address = page.one("td.acts button")["formaction"]
    assert address == "/people/1/tokens/1/revoke"
    assert admin.submit("/people/2/tokens/1/revoke", page="/people/1").status_code == 404
    assert editor.submit(address, page="/account").status_code == 403
    assert status_with(app, token) == 404
    response = admin.submit(address, page="/people/1")
    assert (response.status_code, response.location) == (303, "/people/1")
    assert status_with(app, token) == 401
    page = Page(admin.get("/people/1"))
    assert page.text(".notice-text") == "Token revoked."
    assert not page.has("td.main")


@pytest.mark.parametrize(("ticked", "status"), [(True, 401), (False, 404)])
def test_a_new_password_revokes_them_unless_the_box_is_cleared(app, as_role, ticked, status):
    editor = as_role("editor")
    assert not Page(editor.get("/account/password")).has("#revoke_tokens")
    token = create_token(editor)
    create_token(editor)
    page = Page(editor.get("/account/password"))
    assert page.has("#revoke_tokens[checked]")
    assert page.text("label[for=revoke_tokens]") == "Revoke my 2 tokens"
    fields = {"current": PASSWORD, "password": "another password", "again": "another password"}
    if ticked:
        fields["revoke_tokens"] = "y"
    response = editor.submit("/account/password", fields)
    assert response.status_code == 303
    assert status_with(app, token) == status
    notice = Page(editor.get("/account")).text(".notice-text")
    assert ("tokens have ended" in notice) is ticked
