"""The limits on guessing: by network, by day, and for browsers that have signed in before."""

import threading

import pytest

from app.actor import ANONYMOUS
from app.auth import passwords
from app.auth import services as auth
from app.auth.sign_in import credentials, devices, limits
from app.auth.sign_in import services as sign_in
from app.errors import Invalid, TooMany, Unavailable
from tests.factories import OPERATOR, PASSWORD, Browser, add_person, at_once
from tests.html import Page

WRONG = {"name": "editor", "password": "not the password"}


def guess(name="editor", address="192.0.2.1", cookie="", typed="not the password"):
    """The error of a sign-in, None if it succeeds."""
    try:
        sign_in.sign_in(ANONYMOUS, name, typed, address, cookie)
    except (Invalid, TooMany) as error:
        return type(error)
    return None


def age(app, seconds):
    """Make all attempts so far that much older."""
    store = app.extensions["redis"]
    for key in store.keys("gz:rate:*"):
        for name in store.zrange(key, 0, -1):
            store.zincrby(key, -1000 * seconds, name)


@pytest.mark.parametrize(
    "addresses",
    [
        [f"2001:db8:1:2::{n:x}" for n in range(9)],
        [f"[2001:db8:1:2::{n:x}]:{n + 1000}" for n in range(9)],
        [f"192.0.2.1:{n + 1000}" for n in range(9)],
        [f"::ffff:192.0.2.1%{n}" for n in range(9)],
        [f"no address {n}" for n in range(9)],
    ],
    ids=["a /64", "ports of a /64", "ports", "zones", "unreadable"],
)
def test_nine_wrong_passwords_of_one_client_in_any_notation(any_app, addresses):
    add_person("editor")
    assert [guess(address=each) for each in addresses] == [Invalid] * 5 + [TooMany] * 4


def test_a_site_of_ipv6_has_five_times_as_many(any_app):
    """60 attempts for one name, each from another /64 of one /48."""
    add_person("editor")
    found = [guess(address=f"2001:db8:1:{n:x}::1") for n in range(60)]
    assert found == [Invalid] * 25 + [TooMany] * 35


def test_an_address_over_all_names_counts_by_network_too(any_app):
    found = [guess(f"name-{n}", f"2001:db8:1:2::{n:x}") for n in range(25)]
    assert found == [Invalid] * 20 + [TooMany] * 5


@pytest.mark.parametrize("name", ["editor", "nobody-here"])
def test_a_hundred_a_day_for_a_name_whether_it_exists_or_not(app, name):
    with app.app_context():
        add_person("editor")
        for number in range(limits.WRONG_PER_DAY):
            assert guess(name, f"198.51.100.{number}") is Invalid
        assert guess(name, "203.0.113.1") is TooMany
        age(app, 3600)
        with pytest.raises(TooMany, match="within a day") as refused:
            sign_in.sign_in(ANONYMOUS, name, PASSWORD, "203.0.113.1")
        assert 22 * 3600 < int(refused.value.headers["Retry-After"]) <= 23 * 3600
        assert guess("somebody else", "203.0.113.1") is Invalid
        age(app, 23 * 3600)
        assert guess(name, "203.0.113.1") is Invalid


def test_invented_names_use_a_bounded_number_of_daily_keys(app, monkeypatch):
    monkeypatch.setattr(limits, "GROUPS", 4)
    with app.app_context():
        for number in range(30):
            guess(f"name-{number}", f"198.51.100.{number}")
    assert len(app.extensions["redis"].keys("gz:rate:86400:*")) <= 4


def test_a_browser_that_signed_in_before_is_not_locked_out(app):
    with app.app_context():
        add_person("editor")
        add_person("viewer")
    known = Browser(app)
    known.sign_in("editor")
    known.submit("/logout", page="/account")
    with app.app_context():
        for number in range(limits.WRONG_PER_DAY):
            assert guess(address=f"198.51.100.{number}") is Invalid
        for number in range(limits.WRONG_PER_ADDRESS):
            assert guess(f"name-{number}", "127.0.0.1") is Invalid
    stranger = Browser(app).submit("/login", {**WRONG, "password": PASSWORD})
    assert stranger.status_code == 429
    assert "within a day" in Page(stranger).text(".error-summary li")
    assert known.sign_in("editor").status_code == 303
    # As somebody else it is a stranger.
    known.submit("/logout", page="/account")
    response = known.submit("/login", {"name": "viewer", "password": PASSWORD})
    assert response.status_code == 429


def test_a_known_browser_has_limits_of_its_own(app):
    with app.app_context():
        person_id = add_person("editor")
        cookie = devices.add_device("", person_id)
        for _minute in range(10):
            assert [guess(cookie=cookie) for _ in range(6)] == [Invalid] * 5 + [TooMany]
            age(app, 60)
        with pytest.raises(TooMany, match="within a day"):
            sign_in.sign_in(ANONYMOUS, "editor", PASSWORD, "192.0.2.1", cookie)
        # Another browser is not concerned, nor is the same one after another sign-in.
        assert guess() is Invalid
        assert guess(cookie=devices.add_device(cookie, person_id), typed=PASSWORD) is TooMany


