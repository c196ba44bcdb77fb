"""The number of statements and transactions of pages and uploads; no connection is held while
Redis is used."""

from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import event

from app.database.cursor import FIRST
from app.database.engine import db
from app.files.listing import FileListing, select_files
from app.setup.services import create_link_path
from tests.cities.conftest import add_city
from tests.factories import (
    OPERATOR,
    PASSWORD,
    Browser,
    add_person,
    add_token,
    connections_held,
    statements,
)
from tests.files.helpers import Script, store

FILES = 20


@contextmanager
def commits(engine):
    """A list with an entry for each commit within the block."""
    seen = []

    def note(connection):
        seen.append(connection)

    event.listen(engine, "commit", note)
    try:
        yield seen
    finally:
        event.remove(engine, "commit", note)


def test_files_by_owner_cost_as_many_statements_for_many_owners_as_for_two(any_app):
    by_owner, costs = FileListing(sort="from", descending=False), []
    for owners in (range(2), range(2, 8)):
        for number in owners:
            store(add_person(f"person {number}", "editor"), f"{number}.pdf")
        with statements() as sent:
            assert len(select_files(OPERATOR, by_owner, FIRST, owners.stop).rows) == owners.stop
        costs.append(len(sent))
    assert costs[0] == costs[1]


def test_page_of_a_city_holds_no_connection_while_it_asks_redis(app, as_role):
    editor = as_role("editor")
    with app.app_context():
        add_city()
        db.session.remove()
    with connections_held(app) as held:
        assert editor.get("/cities/1").status_code == 200
    assert held
    assert set(held) == {0}


def test_signing_in_holds_no_connection_while_it_asks_redis(app):
    with app.app_context():
        link = create_link_path()
    browser, late = Browser(app), Browser(app)
    claim = {"name": "Ada", "password": PASSWORD, "again": PASSWORD, "sample": "y"}
    change = {"current": PASSWORD, "password": "another password", "again": "another password"}
    for step, status in (
        (partial(browser.get, "/setup/guess"), 404),
        (partial(browser.submit, link, claim), 303),
        (partial(browser.get, link), 404),
        (partial(late.submit, "/login", {"name": "nobody", "password": PASSWORD}), 422),
        (partial(late.submit, "/login", {"name": "Ada", "password": "wrong"}), 422),
        (partial(late.submit, "/login", {"name": "Ada", "password": PASSWORD}), 303),
        (partial(late.submit, "/account/password", {**change, "current": "wrong"}), 422),
        (partial(late.submit, "/account/password", {**change, "again": ""}), 422),
        (partial(late.submit, "/account/password", change), 303),
    ):
        with connections_held(app) as held:
            assert step().status_code == status, step
        assert held, step
        assert set(held) == {0}, step


@pytest.mark.parametrize("valid", [True, False])
def test_figure_for_a_token_holds_no_connection_while_it_asks_redis(valid, app):
    with app.app_context():
        text = add_token(add_person("Ada")) if valid else "gz_wrong"
    headers = {"Authorization": f"Bearer {text}"}
    with connections_held(app) as held:
        assert app.test_client().get("/fib/30000", headers=headers).status_code == 200
    assert len(held) >= 3  # it is not in the cache
    assert set(held) == {0}


def test_conflict_of_a_city_holds_no_connection_while_it_asks_redis(app, as_role):
    editor = as_role("editor")
    with app.app_context():
        add_city()
        db.session.remove()
    typed = {"province": "广东", "city": "深圳", "number": "6", "version": "older"}
    with connections_held(app) as held:
        response = editor.submit("/cities/1", typed)
    assert response.status_code == 409, response.text
    assert set(held) == {0}


def test_folder_in_one_form_is_stored_in_few_transactions(app):
    script = Script(app)
    with app.app_context():
        engine = db.engine
    with commits(engine) as committed:
        response = script.upload(
            *((f"notes/{number}.txt", b"text\n") for number in range(FILES)), field="folder"
        )
    assert response.status_code == 200
    with app.app_context():
        assert len(select_files(OPERATOR, FileListing(folder="notes"), FIRST, FILES).rows) == FILES
    assert len(committed) <= FILES // 4
