"""Signing in and out."""

from tests.factories import PASSWORD


def test_wrong_password_is_told_without_saying_which_half(as_role, browser):
    as_role("editor")
    for name in ("editor", "nobody-here"):
        answer = browser.submit("/login", {"name": name, "password": "not the password"})
        assert answer.status_code == 422
        assert "Name and password do not match." in answer.text


def test_sign_in_leads_on_and_makes_a_new_session_id(app, as_role, browser):
    as_role("editor")
    browser.get("/login")
    before = browser.client.get_cookie("gz").value
    answer = browser.submit(
        "/login?next=/numbers", {"name": "Editor", "password": PASSWORD, "next": "/numbers"}
    )
    assert answer.status_code == 303
    assert answer.location == "/numbers"
    assert browser.client.get_cookie("gz").value != before
    assert browser.get("/account").status_code == 200
