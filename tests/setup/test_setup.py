"""Claiming a new installation by its one-time link."""

from functools import partial

import pytest
from sqlalchemy import func, select

from app.actor import ANONYMOUS, Role
from app.auth import passwords, queries
from app.auth import services as auth
from app.auth.models import NAME_LENGTH, PASSWORD_LONGEST, PASSWORD_SHORTEST
from app.auth.sign_in.limits import WRONG_PER_ADDRESS
from app.cities.models import City
from app.cities.services import SAMPLE_COUNT, read_sample
from app.concurrency import run_in_thread
from app.database.engine import db
from app.errors import Conflict, NotFound, TooMany
from app.setup import services
from tests.factories import (
    HTML,
    OPERATOR,
    PASSWORD,
    Browser,
    at_once,
    claim,
    csrf_token,
    entries,
)
from tests.html import Page

FIELDS = {"name": "林小梅", "password": PASSWORD, "again": PASSWORD, "sample": "y"}


@pytest.fixture
def link(app):
    """The set-up link of a new installation."""
    with app.app_context():
        return services.create_link_path()


def token_of(link):
    """The secret at the end of a link."""
    return link.rpartition("/")[2]


def count_cities():
    return db.session.scalar(select(func.count()).select_from(City))


def test_link_makes_the_administrator_and_the_sample_cities(app, browser, link):
    page = Page(browser.get(link))
    assert page.has("input[name=sample][checked]")
    assert page.text("label[for=sample]") == f"Add the {SAMPLE_COUNT} sample cities of China"
    response = browser.submit(link, FIELDS)
    assert (response.status_code, response.location) == (303, "/")
    notice = Page(browser.get("/account")).text(".notice-text")
    assert notice == "Welcome. Gazetteer is ready."
    assert browser.get("/people").status_code == 200
    with app.app_context():
        person = queries.load_person(1)
        assert (person.name, person.role, person.state) == ("林小梅", "admin", "active")
        assert count_cities() == SAMPLE_COUNT


def test_a_claim_can_be_traced_to_its_request(app, browser, link):
    response = browser.submit(link, FIELDS)
    with app.app_context():
        found = entries()
        assert {entry.action for entry in found} == {"person.create", "city.create"}
        assert {entry.request_id for entry in found} == {response.headers["X-Request-ID"]}


def test_the_page_shows_the_limits_of_the_model(browser, link):
    limits = f"{PASSWORD_SHORTEST} to {PASSWORD_LONGEST} characters of any kind."
    page = Page(browser.get(link))
    assert page.text("#password-help") == limits
    assert page.one("#name")["maxlength"] == str(NAME_LENGTH)
    assert not page.has("#password[maxlength]"), "a longer one would be cut without a word"


def test_sample_cities_can_be_left_out(app, browser, link):
    data = {name: text for name, text in FIELDS.items() if name != "sample"}
    assert browser.submit(link, data).status_code == 303
    with app.app_context():
        assert count_cities() == 0


def test_an_adopted_register_gets_no_sample_cities(app, browser, link):
    with app.app_context():
        db.session.add(City(provincename="广东", cityname="深圳市", usernumber=1))
        db.session.commit()
    assert not Page(browser.get(link)).has("[name=sample]")
    assert browser.submit(link, FIELDS).status_code == 303  # "sample" is sent all the same
    with app.app_context():
        assert count_cities() == 1


def test_what_was_added_while_the_page_was_open_stays_alone(any_app):
    db.session.add(City(provincename="广东", cityname="深圳市", usernumber=1))
    db.session.commit()
    claim("林小梅", with_sample=True)
    assert count_cities() == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "Enter a name."),
        ({"password": "short", "again": "short"}, "A password has 8 to 256 characters."),
        ({"again": "something else"}, "The two passwords differ."),
        ({"name": "somebody new", "password": "Somebody New", "again": "Somebody New"},
         "The password must not be the name."),
    ],
)  # fmt: skip
def test_bad_input_is_reported_and_changes_nothing(fields, message, app, browser, link):
    response = browser.submit(link, {**FIELDS, **fields})
    assert response.status_code == 422
    assert message in Page(response).text(".field-error")
    with app.app_context():
        assert not queries.any_person_exists()
        assert count_cities() == 0


def test_link_works_once(browser, app, link):
    second = Browser(app)
    token = second.token(link)
    assert browser.submit(link, FIELDS).status_code == 303
    again = second.get(link)
    assert again.status_code == 404
    page = Page(again)
    assert page.text("h1") == "This link was already used"
    assert page.texts("main p") == [
        "Gazetteer is set up. Sign in, or ask the person who used the link to add you."
    ]
    assert page.links("main a.btn-primary") == ["/login"]
    assert page.has("button[name=language]")
    assert page.has("button[name=scheme]")
    as_json = second.client.get(link, headers={"Accept": "application/json"})
    assert as_json.status_code == 404
    assert as_json.json["error"].startswith("This link was already used.")
    first = Page(browser.get(link))  # of whoever used it, and is signed in
    assert first.links("main a.btn-primary") == ["/"]
    data = {**FIELDS, "name": "somebody else", "csrf_token": token}
    assert second.client.post(link, data=data, headers=HTML).status_code == 404
    with app.app_context():
        (first,) = queries.list_people(OPERATOR)
        assert first.signed_in_at is not None


def test_wrong_and_old_links_are_not_found(app, browser, link, make_app):
    other_key = make_app(SECRET_KEY="x" * 64)
    with other_key.app_context():
        foreign = services.create_link_path()
    with app.app_context():
        signer = services.signer()
        early = signer.make_signer(signer.salt)
        early.get_timestamp = lambda: 1_700_000_000
        old = "/setup/" + early.sign(signer.dump_payload("first administrator")).decode()
    for path in (old, foreign, link[:-1], link + "x", "/setup/x", "/setup/"):
        assert browser.get(path).status_code == 404
        assert browser.submit(path, FIELDS, page="/login").status_code == 404


