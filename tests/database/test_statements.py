"""The number of statements and transactions of pages and uploads; no connection is held while
Redis is used."""

from contextlib import contextmanager

import pytest
import redis
from sqlalchemy import event

from app.database.engine import db
from app.database.keyset import FIRST
from app.files.listing import FileListing, select_files
from tests.cities.conftest import add_city
from tests.factories import OPERATOR, add_person, statements
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


def test_page_of_a_city_holds_no_connection_while_it_asks_redis(app, as_role, monkeypatch):
    editor = as_role("editor")
    with app.app_context():
        add_city()
        db.session.remove()
        pool = db.engine.pool
    held, send = [], redis.connection.AbstractConnection.send_packed_command

    def note_and_send(*args, **kwargs):
        held.append(pool.checkedout())
        return send(*args, **kwargs)

    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", note_and_send)
    assert editor.get("/cities/1").status_code == 200
    assert held
    assert set(held) == {0}


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="Each file of a form is committed by itself, so that a large folder takes minutes.",
)
def test_folder_in_one_form_is_stored_in_few_transactions(app):
    script = Script(app)
    with app.app_context():
        engine = db.engine
    with commits(engine) as committed:
        answer = script.upload(
            *((f"notes/{number}.txt", b"text\n") for number in range(FILES)), field="folder"
        )
    assert answer.status_code == 200
    with app.app_context():
        assert len(select_files(OPERATOR, FileListing(), FIRST, FILES).rows) == FILES
    assert len(committed) <= FILES // 4
