"""The pages for administrators."""

import pytest

from app.auth import queries
from app.auth import services as auth
from tests.auth.helpers import is_signed_in
from tests.factories import OPERATOR, PASSWORD, Browser, add_person, add_token
from tests.html import Page


@pytest.fixture
def admin(as_role):
    """An administrator's browser; the administrator has id 1."""
    return as_role("admin")


@pytest.fixture
def other(app, admin):
    """The id of an editor."""
    with app.app_context():
        return add_person("Ada Lovelace", "editor")


def shown_password(response):
    """The first password that a page shows."""
    return Page(response).text("#first-password code")


def change(browser, person_id, what, data=None):
    """Send one of the forms on a person's page."""
    return browser.submit(f"/people/{person_id}/{what}", data, page="/people/new")


def test_list_shows_name_role_state_and_times(app, admin, other):
    with app.app_context():
        auth.invite_person(OPERATOR, "newcomer", "viewer")
        auth.set_active(OPERATOR, other, False)
    page = Page(admin.get("/people"))
    assert page.links("td.main a") == [f"/people/{other}", "/people/1", "/people/3"]
    assert page.texts("td.main") == ["Ada Lovelace", "admin you", "newcomer"]
    assert page.texts("td.sub") == ["Editor", "Administrator", "Viewer"]
    assert page.texts("td.state") == ["Disabled", "Active", "Invited"]
    times = page.texts("td.when:not(.added)")
    assert times[0] == times[2] == "Last sign-in never"


@pytest.mark.parametrize("path", ["/people", "/people/new", "/people/1"])
def test_pages_are_for_administrators(path, as_role, browser):
    assert browser.get(path).location.startswith("/login?next=/people")
    assert browser.client.get(path).status_code == 401
    for role in ("viewer", "editor"):
        response = as_role(role).get(path)
        assert response.status_code == 403
        assert "Your role does not include this." in Page(response).text("main")
    assert as_role("admin").get(path).status_code == 200


def test_token_of_an_administrator_is_not_enough(app, admin):
    with app.app_context():
        header = {"Authorization": f"Bearer {add_token(1)}"}
        person = add_person("victim")
    client = app.test_client()
    assert client.get("/people", headers=header).status_code == 403
    response = client.post("/people/new", data={"name": "x", "role": "admin"}, headers=header)
    assert response.status_code == 403
    assert response.json["error"] == "A token is not enough for this: sign in."
    assert client.post(f"/people/{person}/disable", headers=header).status_code == 403
    with app.app_context():
        assert len(queries.list_people(OPERATOR)) == 2


def test_person_is_added_and_their_first_password_shown_once(app, admin):
    response = admin.submit("/people/new", {"name": " Zoë ", "role": "editor"})
    assert response.status_code == 201
    assert response.headers["Cache-Control"] == "no-store"
    password = shown_password(response)
    with app.app_context():
        person = queries.find_person("zoë")
        assert (person.name, person.role, person.must_change_password) == ("Zoë", "editor", True)
    store = app.extensions["redis"]
    values = [store.get(key) for key in store.scan_iter("*") if store.type(key) == "string"]
    assert not any(password in text for text in values)
    assert password not in admin.get(f"/people/{person.id}").text
    assert Browser(app).sign_in("Zoë", password).status_code == 303


def test_form_sent_twice_makes_one_person(app, admin):
    data = {"name": "Zoë", "role": "viewer", "csrf_token": admin.token("/people/new")}
    headers = {"Accept": "text/html"}
    responses = [
        admin.client.post("/people/new", data=data, headers=headers) for _attempt in range(2)
    ]
    assert [response.status_code for response in responses] == [201, 422]
    assert Page(responses[1]).texts(".error-summary li") == ["This name is taken."]
    with app.app_context():
        assert len(queries.list_people(OPERATOR)) == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "", "role": "viewer"}, "Enter a name."),
        ({"name": "  ", "role": "viewer"}, "A name has 1 to 64 characters."),
        ({"name": "x" * 65, "role": "viewer"}, "A name has 1 to 64 characters."),
        ({"name": "ADMIN", "role": "viewer"}, "This name is taken."),
        ({"name": "Zoë", "role": "owner"}, "Choose one of the roles."),
    ],
)
def test_bad_input_is_refused_beside_the_field_and_shown_again(data, message, admin):
    response = admin.submit("/people/new", data)
    assert response.status_code == 422
    page = Page(response)
    assert page.texts(".field-error span:not(.visually-hidden)") == [f"Error: {message}"]
    assert page.one("#name")["value"] == data["name"]


def test_other_fields_of_a_person_cannot_be_set(app, admin):
    data = {"name": "Zoë", "role": "viewer", "must_change_password": "", "id": "77", "epoch": "9"}
    assert admin.submit("/people/new", data).status_code == 201
    with app.app_context():
        person = queries.find_person("Zoë")
        assert (person.id, person.must_change_password) == (2, True)
        assert person.session_epoch != 9