def test_wrong_links_are_slowed(browser):
    for _try in range(20):
        assert browser.get("/setup/guess").status_code == 404
    response = browser.get("/setup/guess")
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0


def test_two_who_claim_at_once_are_one_winner_and_one_who_is_told(any_app):
    token = token_of(services.create_link_path())
    people = [auth.prepare_person(name, PASSWORD, Role.ADMIN) for name in ("one", "two")]
    # Both have found the link unused.
    add = partial(services.add_administrator, ANONYMOUS, token)
    results = at_once(any_app, *[partial(add, person, read_sample()) for person in people])
    assert results.count(1) == 1
    [refusal] = [result for result in results if isinstance(result, Exception)]
    assert isinstance(refusal, Conflict)
    assert "already has an administrator" in refusal.message
    db.session.rollback()
    assert len(queries.list_people(OPERATOR)) == 1
    assert count_cities() == SAMPLE_COUNT


def test_the_slower_of_two_claims_is_refused_with_a_reason(app, browser, link, monkeypatch):
    def let_the_other_be_faster(*args):
        # The other one's commit falls between the check of the link and the insert.
        with app.app_context():
            person = auth.prepare_person("faster", PASSWORD, Role.ADMIN)
            services.add_administrator(ANONYMOUS, token_of(link), person, [])
        return auth.prepare_person(*args)

    token = browser.token(link)
    monkeypatch.setattr(services, "prepare_person", let_the_other_be_faster)
    data = {**FIELDS, "csrf_token": token}
    response = browser.client.post(link, data=data, headers=HTML)
    assert response.status_code == 409
    refusal = Page(response).text(".error-summary")
    assert "This installation already has an administrator." in refusal
    response = browser.client.post(link, data=data, headers=HTML)
    assert response.status_code == 404


@pytest.mark.parametrize("token", ["", "guess", "expired"])
def test_services_themselves_refuse_a_wrong_link(token, any_app, monkeypatch):
    if token == "expired":
        monkeypatch.setattr(services, "LINK_SECONDS", -1)
        token = token_of(services.create_link_path())
    person = auth.prepare_person("stranger", PASSWORD, Role.ADMIN)
    with pytest.raises(NotFound):
        services.claim(ANONYMOUS, token, "192.0.2.1", "stranger", PASSWORD, False)
    with pytest.raises(NotFound):
        services.add_administrator(ANONYMOUS, token, person, [])
    assert not queries.any_person_exists()


def test_services_themselves_refuse_a_used_link_and_count_it(any_app):
    token = token_of(services.create_link_path())
    again = partial(services.claim, ANONYMOUS, token, "192.0.2.1", "second", PASSWORD, False)
    claim("first")
    for _attempt in range(WRONG_PER_ADDRESS):
        with pytest.raises(NotFound, match="already used"):
            again()
    with pytest.raises(TooMany):
        again()
    assert len(queries.list_people(OPERATOR)) == 1


def test_link_is_not_written_to_the_log(browser, link, caplog):
    caplog.set_level("DEBUG")
    browser.submit(link, FIELDS)
    browser.client.post(link, headers=HTML)
    secret = link.rsplit("/", 1)[1]
    lines = [f"{record.getMessage()} {record.__dict__.get('fields')}" for record in caplog.records]
    assert any("/setup/-" in line for line in lines)
    assert not any(secret in line for line in lines)


def test_a_set_up_page_that_was_open_too_long_is_shown_again(app, browser, link):
    data = {**FIELDS, "csrf_token": browser.token(link)}
    browser.client.delete_cookie("gz_form")
    browser.token(link)
    response = browser.client.post(link, data=data, headers=HTML)
    assert response.status_code == 422
    page = Page(response)
    assert page.texts(".error-summary li") == ["This page was open too long. Please try again."]
    assert page.one("#name")["value"] == FIELDS["name"]
    with app.app_context():
        assert queries.find_person(FIELDS["name"]) is None
    data["csrf_token"] = csrf_token(response.text)
    assert browser.client.post(link, data=data, headers=HTML).status_code == 303


@pytest.mark.parametrize("method", ["get", "put", "delete", "post"])
@pytest.mark.parametrize("suffix", ["", "/", "/more"])
def test_link_is_not_written_to_the_log_however_it_is_asked_for(
    method, suffix, browser, link, caplog
):
    caplog.set_level("DEBUG", "gazetteer")
    getattr(browser.client, method)(link + suffix, headers=HTML)
    secret = link.rsplit("/", 1)[1]
    lines = [f"{record.getMessage()} {record.__dict__.get('fields')}" for record in caplog.records]
    assert any("/setup/-" in line for line in lines)
    assert not any(secret in line for line in lines)


def test_no_connection_is_held_while_the_password_is_hashed(app, browser, link, monkeypatch):
    held = []

    def hash_in_thread(*args):
        held.append(db.engine.pool.checkedout())
        return run_in_thread(*args)

    monkeypatch.setattr(passwords, "run_in_thread", hash_in_thread)
    assert browser.submit(link, FIELDS).status_code == 303
    fields = {"current": PASSWORD, "password": "another password", "again": "another password"}
    assert browser.submit("/account/password", fields).status_code == 303
    browser.submit("/people/new", {"name": "somebody", "role": "viewer"})
    browser.submit("/people/2/password", page="/people/2")
    # The change of one's own password also verifies the current one.
    assert held == [0, 0, 0, 0, 0]
