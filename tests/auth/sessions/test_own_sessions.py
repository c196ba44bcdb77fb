"""One's own sessions on the account page: which are listed, and ending others."""

import json

import pytest

from app.auth import queries
from app.auth import services as auth
from app.auth.sessions import interface
from app.auth.sessions.keys import sessions_key
from app.auth.sessions.user_agent import read_user_agent
from tests.auth.helpers import is_signed_in
from tests.factories import HTML, OPERATOR, PASSWORD, Browser, add_person
from tests.html import Page, text_of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def viewer(app):
    with app.app_context():
        add_person("viewer")
        add_person("editor")
    return sign_in(app)


def sign_in(app, name="viewer", agent=FIREFOX, address="192.0.2.1"):
    browser = Browser(app)
    fields = {"name": name, "password": PASSWORD, "csrf_token": browser.token("/login")}
    environ = {"REMOTE_ADDR": address}
    headers = {**HTML, "User-Agent": agent}
    response = browser.client.post(
        "/login", data=fields, headers=headers, environ_overrides=environ
    )
    assert response.status_code == 303
    return browser


def listed(browser):
    """Browser, network and last use of each session that the page lists."""
    rows = Page(browser.get("/account")).all(".cards tbody tr")
    return [[text_of(row.select_one(s)) for s in (".main", ".sub", ".when")] for row in rows]


def choices(browser):
    """What the form of the page offers to end."""
    return [each["value"] for each in Page(browser.get("/account")).all("[name=which]")]


def end(browser, which, password=PASSWORD):
    return browser.submit("/account", {"which": which, "password": password})


def test_sessions_are_listed_with_browser_network_and_last_use(app, viewer):
    sign_in(app, agent=SAFARI, address="2001:db8:1:2::3")
    sign_in(app, agent="", address="?")
    sign_in(app, "editor")
    current, *others = listed(viewer)
    assert current == ["Firefox · Linux This one", "192.0.2.1", "Last used just now"]
    assert sorted(others, reverse=True) == [
        ["Unknown browser", "", "Last used just now"],
        ["Safari · iPhone", "2001:db8:1:2::/64", "Last used just now"],
    ]
    page = Page(viewer.get("/account", headers={**HTML, "Accept-Language": "zh"}))
    assert page.text(".cards .chip") == "当前"


def test_a_single_session_has_no_form(viewer):
    assert len(listed(viewer)) == 1
    assert choices(viewer) == []
    assert not Page(viewer.get("/account")).has("main [name=password]")


def test_one_browser_ends_another(app, viewer, caplog):
    caplog.set_level("INFO", "gazetteer.events")
    phone, third = sign_in(app, agent=SAFARI), sign_in(app)
    phone.submit("/session/set", {"key": "a", "value": "b"}, page="/session")
    which = next(
        row.select_one("input")["value"]
        for row in Page(viewer.get("/account")).all(".cards tbody tr")
        if "iPhone" in row.text
    )
    before = set(app.extensions["redis"].keys(f"gz:session:{which}*"))
    response = end(viewer, which)
    assert (response.status_code, response.location) == (303, "/account")
    assert Page(viewer.get("/account")).text(".notice-text") == "1 session has ended."
    assert [is_signed_in(each) for each in (viewer, phone, third)] == [True, False, True]
    assert before
    assert not app.extensions["redis"].keys(f"gz:session:{which}*")
    fields = caplog.records[-1].fields
    assert [fields[name] for name in ("event", "person", "browser", "network")] == [
        "session-ended", "viewer", "Safari", "192.0.2.1",
    ]  # fmt: skip
    assert_not_found(viewer, end(viewer, which))


def assert_not_found(browser, response):
    """The account page is shown again and says so, whoever has such a session."""
    assert (response.status_code, response.location) == (303, "/account")
    page = Page(browser.get("/account"))
    assert page.text(".notice-text") == "You have no such session, or it has ended."


