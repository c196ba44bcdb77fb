"""Addresses with a slash at their end."""

import logging

import pytest


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/cities/", "/cities"),
        ("/files/?q=a%2Fb&sort=name", "/files?q=a%2Fb&sort=name"),
        ("/cities/import///", "/cities/import"),
        ("//cities/", "/cities"),
        ("/cities/1/", "/cities/1"),
        ("/login/?next=//example.org/", "/login?next=//example.org/"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_slash_at_the_end_leads_to_the_page(as_role, method, address, page):
    client = as_role("admin").client
    path, _mark, query = address.partition("?")
    # The client would read //cities as a host.
    response = client.open(
        method=method, environ_overrides={"PATH_INFO": path, "QUERY_STRING": query}
    )
    assert (response.status_code, response.location) == (308, page)


@pytest.mark.parametrize("address", ["/nowhere/", "//example.org/", "/cities/x/", "/static/x/"])
def test_what_is_no_page_without_the_slash_either_is_404(as_role, address):
    response = as_role("admin").client.get(environ_overrides={"PATH_INFO": address})
    assert response.status_code == 404
    assert response.location is None


def test_a_form_is_not_sent_on(as_role):
    person = as_role("editor")
    for address in ("/cities/new/", "/logout/", "/cities/"):
        assert person.submit(address, {"city": "x"}, page="/cities/new").status_code == 404


def test_an_address_that_posts_only_has_no_page_to_lead_to(as_role):
    assert as_role("editor").get("/logout/").status_code == 404


def test_a_secret_in_the_address_is_not_logged(browser, caplog):
    with caplog.at_level(logging.INFO):
        response = browser.get("/setup/s3cr3t-of-the-link/")
    assert response.status_code == 308
    assert "s3cr3t" not in caplog.text
