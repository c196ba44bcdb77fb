"""The security log: who did what, without secrets."""

import re

from app.auth import queries
from app.auth.tokens import services as tokens
from app.logs.lines import JsonFormatter, TextFormatter
from tests.factories import HTML, PASSWORD, Browser, add_person, add_token


def test_sign_in_and_out_are_logged(app, events, browser):
    with app.app_context():
        add_person("小梅")
    browser.submit("/login", {"name": "小梅", "password": "wrong one"})
    browser.submit("/login", {"name": "my password by mistake", "password": "wrong one"})
    browser.sign_in("小梅")
    browser.submit("/logout", page="/account")
    assert [(line["event"], line["person"]) for line in events()] == [
        ("sign-in-refused", "小梅"),
        ("sign-in-refused", "-"),
        ("signed-in", "小梅"),
        ("signed-out", "小梅"),
    ]
    for line in events():
        assert line["address"] == "127.0.0.1"
        assert len(line["request_id"]) == 16
        assert line["path"] in ("/login", "/logout")


def test_rate_limited_sign_in_is_logged(app, events, browser):
    with app.app_context():
        add_person("viewer")
    for _try in range(6):
        browser.submit("/login", {"name": "viewer", "password": "wrong one"})
    assert [line["event"] for line in events()] == ["sign-in-refused"] * 5 + ["sign-in-slowed"]


def test_refusals_are_logged(app, events, as_role):
    viewer = as_role("viewer")
    viewer.get("/people")
    viewer.client.post("/people/1/disable", headers=HTML)
    app.test_client().get("/cities", headers={"Authorization": "Bearer gz_x"})
    assert [(line["event"], line["person"], line["path"]) for line in events()] == [
        ("refused", "viewer", "/people"),
        ("form-refused", "viewer", "/people/1/disable"),
        ("token-refused", "-", "/cities"),
    ]


def test_changes_to_people_are_logged(app, events, as_role):
    admin = as_role("admin")
    with app.app_context():
        other = add_person("Ada")
    admin.submit("/people/new", {"name": "Zoë", "role": "editor"})
    for what in ("role", "disable", "disable", "enable", "password"):
        admin.submit(f"/people/{other}/{what}", {"role": "editor"}, page="/people/new")
    assert [(line["event"], line["about"]) for line in events()] == [
        ("person-created", "Zoë"),
        ("role-changed", "Ada"),
        ("person-disabled", "Ada"),
        ("person-enabled", "Ada"),
        ("first-password-given", "Ada"),
    ]
    assert {line["person"] for line in events()} == {"admin"}


def test_no_secret_is_logged(app, caplog):
    """Uses passwords, tokens and sessions in all ways, and checks all lines of all loggers."""
    caplog.set_level("DEBUG")
    secrets = [PASSWORD, "wrong password", "my own new password", "typed into the wrong field"]
    browser = Browser(app)
    with app.app_context():
        add_person("admin", "admin")
        text = add_token(1)
        secrets += [text, tokens.digest(text), queries.load_person(1).password_hash]

    def remember():
        cookie = browser.client.get_cookie("gz")
        secrets.extend([browser.token("/account"), *([cookie.value] if cookie else [])])

    browser.submit("/login?next=/cities", {"name": "admin", "password": "wrong password"})
    browser.submit("/login", {"name": "typed into the wrong field", "password": "x"})
    browser.sign_in("admin")
    remember()
    response = browser.submit("/people/new", {"name": "Zoë", "role": "viewer"})
    first = re.search(r"<code>([^<]+)</code>", response.text)[1]
    secrets.append(first)
    Browser(app).sign_in("Zoë", first)
    fields = {
        "current": PASSWORD,
        "password": "my own new password",
        "again": "my own new password",
    }
    browser.submit("/account/password", fields)
    remember()
    app.test_client().get("/cities", headers={"Authorization": f"Bearer {text}"})
    app.test_client().get("/cities", headers={"Authorization": f"Bearer {text}x"})
    app.test_client().get(f"/cities?q={first}")
    browser.submit("/logout", page="/account")

    written = []
    for record in caplog.records:
        written += [TextFormatter().format(record), JsonFormatter().format(record)]
    assert len(written) > 40
    assert len(secrets) > 10
    for secret in secrets:
        assert not [line for line in written if secret in line], secret
