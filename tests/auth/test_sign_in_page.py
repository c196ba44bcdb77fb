"""The sign-in page: forms without a session, browsers without cookies, second tabs, and where it
leads."""

import pytest

from app.auth import queries
from app.setup import services as setup
from tests.auth.helpers import is_signed_in
from tests.factories import HTML, PASSWORD, Browser, add_person, csrf_token
from tests.html import Page
from tests.web.test_security_matrix import TABLE, Walker, example, filled

__all__ = ["filled"]

VIEWER = {"name": "viewer", "password": PASSWORD, "next": "/numbers"}
TOO_LONG = "This page was open too long. Please try again."
NO_COOKIE = "Your browser sent no cookie. Allow cookies for this site, then try again."
ONLY_HTTPS = "This page was opened over http, and this site sets its cookies over https only"


@pytest.fixture
def people(app):
    with app.app_context():
        for role in ("viewer", "editor"):
            add_person(role, role)


def send(browser, token, headers=None, **changed):
    """Send the sign-in form of the viewer with a token."""
    data = {**VIEWER, "csrf_token": token, **changed}
    return browser.client.post("/login", data=data, headers={**HTML, **(headers or {})})


def messages(response):
    return Page(response).texts(".error-summary li")


def test_the_cookie_of_the_form_is_set_once_and_ends_with_the_browser(browser):
    (line,) = browser.get("/login").headers.getlist("Set-Cookie")
    name, *attributes = line.split("; ")
    assert name.startswith("gz_form=")
    assert set(attributes) == {"HttpOnly", "Path=/", "SameSite=Lax"}
    assert "Set-Cookie" not in browser.get("/login").headers
    for path in ("/numbers", "/healthz", "/nothing-here"):
        assert "Set-Cookie" not in Browser(browser.app).get(path).headers


def test_a_token_is_worth_nothing_in_another_browser(people, app, browser):
    foreign = browser.token("/login")
    other = Browser(app)
    other.token("/login")
    response = send(other, foreign)
    assert (response.status_code, messages(response)) == (422, [TOO_LONG])
    assert not is_signed_in(other)


@pytest.mark.parametrize("token", ["x", "v1.x", "v1.\udcff", "深", "v1." + "A" * 43])
def test_a_wrong_token_shows_the_form_again_with_what_was_typed(token, people, browser):
    browser.token("/login")
    response = send(browser, token.encode("utf-8", "surrogateescape"))
    assert (response.status_code, messages(response)) == (422, [TOO_LONG])
    page = Page(response)
    assert page.one("#name")["value"] == "viewer"
    assert page.one("form.form input[name=next]")["value"] == "/numbers"
    assert PASSWORD not in response.text
    assert not is_signed_in(browser)
    response = send(browser, csrf_token(response.text))
    assert (response.status_code, response.location) == (303, "/numbers")


def test_without_a_token_or_a_page_it_is_refused(people, browser):
    token = browser.token("/login")
    assert send(browser, "").status_code == 400
    answer = browser.client.post("/login", data={**VIEWER, "csrf_token": "x"})
    assert answer.status_code == 400
    assert send(browser, token).status_code == 303


def test_a_browser_without_cookies_is_told_so(people, app):
    token = Browser(app).token("/login")
    response = send(Browser(app), token)
    assert (response.status_code, messages(response)) == (422, [NO_COOKIE])
    assert "Cookie" in messages(send(Browser(app), token, {"Accept-Language": "zh"}))[0]


def test_over_http_the_setting_for_https_is_named(people, make_app):
    app = make_app(SECURE="1")
    with app.app_context():
        assert queries.find_person("viewer")
    opened = Browser(app).get("/login")
    assert Page(opened).text(".notice").startswith(ONLY_HTTPS), "before a password is typed"
    response = send(Browser(app), csrf_token(opened.text))
    assert response.status_code == 422
    assert not Page(response).all(".notice"), "it is said once"
    assert messages(response)[0].startswith(ONLY_HTTPS)
    assert "SECURE=1" in messages(response)[0]
    for path, how in (
        ("/login", {"base_url": "https://localhost"}),
        ("/login", {"headers": {"Sec-Fetch-Site": "none"}}),
    ):
        page = Page(app.test_client().get(path, **how))
        assert not page.all(".notice")


def test_the_set_up_page_over_http_names_it_too(make_app):
    app = make_app(SECURE="1")
    with app.app_context():
        path = setup.create_link_path()
    assert Page(app.test_client().get(path)).text(".notice").startswith(ONLY_HTTPS)


