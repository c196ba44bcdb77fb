"""The session of a browser, as a test sees it."""


def cookie_of(browser):
    """The session id that a browser sends."""
    return browser.client.get_cookie("gz").value


def is_signed_in(browser):
    """True if the session of a browser is that of a person; otherwise it is asked to sign in."""
    response = browser.get("/account")
    assert response.status_code == 200 or response.location.startswith("/login")
    return response.status_code == 200
