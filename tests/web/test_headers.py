"""Headers of every kind of response, cookies, error pages and JSON errors."""

import re

import pytest
from flask_babel import force_locale

from app.errors import Invalid as InvalidInput
from app.web.assets import static_files
from app.web.error_pages import STATUS_TEXTS
from app.web.hooks import SECURITY_HEADERS
from tests import servers
from tests.factories import HTML, PASSWORD, Browser, add_person, add_token, csrf_token
from tests.html import Page

CHINESE = {**HTML, "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}
NOWHERE = "unix:///nowhere/redis.sock"


@pytest.fixture
def without_redis(make_app):
    """A browser with a session cookie and an application that cannot reach Redis."""
    browser = Browser(make_app(REDIS_URL=NOWHERE))
    browser.client.set_cookie("gz", "some session")
    return browser


@pytest.fixture
def broken(make_app):
    """An application with a view that fails and one that refuses its input."""
    app = make_app(own=True)

    def fail():
        raise ZeroDivisionError("a secret of the code")

    def refuse():
        raise InvalidInput("That is not a number.", fields={"n": "That is not a number."})

    app.add_url_rule("/broken", view_func=fail)
    app.add_url_rule("/refused", view_func=refuse)
    return app


def responses(app, without_redis):
    """One response of every kind, by name."""
    anonymous, viewer = Browser(app), Browser(app)
    with app.app_context():
        person = add_person("viewer")
        token = {"Authorization": f"Bearer {add_token(person)}"}
    viewer.sign_in("viewer")
    form = {"csrf_token": anonymous.token("/login"), "name": "viewer", "password": "wrong one"}
    static = app.test_client().get(static_files.url("gazetteer.css"), buffered=True)
    found = {
        "200 page": viewer.get("/account"),
        "200 sign-in page": anonymous.get("/login"),
        "200 json": anonymous.client.get("/healthz"),
        "200 by token": app.test_client().get("/cities", headers=token),
        "200 static": static,
        "303": anonymous.get("/account"),
        "400": viewer.client.post("/logout", headers=HTML),
        "401": app.test_client().get("/account"),
        "403": viewer.get("/people"),
        "404": viewer.get("/nothing-here"),
        "405": anonymous.get("/logout"),
        "413": anonymous.client.post("/login", data={"name": "x" * 5_000_000}, headers=HTML),
        "422": anonymous.get("/refused"),
        "500": anonymous.get("/broken"),
        "503": without_redis.get("/account"),
    }
    for _try in range(6):
        found["429"] = anonymous.client.post("/login", data=form, headers=HTML)
    return found


def test_every_answer_has_every_security_header_once(broken, without_redis):
    for name, response in responses(broken, without_redis).items():
        assert response.status_code == int(name[:3]), name
        for header, value in SECURITY_HEADERS.items():
            assert response.headers.getlist(header) == [value], f"{name}: {header}"
        assert len(response.headers.getlist("Cache-Control")) == 1, name
        assert len(response.headers.getlist("X-Request-ID")) == 1, name
        assert "Access-Control-Allow-Origin" not in response.headers, name
        assert "charset=utf-8" in response.headers["Content-Type"] or response.is_json, name
        if name != "200 static":
            assert response.headers["Cache-Control"] == "no-store", name
        assert "Strict-Transport-Security" not in response.headers, name
        assert "a secret of the code" not in response.text, name
        assert "Traceback" not in response.text, name


def test_content_security_policy_allows_nothing_inline_or_external(broken, without_redis):
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert not re.search(r"unsafe|\*|http|data:|blob:", policy)
    for directive in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    for name, response in responses(broken, without_redis).items():
        if "html" in response.headers["Content-Type"]:
            page = Page(response)
            assert not page.has("script:not([src]), style, [style]"), name
            names = {attribute for tag in page.all("*") for attribute in tag.attrs}
            assert not [each for each in names if each.startswith("on")], name


def cookies(response):
    """The attributes of the cookies that a response sets, by name."""
    lines = [line.split("; ") for line in response.headers.getlist("Set-Cookie")]
    return {line[0].split("=")[0]: set(line[1:]) for line in lines}


def sign_in_over(app, scheme):
    """Sign in, choose a colour scheme, sign out; returns all cookies that were set."""
    browser = Browser(app)
    base = {"base_url": f"{scheme}://gazetteer.example", "headers": {**HTML}}
    if scheme == "https":
        base["headers"]["Referer"] = "https://gazetteer.example/login"

    def token(path):
        return csrf_token(browser.get(path, **base).text)

    steps = []
    data = {"csrf_token": token("/login"), "name": "viewer", "password": PASSWORD}
    steps.append(browser.client.post("/login", data=data, **base))
    data = {"csrf_token": token("/account"), "scheme": "dark", "language": "en"}
    steps.append(browser.client.post("/preferences", data=data, **base))
    data = {"csrf_token": token("/account")}
    steps.append(browser.client.post("/logout", data=data, **base))
    assert [step.status_code for step in steps] == [303, 303, 303]
    return [(name, found) for step in steps for name, found in cookies(step).items()]


@pytest.mark.parametrize(
    ("settings", "scheme", "secure"),
    [({}, "http", False), ({}, "https", True), ({"SECURE": "1"}, "https", True)],
    ids=["plain http", "https is seen", "SECURE=1"],
)
def test_cookies_are_as_strict_as_the_connection_allows(settings, scheme, secure, make_app):
    app = make_app(TRUSTED_HOSTS="gazetteer.example", **settings)
    with app.app_context():
        add_person("viewer")
    found = sign_in_over(app, scheme)
    prefix = "__Host-" if secure else ""
    plain_names = ["gz_device", "gz", "gz_language", "gz_scheme", "gz"]
    assert [name for name, _attributes in found] == [prefix + name for name in plain_names]
    for name, attributes in found:
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= attributes, name
        assert ("Secure" in attributes) is secure, name
        assert not any(attribute.startswith("Domain") for attribute in attributes), name


def test_hsts_is_sent_for_a_year_over_https(make_app):
    client = make_app(SECURE="1", TRUSTED_HOSTS="gazetteer.example").test_client()
    expected = "max-age=31536000; includeSubDomains"
    for path in ("/login", "/healthz", "/nothing-here", static_files.url("mark.svg")):
        with client.get(path, base_url="https://gazetteer.example") as response:
            assert response.headers.getlist("Strict-Transport-Security") == [expected]


def test_proxy_headers_count_only_from_a_trusted_proxy(make_app, caplog):
    caplog.set_level("INFO")
    headers = {
        "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "X-Request-ID": "forged-id",
    }  # fmt: skip
    plain = make_app().test_client().get("/healthz", headers=headers)
    behind = make_app(TRUSTED_PROXIES="1").test_client().get("/healthz", headers=headers)
    assert "Strict-Transport-Security" not in plain.headers
    assert "Strict-Transport-Security" in behind.headers
    assert plain.headers["X-Request-ID"] != "forged-id"
    assert behind.headers["X-Request-ID"] == "forged-id"
    lines = [r.fields for r in caplog.records if r.name == "gazetteer.request"]
    assert [line["address"] for line in lines] == ["127.0.0.1", "6.6.6.6"]


def test_form_of_another_site_is_refused_over_https(make_app):
    app = make_app(SECURE="1", TRUSTED_HOSTS="gazetteer.example")
    browser = Browser(app)
    base = {"base_url": "https://gazetteer.example"}
    token = csrf_token(browser.get("/login", **base).text)
    for headers in ({"Referer": "https://evil.example/login"}, {"Sec-Fetch-Site": "cross-site"}):
        data = {"csrf_token": token, "name": "x", "password": "y"}
        response = browser.client.post("/login", data=data, headers={**HTML, **headers}, **base)
        assert response.status_code == 400


@pytest.mark.parametrize(("headers", "lang"), [(HTML, "en"), (CHINESE, "zh-CN")])
def test_browsers_get_refusals_as_pages_in_their_language(headers, lang, broken, without_redis):
    viewer = Browser(broken)
    with broken.app_context():
        add_person("viewer")
    viewer.sign_in("viewer")
    big = {"name": "x" * 5_000_000}
    found = {
        403: viewer.get("/people", headers=headers),
        404: viewer.get("/nothing-here", headers=headers),
        405: viewer.get("/logout", headers=headers),
        413: viewer.client.post("/login", data=big, headers=headers),
        422: viewer.get("/refused", headers=headers),
        500: viewer.get("/broken", headers=headers),
        503: without_redis.get("/account", headers=headers),
    }
    for _try in range(21):
        found[429] = viewer.get("/setup/guess", headers=headers)
    for status, response in found.items():
        assert response.status_code == status
        assert response.mimetype == "text/html"
        page = Page(response)
        assert page.one("html")["lang"] == lang, status
        assert page.has("header.bar"), status
        with broken.test_request_context(), force_locale(lang[:2]):
            assert page.text("h1") == str(STATUS_TEXTS[status][0]), status


def test_scripts_get_refusals_as_one_json_sentence(broken, without_redis):
    client = broken.test_client()
    with broken.app_context():
        token = add_token(add_person("viewer"))
    headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
    found = {
        403: client.get("/people", headers=headers),
        404: client.get("/nothing-here", headers=headers),
        405: client.get("/logout", headers=headers),
        413: client.post("/login", data={"name": "x" * 5_000_000}, headers={"Accept": "*/*"}),
        422: client.get("/refused", headers=headers),
        500: client.get("/broken", headers=headers),
        503: without_redis.client.get("/account", headers={"Accept": "*/*"}),
    }
    for _try in range(21):
        found[429] = client.get("/setup/guess", headers={"Accept": "*/*"})
    for status, response in found.items():
        assert response.status_code == status
        assert response.is_json
        assert response.json["status"] == status
        assert response.json["error"].endswith(".")
    assert found[422].json["fields"] == {"n": "That is not a number."}
    assert found[405].headers["Allow"]
    assert int(found[503].headers["Retry-After"]) > 0


def test_pages_say_503_at_once_without_redis(without_redis):
    browser = without_redis
    for path in ("/account", "/cities", "/login"):
        assert servers.within(3, lambda path=path: browser.get(path)).status_code == 503
    assert servers.within(3, lambda: browser.get("/healthz")).status_code == 200
    # Signing in needs Redis too, for its rate limit.
    browser.client.delete_cookie("gz")
    assert browser.get("/login").status_code == 200
    form = {"name": "viewer", "password": PASSWORD}
    assert browser.submit("/login", form).status_code == 503


def test_pages_say_503_without_the_database(make_app, as_role):
    as_role("admin")
    app = make_app(DATABASE_URL="mysql://nobody@127.0.0.1:1/nothing")
    cookie = Browser(make_app())
    cookie.sign_in("admin")
    browser = Browser(app)
    browser.client.set_cookie("gz", cookie.client.get_cookie("gz").value)
    for path in ("/people", "/cities"):
        response = browser.get(path)
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert "nobody@" not in response.text
