"""Error pages: a title, the message, and advice where the message has none."""

import pytest
from flask import Flask

from app.errors import ClientGone, Conflict, NoSpace
from tests.factories import HTML
from tests.html import Page


def shown(app: Flask, path: str) -> list[str]:
    """The title and the paragraphs of an error page, without the code."""
    return Page(app.test_client().get(path, headers=HTML)).texts(".error-page h1, .error-page p")


def test_page_without_a_message_gives_advice(app):
    advice = "The address may be mistyped, or the page was removed."
    assert shown(app, "/nothing-here") == ["Page not found", advice]


@pytest.mark.parametrize(
    ("path", "links"),
    [
        ("/cities/999", ["/cities", "/"]),
        ("/files/999/details", ["/files", "/"]),
        ("/files/folders/none", ["/files", "/"]),
        ("/people/999", ["/people", "/"]),
        ("/nothing-here", ["/"]),
    ],
)
def test_what_is_missing_leads_back_to_its_list(as_role, path, links):
    response = as_role("admin").get(path)
    assert response.status_code == 404
    assert Page(response).links(".error-page .submit-row a") == links


@pytest.mark.parametrize(
    ("error", "texts"),
    [
        (Conflict("This was changed."), ["Nothing was changed", "This was changed."]),
        (
            NoSpace(),
            [
                "The disk is full or not writable",
                "Nothing was saved. Tell the administrator of this server.",
            ],
        ),
    ],
)
def test_message_that_says_what_to_do_has_no_advice_below(make_app, error, texts):
    app = make_app(own=True)

    @app.get("/refused")
    def refused():
        raise error

    assert shown(app, "/refused") == texts


def test_missing_city_is_a_page_of_two_texts(as_role):
    response = as_role("viewer").get("/cities/999")
    assert response.status_code == 404
    assert Page(response).texts(".error-page h1, .error-page p") == [
        "Page not found",
        "This city is not in the register. It may have been removed.",
    ]


def test_nothing_is_drawn_for_a_client_that_has_gone(make_app):
    app = make_app(own=True)

    @app.get("/gone")
    def gone():
        raise ClientGone

    response = app.test_client().get("/gone", headers=HTML)
    assert (response.status_code, response.data) == (499, b"")
