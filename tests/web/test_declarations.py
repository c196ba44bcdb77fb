"""Declarations of views, also for URLs that match no view."""

import logging

import pytest
from flask import Blueprint, Flask

from app.actor import Role
from app.web.declarations import (
    always_json,
    csrf_after_guard,
    declarations_of,
    fixed_prefix,
    max_body,
    nearest_endpoint,
    path_for_log,
    secret_path,
)
from app.web.permissions import role_required
from tests.factories import HTML


def test_declarations_are_combined_and_survive_a_guard():
    @max_body(5)
    @role_required(Role.EDITOR)
    @csrf_after_guard
    def view():
        """Some view."""

    found = declarations_of(view)
    assert (found.max_body, found.csrf_after_guard, found.guard is None) == (5, True, False)
    assert not found.always_json


def test_a_declaration_affects_only_its_view():
    def view():
        """Some view."""

    @role_required()
    @always_json
    def other():
        """Another one."""

    assert declarations_of(other).always_json
    assert declarations_of(view) == declarations_of(None)


@pytest.mark.parametrize(
    ("rule", "prefix"),
    [("/pi/<int:n>", "/pi"), ("/pi", "/pi"), ("/list/", "/list"), ("/", ""), ("/a/b-<c>", "/a")],
)
def test_fixed_prefix(rule, prefix):
    assert fixed_prefix(rule) == prefix


@pytest.fixture
def small():
    """An application with a few rules."""
    app, bp = Flask("small"), Blueprint("some", __name__)
    for rule, endpoint in (("/", "start"), ("/a", "a"), ("/a/b/<x>", "b"), ("/ab/<x>/c", "ab")):
        bp.add_url_rule(rule, endpoint, secret_path(lambda x=None: "") if endpoint == "b" else str)
    app.register_blueprint(bp)
    with app.test_request_context("/"):
        yield app


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/a", "some.a"),
        ("/a/c", "some.a"),
        ("/a/b/1/2", "some.b"),
        ("/abc", "some.start"),
        ("/ab/1", "some.ab"),
        ("//a", "some.start"),
        ("", "some.start"),
    ],
)
def test_nearest_endpoint_is_that_of_the_longest_prefix(small, path, endpoint):
    assert nearest_endpoint(path) == endpoint


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/a/b/secret", "/a/b/-"),
        ("/a/b/secret/", "/a/b/-"),
        ("/a/b/more/secret", "/a/b/-"),
        ("/a/b;/secret", "/a/b/-"),
        ("/a/b\\secret", "/a/b/-"),
        ("//a//b//secret", "/a/b/-"),
        ("/A/B/secret", "/a/b/-"),
        ("/proxy/a/b/secret", "/proxy/a/b/-"),
        ("/a/b/sec\nret", "/a/b/-"),
        ("/a/b", "/a/b"),
        ("/a/c/d", "/a/c/d"),
    ],
)
def test_secrets_in_paths_are_not_logged(small, path, written):
    with small.test_request_context("/") as context:
        context.request.path = path
        assert path_for_log() == written


def test_no_record_of_a_refused_address_holds_the_secret(app, caplog):
    caplog.set_level(logging.DEBUG)
    client = app.test_client()
    for path in (
        "/setup/secret",
        "/setup//secret/x",
        "/setup/x/secret",
        "/setup;/secret",
        "/Setup/secret",
        "/gz/setup/secret",
        "/%73etup/secret",
    ):
        for method in ("GET", "POST", "PUT"):
            response = client.open(path, method=method, headers=HTML)
            assert response.status_code in (308, 400, 404, 405)
            # The next request of the browser does not name the address either.
            assert response.headers["Referrer-Policy"] == "strict-origin"
    written = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert len(written) >= 12
    assert not [line for line in written if "secret" in line]


@pytest.mark.parametrize("path", ["/pi/5", "/pi/5/6", "/fib", "/fib/5"])
def test_figures_refuse_other_methods_in_json(app, path):
    response = app.test_client().post(path, headers=HTML)
    assert (response.status_code, response.json["status"]) == (405, 405)


def test_addresses_beside_figures_are_pages(app):
    for path in ("/pie", "/pi-5", "/fibs/1"):
        response = app.test_client().get(path, headers=HTML)
        assert (response.status_code, response.mimetype) == (404, "text/html"), path


def test_an_import_may_be_larger_than_other_forms(as_role):
    editor = as_role("editor")
    token = editor.token("/cities/import")
    body = {"csrf_token": token, "file": "x" * 4_500_000}
    for path, status in (("/cities/import", 422), ("/cities/new", 413)):
        response = editor.client.post(
            path, data=body, headers=HTML, content_type="application/x-www-form-urlencoded"
        )
        assert response.status_code == status, path
