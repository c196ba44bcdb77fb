"""What somebody with a first password meets: their own must be chosen before anything else."""

from datetime import timedelta

import pytest

from app.auth import queries
from app.auth import services as auth
from app.database.engine import db
from app.times import now
from tests.factories import HTML, OPERATOR, PASSWORD, Browser


@pytest.fixture
def invited(app):
    """The id and first password of a newcomer who may do everything."""
    with app.app_context():
        return auth.invite_person(OPERATOR, "newcomer", "admin")


@pytest.fixture
def newcomer(app, invited):
    """Their browser, signed in with the first password."""
    browser = Browser(app)
    browser.sign_in("newcomer", invited[1])
    return browser


@pytest.mark.parametrize(
    "path", ["/cities", "/files", "/people", "/people/1", "/account", "/session"]
)
def test_every_page_leads_to_the_choice_of_a_password(path, newcomer):
    answer = newcomer.get(path)
    assert (answer.status_code, answer.location) == (303, "/account/password")


def test_writes_lead_there_too_and_change_nothing(app, newcomer):
    answer = newcomer.submit("/people/1/disable", page="/account/password")
    assert (answer.status_code, answer.location) == (303, "/account/password")
    with app.app_context():
        assert queries.load_person(1).active


def test_json_clients_are_told_in_a_sentence(newcomer):
    answer = newcomer.client.get("/cities", headers={"Accept": "application/json"})
    assert answer.status_code == 403
    assert answer.json["error"].startswith("Choose a password of your own first")


def test_public_pages_and_switches_and_sign_out_go_on(newcomer):
    for path in ("/numbers", "/healthz", "/login"):
        assert newcomer.get(path).status_code in (200, 303)
        assert newcomer.get(path).location != "/account/password"
    answer = newcomer.submit(
        "/preferences", {"language": "zh", "next": "/account/password"}, page="/account/password"
    )
    assert (answer.status_code, answer.location) == (303, "/account/password")
    assert 'lang="zh-CN"' in newcomer.get("/account/password").text
    assert newcomer.submit("/logout", page="/account/password").location == "/login"
    assert newcomer.get("/account").location.startswith("/login")


def test_reading_that_is_open_to_all_is_open_to_them(make_app):
    app = make_app(PUBLIC_READ="1")
    with app.app_context():
        _id, password = auth.invite_person(OPERATOR, "newcomer", "viewer")
    browser = Browser(app)
    browser.sign_in("newcomer", password)
    assert browser.get("/cities").status_code == 200
    assert browser.get("/files").location == "/account/password"


def test_own_password_opens_everything(newcomer, invited):
    page = newcomer.get("/account/password").text
    assert "You signed in with a first password" in page
    fields = {"current": invited[1], "password": PASSWORD, "again": PASSWORD}
    answer = newcomer.submit("/account/password", fields)
    assert (answer.status_code, answer.location) == (303, "/account")
    assert newcomer.get("/people").status_code == 200


def test_first_password_itself_cannot_be_kept(newcomer, invited):
    fields = {"current": invited[1], "password": invited[1], "again": invited[1]}
    answer = newcomer.submit("/account/password", fields)
    assert answer.status_code == 422
    assert "Choose a password other than the current one." in answer.text


def test_first_password_that_was_not_used_in_time_lets_nobody_in(app, invited, browser):
    person_id, password = invited
    with app.app_context():
        queries.load_person(person_id).password_ends_at = now() - timedelta(seconds=1)
        db.session.commit()
    answer = browser.submit("/login", {"name": "newcomer", "password": password})
    assert answer.status_code == 422
    assert "This first password has expired." in answer.text
    # Who does not know it learns nothing.
    answer = browser.submit("/login", {"name": "newcomer", "password": "wrong one"})
    assert "Name and password do not match." in answer.text
    assert browser.client.get("/account", headers=HTML).status_code == 303