def test_browsers_that_one_person_makes_one_after_another_share_their_limits(app, monkeypatch):
    """Whoever knows a password could otherwise guess the next one from any number of browsers."""
    monkeypatch.setattr(limits, "BROWSERS", 2)
    with app.app_context():
        person_id = add_person("editor")
        found = [guess(cookie=devices.add_device("", person_id)) for _number in range(25)]
    assert len(app.extensions["redis"].keys("gz:rate:60:*:device:*")) <= 2
    assert found.count(Invalid) <= 2 * limits.KNOWN_PER_MINUTE
    assert found[:5] == [Invalid] * 5


def test_whoever_took_over_a_session_does_not_keep_its_person_from_a_new_password(app):
    """A session without the cookie of a browser that has signed in has a limit of its own."""
    with app.app_context():
        add_person("editor")
    owner, thief = Browser(app), Browser(app)
    owner.sign_in("editor")
    thief.client.set_cookie("gz", owner.client.get_cookie("gz").value)
    wrong = {"current": "wrong", "password": "a new password", "again": "a new password"}
    statuses = [thief.submit("/account/password", wrong).status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    right = {**wrong, "current": PASSWORD}
    assert thief.submit("/account/password", right).status_code == 429
    assert owner.submit("/account/password", right).status_code == 303


def test_wrong_current_passwords_are_counted_for_the_browser(app):
    """Strangers cannot lock somebody out of changing their password."""
    with app.app_context():
        add_person("editor")
    browser = Browser(app)
    browser.sign_in("editor")
    with app.app_context():
        for number in range(limits.WRONG_PER_DAY):
            guess(address=f"198.51.100.{number}")
    fields = {"current": "wrong", "password": "a new password", "again": "a new password"}
    assert [browser.submit("/account/password", fields).status_code for _ in range(6)] == [
        *[422] * 5,
        429,
    ]


def test_unlocking_forgets_the_attempts_under_one_name(app):
    with app.app_context():
        ids = [add_person(f"person {number}") for number in range(10)]
        for name in ("person 0", "person 9"):
            for _ in range(5):
                assert guess(name) is Invalid
        assert guess("person 0") is TooMany
        sign_in.unlock(OPERATOR, ids[0])
        assert guess("person 0", typed=PASSWORD) is None
        assert guess("person 9") is TooMany


def test_a_new_password_by_an_administrator_forgets_them_too(app):
    with app.app_context():
        person_id = add_person("editor")
        for number in range(limits.WRONG_PER_DAY):
            guess(address=f"198.51.100.{number}")
        auth.set_password(OPERATOR, person_id, "another password")
        assert guess(typed="another password") is None


@pytest.fixture
def two_hash_already(monkeypatch):
    """All turns to hash are taken."""
    turns = threading.BoundedSemaphore(2)
    monkeypatch.setattr(passwords, "turns", turns)
    monkeypatch.setattr(passwords, "TURN_SECONDS", 0.05)
    for _turn in range(2):
        turns.acquire()
    return turns


def test_who_waits_too_long_for_a_hash_is_asked_to_come_back(app, browser, two_hash_already):
    with app.app_context():
        add_person("editor")
    for _ in range(6):
        response = browser.submit("/login", {**WRONG, "password": PASSWORD})
        assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
    text = "Many people are signing in right now. Try again in a moment."
    assert Page(response).texts(".error-summary li") == [text]
    assert app.extensions["redis"].keys("gz:rate:*") == []
    two_hash_already.release()
    assert browser.submit("/login", {**WRONG, "password": PASSWORD}).status_code == 303


def test_a_browser_that_is_known_has_a_turn_while_strangers_fill_theirs(
    app, browser, two_hash_already, monkeypatch
):
    with app.app_context():
        add_person("editor")
    two_hash_already.release()
    assert browser.submit("/login", {**WRONG, "password": PASSWORD}).status_code == 303
    browser.submit("/logout", page="/account")
    monkeypatch.setattr(passwords, "stranger_turns", threading.BoundedSemaphore(1))
    with passwords.turn(passwords.stranger_turns):
        stranger = Browser(app).submit("/login", {**WRONG, "password": PASSWORD})
        assert stranger.status_code == 503
        assert browser.submit("/login", {**WRONG, "password": PASSWORD}).status_code == 303


def test_turns_are_given_back(app, two_hash_already):
    two_hash_already.release()
    with app.app_context():
        add_person("editor")
        for _ in range(3):
            assert credentials.verify("editor", PASSWORD)
        two_hash_already.release()
        works = [lambda: credentials.verify("editor", PASSWORD)] * 2
        assert all(at_once(app, *works))
        for _turn in range(2):
            assert two_hash_already.acquire(blocking=False)
        with pytest.raises(Unavailable):
            credentials.verify("nobody-here", PASSWORD)