@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("gaz.test", {"Origin": "https://gaz.test", "Sec-Fetch-Site": "same-origin"}, 303),
        ("gaz.test", {"Origin": "https://gaz.test"}, 303),
        ("gaz.test", {}, 303),
        ("gaz.test", {"Referer": "https://gaz.test/login"}, 303),
        ("gaz.test:8443", {"Origin": "https://gaz.test:8443"}, 303),
        ("gaz.test:443", {"Origin": "https://gaz.test"}, 303),
        ("GAZ.test", {"Origin": "https://gaz.test"}, 303),
        # A proxy that leaves out the port, and the browser says so itself.
        ("gaz.test", {"Origin": "http://gaz.test:8080", "Sec-Fetch-Site": "same-origin"}, 303),
        ("gaz.test", {"Origin": "http://gaz.test:8080"}, 400),
        ("127.0.0.1:8000", {"Origin": "https://gaz.test"}, 400),
        ("gaz.test", {"Origin": "null"}, 400),
        ("gaz.test", {"Origin": "https://gaz.test.evil.example"}, 400),
        ("gaz.test", {"Origin": "https://gaz.test", "Sec-Fetch-Site": "cross-site"}, 400),
        ("gaz.test", {"Sec-Fetch-Site": "none"}, 400),
        ("gaz.test", {"Referer": "https://evil.example/gaz.test"}, 400),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_browser_says_where_a_form_comes_from(host, headers, status, scheme, people, make_app):
    app = make_app(TRUSTED_HOSTS="gaz.test")
    browser = Browser(app)
    base = {"base_url": f"{scheme}://{host.lower()}", "environ_overrides": {"HTTP_HOST": host}}
    token = csrf_token(browser.get("/login", **base).text)
    data = {**VIEWER, "csrf_token": token}
    response = browser.client.post("/login", data=data, headers={**HTML, **headers}, **base)
    assert response.status_code == status
    if status == 400 and ":" in headers.get("Origin", "")[6:]:
        text = Page(response).text("main")
        assert "gaz.test:8080, and this site is gaz.test." in text
        assert "its proxy has to pass on the header Host with the port" in text


def test_a_second_tab_goes_on(people, browser):
    first, second = browser.token("/login"), browser.token("/login")
    assert send(browser, first).location == "/numbers"
    assert send(browser, second, next="/files").location == "/files"
    assert send(browser, "x", name="ＶIEWER ", next="/files").location == "/files"
    assert is_signed_in(browser)


def test_a_second_tab_as_somebody_else_is_told_who_is_signed_in(people, browser):
    token = browser.token("/login")
    send(browser, token)
    response = send(browser, token, name="editor")
    assert response.status_code == 409
    assert messages(response) == ["You are signed in as viewer. Sign out first."]
    assert Page(browser.get("/account")).text(".menu-name") == "viewer"


def test_nothing_else_takes_the_token_of_a_visitor(people, browser):
    token = browser.token("/login")
    send(browser, token)
    response = browser.client.post("/session/clear", data={"csrf_token": token}, headers=HTML)
    assert response.status_code == 400


def test_a_form_after_the_end_of_the_session_leads_to_the_sign_in(people, browser):
    response = browser.client.post("/session/clear", headers=HTML)
    assert (response.status_code, response.location) == (303, "/login?next=/&why=ended")
    said = Page(browser.get(response.location)).text(".notice-text")
    assert said == "Please sign in again, then repeat what you did."


@pytest.mark.parametrize(
    ("requested", "shown"),
    [
        ("/files/1", "/files/1/details"),
        ("/files/1?x=1", "/files/1/details?x=1"),
        ("/download/field%20notes.txt", "/files?q=field+notes.txt"),
        ("/download?filename=field%20notes.txt", "/files?filename=field%20notes.txt"),
        ("/cities/export.csv?q=%E5%B2%9A", "/cities?q=%E5%B2%9A"),
        ("/cities/import/7/refused.csv", "/cities/import/7"),
        ("/cities?q=x", "/cities?q=x"),
        ("/nothing-here", "/nothing-here"),
        ("/session/set", "/"),
        ("/logout", "/"),
        ("/login", "/"),
        ("/login?next=/files/1&why=ended", "/files/1/details"),
        ("/login?next=%2Flogin%3Fnext%3D%252Ffiles%252F1", "/files/1/details"),
        ("/login?next=//evil.example", "/"),
        ("//evil.example/files/1", "/"),
    ],
)
def test_signing_in_leads_to_a_page(requested, shown, people, browser):
    assert send(browser, browser.token("/login"), next=requested).location == shown
    login = browser.get("/login", query_string={"next": requested})
    assert (login.status_code, login.location) == (303, shown)


def test_signing_in_never_starts_a_download(filled):
    browser = Walker(filled, "admin").browser
    attachments = 0
    for address, method in TABLE:
        if method == "GET":
            requested = example(address)
            attachments += is_attachment(browser.get(requested))
            location = browser.get("/login", query_string={"next": requested}).location
            assert not is_attachment(browser.get(location)), address
    assert attachments == 8


def is_attachment(response):
    response.close()
    return response.headers.get("Content-Disposition", "").startswith("attachment")


def test_the_page_says_in_one_sentence_what_this_is(app, browser):
    for name in ("first", "second"):  # before and after the installation is claimed
        page = Page(browser.get("/login"))
        assert page.text(".panel > .about").startswith("The register of cities and the shared")
        with app.app_context():
            add_person(name, "admin")
