"""People with a first password have to set their own before anything else."""

from datetime import timedelta

import pytest

from app.auth import queries
from app.auth import services as auth
from app.database.engine import db
from app.times import now
from tests.auth.helpers import is_signed_in
from tests.factories import HTML, OPERATOR, PASSWORD, Browser
from tests.html import Page

OWN = "/account/password"
ASKED = "/cities?q=%E5%8C%97&sort=users"


def home(browser):
    """Where the mark of the bar leads."""
    return Page(browser.get("/numbers")).one("a.brand")["href"]


def choose_password(browser, page, current, **fields):
    """Send the form for one's own password as it is on a page."""
    form = Page(browser.get(page)).one(f"form[action^='{OWN}']")
    hidden = {each["name"]: each.get("value", "") for each in form.select("[type=hidden]")}
    typed = {"current": current, "password": PASSWORD, "again": PASSWORD, **fields}
    return browser.client.post(form["action"], data={**hidden, **typed}, headers=HTML)


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
    "path", ["/", "/cities", "/files", "/people", "/people/1", "/account", "/session"]
)
def test_every_page_redirects_to_the_new_password(path, newcomer):
    response = newcomer.get(path)
    assert (response.status_code, response.location) == (303, f"{OWN}?next={path}")


def test_writes_redirect_there_too_and_change_nothing(app, newcomer):
    response = newcomer.submit("/people/1/disable", page="/account/password")
    assert (response.status_code, response.location) == (303, f"{OWN}?next=/")
    with app.app_context():
        assert queries.load_person(1).active


def test_json_clients_get_403_with_a_message(newcomer):
    response = newcomer.client.get("/cities", headers={"Accept": "application/json"})
    assert response.status_code == 403
    assert response.json["error"].startswith("Set your own password first")


def test_public_pages_preferences_and_sign_out_still_work(newcomer):
    for path in ("/numbers", "/healthz", "/login"):
        assert newcomer.get(path).status_code in (200, 303)
        assert not (newcomer.get(path).location or "").startswith(OWN)
    response = newcomer.submit(
        "/preferences", {"language": "zh", "next": "/account/password"}, page="/account/password"
    )
    assert (response.status_code, response.location) == (303, "/account/password")
    assert Page(newcomer.get("/account/password")).has('html[lang="zh-CN"]')
    assert newcomer.submit("/logout", page="/account/password").location == "/login?why=out"
    assert not is_signed_in(newcomer)


def test_pages_that_anybody_may_read_are_open_to_them(make_app):
    app = make_app(PUBLIC_READ="1")
    with app.app_context():
        _id, password = auth.invite_person(OPERATOR, "newcomer", "viewer")
    browser = Browser(app)
    browser.sign_in("newcomer", password)
    assert browser.get("/cities").status_code == 200
    assert browser.get("/files").location == f"{OWN}?next=/files"


def test_own_password_opens_everything(newcomer, invited):
    notice = Page(newcomer.get("/account/password")).text(".notice-text")
    assert notice.startswith("You signed in with a first password")
    response = choose_password(newcomer, OWN, invited[1])
    assert response.status_code == 303
    assert Page(newcomer.get("/account")).text(".notice-text") == "Your password was set."
    assert response.location == home(newcomer)
    assert newcomer.get("/people").status_code == 200


def test_a_new_person_goes_on_to_the_page_that_they_requested(app, invited, browser):
    browser.submit("/login", {"name": "newcomer", "password": invited[1], "next": ASKED})
    page = browser.get(ASKED).location
    wrong = choose_password(browser, page, invited[1], again="something else")
    assert wrong.status_code == 422
    assert Page(wrong).one(f"form[action^='{OWN}'] [name=next]")["value"] == ASKED
    assert choose_password(browser, page, invited[1]).location == ASKED
    assert browser.get(ASKED).status_code == 200


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/account/password"])
def test_and_to_no_other_site(newcomer, invited, target):
    page = f"{OWN}?next={target}"
    assert choose_password(newcomer, page, invited[1]).location == home(newcomer)


def test_first_password_cannot_be_chosen_again(newcomer, invited):
    fields = {"current": invited[1], "password": invited[1], "again": invited[1]}
    response = newcomer.submit("/account/password", fields)
    assert response.status_code == 422
    message = "Choose a password other than the current one."
    assert Page(response).texts(".error-summary li") == [message]


def test_expired_first_password_signs_nobody_in(app, invited, browser):
    person_id, password = invited
    with app.app_context():
        queries.load_person(person_id).password_ends_at = now() - timedelta(seconds=1)
        db.session.commit()
    response = browser.submit("/login", {"name": "newcomer", "password": password})
    assert response.status_code == 422
    message = "This first password has expired. Ask an administrator for a new one."
    assert Page(response).texts(".error-summary li") == [message]
    # Only who knows it sees that it has expired.
    response = browser.submit("/login", {"name": "newcomer", "password": "wrong one"})
    assert Page(response).texts(".error-summary li") == ["Name and password do not match."]
    assert browser.client.get("/account", headers=HTML).status_code == 303