def test_role_is_changed_and_sessions_end(app, admin, other):
    theirs = Browser(app)
    theirs.sign_in("Ada Lovelace")
    response = change(admin, other, "role", {"role": "viewer"})
    assert (response.status_code, response.location) == (303, f"/people/{other}")
    notice = Page(admin.get(f"/people/{other}")).text(".notice-text")
    assert notice == "The role of Ada Lovelace was changed. They need to sign in again."
    assert not is_signed_in(theirs)
    with app.app_context():
        assert queries.load_person(other).role == "viewer"


@pytest.mark.parametrize("data", [{"role": "root"}, {"role": ""}, {}])
def test_a_role_that_does_not_exist_is_refused_beside_the_field(data, app, admin, other):
    response = change(admin, other, "role", data)
    assert response.status_code == 422
    page = Page(response)
    assert page.text("h1") == "Ada Lovelace"
    assert page.texts(".field-error span:not(.visually-hidden)") == [
        "Error: Choose one of the roles."
    ]
    with app.app_context():
        assert queries.load_person(other).role == "editor"


def test_disabled_person_is_out_at_once_and_enabled(app, admin, other):
    theirs = Browser(app)
    theirs.sign_in("Ada Lovelace")
    assert change(admin, other, "disable").status_code == 303
    assert not is_signed_in(theirs)
    assert (
        theirs.submit("/login", {"name": "Ada Lovelace", "password": PASSWORD}).status_code == 422
    )
    assert Page(admin.get(f"/people/{other}")).has(f'form[action^="/people/{other}/enable"]')
    assert change(admin, other, "enable").status_code == 303
    assert not is_signed_in(theirs)
    assert theirs.sign_in("Ada Lovelace").status_code == 303


def test_new_first_password_replaces_the_old_one(app, admin, other):
    theirs = Browser(app)
    theirs.sign_in("Ada Lovelace")
    response = change(admin, other, "password")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    password = shown_password(response)
    assert not is_signed_in(theirs)
    assert (
        theirs.submit("/login", {"name": "Ada Lovelace", "password": PASSWORD}).status_code == 422
    )
    assert theirs.sign_in("Ada Lovelace", password).status_code == 303
    assert theirs.get("/account").location == "/account/password?next=/account"


@pytest.mark.parametrize("what", ["role", "disable", "password"])
def test_administrators_cannot_lock_themselves_out(what, app, admin):
    assert "This is you" in Page(admin.get("/people/1")).texts("h2")
    with app.app_context():
        before = queries.load_person(1).session_epoch
    response = change(admin, 1, what, {"role": "viewer"})
    assert response.status_code == 403
    assert "Ask another administrator." in Page(response).text("main")
    with app.app_context():
        person = queries.load_person(1)
        assert (person.role, person.active, person.session_epoch) == ("admin", True, before)


@pytest.mark.parametrize("what", ["role", "disable", "enable", "password"])
def test_changes_are_posts_with_a_token(what, admin, other):
    path = f"/people/{other}/{what}"
    assert admin.get(path).status_code == 405
    assert admin.client.post(path, headers={"Accept": "text/html"}).status_code == 400
    assert change(admin, 999, what, {"role": "viewer"}).status_code == 404
    assert change(admin, "9" * 30, what, {"role": "viewer"}).status_code == 404
    assert change(admin, "２", what, {"role": "viewer"}).status_code == 404


def test_missing_person_is_404(admin):
    for path in ("/people/999", "/people/" + "9" * 18, "/people/" + "9" * 40, "/people/-1"):
        assert admin.get(path).status_code == 404


def test_names_are_shown_as_text(app, admin):
    name = "<b onclick=x>&\"'"
    with app.app_context():
        person = add_person(name)
    for path, selector in (("/people", f'a[href="/people/{person}"]'), (f"/people/{person}", "h1")):
        page = Page(admin.get(path))
        assert page.text(selector) == name
        assert not page.has("b[onclick]")


def test_the_page_of_a_person_has_what_the_history_says_about_them(app, as_role):
    admin = as_role("admin")
    with app.app_context():
        person_id = add_person("Ada")
    page = Page(admin.get(f"/people/{person_id}"))
    assert page.texts(".crumbs a") == ["People"]
    assert page.text(".side .feed-none") == "No changes have been recorded."
    admin.submit(f"/people/{person_id}/role", {"role": "editor"}, page=f"/people/{person_id}")
    feed = Page(admin.get(f"/people/{person_id}")).text(".side .feed li")
    assert feed.startswith("A You changed the role of this person just now")
    assert "Viewer" in feed
    assert "Editor" in feed


def test_the_page_of_a_person_has_facts_and_forms_left_and_the_history_right(admin, other):
    page = Page(admin.get(f"/people/{other}"))
    headings = page.texts(".two > :not(.side) h2")
    assert headings == ["Details", "Forgotten password", "Access"]
    assert page.texts(".side h2") == ["History"]
    assert page.texts(".side .facts") == []