def test_all_others_end(app, viewer):
    others = [sign_in(app), sign_in(app), sign_in(app, "editor")]
    end(viewer, "others")
    assert Page(viewer.get("/account")).text(".notice-text") == "2 sessions have ended."
    assert [is_signed_in(each) for each in (viewer, *others)] == [True, False, False, True]
    assert len(listed(viewer)) == 1


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("wrong one", "This is not your current password."),
        ("", "Enter your current password."),
    ],
)
def test_without_the_password_nothing_ends(app, viewer, password, message):
    other = sign_in(app)
    response = end(viewer, "others", password)
    assert response.status_code == 422
    assert Page(response).texts(".error-summary li") == [message]
    assert len(Page(response).all(".cards tbody tr")) == 2
    assert is_signed_in(other)


def test_wrong_passwords_are_limited(app, viewer):
    sign_in(app)
    statuses = [end(viewer, "others", "wrong one").status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]


def test_a_session_of_somebody_else_is_not_found(app, viewer):
    stranger = sign_in(app, "editor")
    sign_in(app)
    (own, _others) = choices(viewer)
    assert_not_found(stranger, end(stranger, own))
    assert_not_found(stranger, end(stranger, "x" * 20))
    assert len(listed(viewer)) == 2


def test_the_current_session_ends_by_signing_out_only(app, viewer):
    other = sign_in(app)
    (current, _others) = choices(other)
    assert_not_found(viewer, end(viewer, current))
    assert is_signed_in(viewer)


def test_what_has_ended_is_not_listed(app, viewer, store):
    expired, signed_out = sign_in(app), sign_in(app)
    (*ids, _others) = choices(viewer)
    signed_out.submit("/logout", page="/account")
    assert len(listed(viewer)) == 2
    for each in ids:
        store.delete(f"gz:session:{each}")
    assert not is_signed_in(expired)
    assert len(listed(viewer)) == 1


def test_sessions_of_before_a_new_password_are_not_listed(app, viewer):
    with app.app_context():
        auth.set_password(OPERATOR, queries.find_person("viewer").id, PASSWORD)
    assert len(listed(sign_in(app))) == 1


def test_too_old_a_session_is_not_listed(app, viewer, store):
    sign_in(app)
    (other, _others) = choices(viewer)
    data = json.loads(store.get(f"gz:session:{other}"))
    store.set(f"gz:session:{other}", json.dumps({**data, "since": 0}), keepttl=True)
    assert len(listed(viewer)) == 1


def test_a_session_of_the_previous_release_is_listed_when_it_is_used(app, viewer, store):
    other = sign_in(app)
    (key, _others) = choices(viewer)
    old = ("browser", "system", "network")
    data = json.loads(store.get(f"gz:session:{key}"))
    text = json.dumps({name: value for name, value in data.items() if name not in old})
    store.set(f"gz:session:{key}", text, keepttl=True)
    store.delete(sessions_key(1), *store.keys("gz:session:*:seen"))
    assert len(listed(viewer)) == 1
    assert is_signed_in(other)
    assert [row[:2] for row in listed(viewer)[1:]] == [["Unknown browser", ""]]


def test_the_longest_unused_session_over_the_limit_ends(app, viewer, store, monkeypatch):
    monkeypatch.setattr(interface, "SESSIONS_MOST", 3)
    second = sign_in(app)
    (key, _others) = choices(viewer)
    store.zincrby(sessions_key(1), -3600, f"gz:session:{key}")
    assert choices(viewer) == [key, "others"]
    third, fourth = sign_in(app), sign_in(app)
    assert [is_signed_in(each) for each in (viewer, second, third, fourth)] == [
        True, False, True, True,
    ]  # fmt: skip
    assert not store.keys(f"gz:session:{key}*")


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (FIREFOX, ("Firefox", "Linux")),
        (SAFARI, ("Safari", "iPhone")),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0", ("Edge", "Windows")),
        ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/138.0.0.0 Mobile Safari/537.36", ("Chrome", "Android")),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/18.5 Safari/605.1.15", ("Safari", "macOS")),
        ("curl/8.5.0", ("curl", "")),
        ("<script>alert(1)</script>", ("", "")),
        ("", ("", "")),
    ],
)  # fmt: skip
def test_a_user_agent_in_plain_words(header, names):
    assert read_user_agent(header) == names
