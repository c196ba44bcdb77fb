"""The cookie of a browser that has signed in: who can make one, and for how long it counts."""

import pytest

from app.auth.sign_in import devices
from app.auth.sign_in.devices import PEOPLE_PER_BROWSER, add_device, find_device, read_devices
from tests.factories import Browser, add_person


@pytest.fixture(autouse=True)
def context(app):
    with app.app_context():
        yield


def pass_days(monkeypatch, days):
    later = devices.day_number() + days
    monkeypatch.setattr(devices, "day_number", lambda: later)


def test_a_browser_keeps_its_name_for_each_person():
    cookie = add_device(add_device("", 1), 2)
    first, second = find_device(cookie, 1), find_device(cookie, 2)
    assert first.name != second.name
    again = add_device(cookie, 1)
    assert find_device(again, 1).name == first.name
    assert [each.person_id for each in read_devices(again)] == [1, 2]
    assert find_device(cookie, 3) is None


def test_the_last_people_of_a_browser_are_remembered():
    cookie = ""
    for person_id in range(1, 9):
        cookie = add_device(cookie, person_id)
    assert [each.person_id for each in read_devices(cookie)] == [8, 7, 6, 5, 4]
    assert PEOPLE_PER_BROWSER == 5
    largest = "~".join(str(devices.Device(10**18 - 1, 999_999, "x" * 16)) for _ in range(5))
    assert len(largest) <= devices.COOKIE_LENGTH


def test_it_counts_for_a_year_from_the_last_sign_in(monkeypatch):
    cookie = add_device("", 1)
    pass_days(monkeypatch, 365)
    assert find_device(cookie, 1)
    renewed = add_device(cookie, 1)
    pass_days(monkeypatch, 1)
    assert find_device(cookie, 1) is None
    assert find_device(renewed, 1)


def forgeries(entry):
    """Cookies that this entry does not permit."""
    person, day, name, signature = entry.split(".")
    return [
        "", "~", "x" * 100_000, entry * 100, f"2.{day}.{name}.{signature}",
        f"{person}.{int(day) + 1}.{name}.{signature}", f"{person}.{day}.{'x' * 16}.{signature}",
        f"{person}.{day}.{name}.{'x' * 22}", f"{person}.{day}.{name}.", f"{person}.{day}.{name}",
        f" {entry}", f"{entry}=", f"0{entry}", f"１.{day}.{name}.{signature}", f"{entry}\n",
    ]  # fmt: skip


def test_a_forged_cookie_is_none():
    for cookie in forgeries(add_device("", 1)):
        assert read_devices(cookie) == [], cookie


def test_one_forged_entry_does_not_hide_the_others():
    cookie = f"1.1.x.y~{add_device('', 1)}"
    assert find_device(cookie, 1)


def test_another_key_signs_other_cookies(make_app):
    cookie = add_device("", 1)
    with make_app(SECRET_KEY="another key of at least 32 characters").app_context():
        assert find_device(cookie, 1) is None


def test_only_a_correct_password_makes_one(app):
    add_person("editor")
    browser = Browser(app)
    browser.submit("/login", {"name": "editor", "password": "wrong one"})
    assert browser.client.get_cookie("gz_device") is None
    browser.sign_in("editor")
    cookie = browser.client.get_cookie("gz_device")
    assert find_device(cookie.value, 1)
    assert (cookie.max_age, cookie.http_only, cookie.same_site) == (365 * 86_400, True, "Lax")
    browser.submit("/logout", page="/account")
    assert browser.client.get_cookie("gz_device").value == cookie.value
