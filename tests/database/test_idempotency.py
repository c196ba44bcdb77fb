"""Idempotency keys: what they are of, and that a key is used once."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.database.engine import db
from app.database.idempotency import hash_key, is_first_use
from app.database.service import unrecorded

note = unrecorded(is_first_use)


def test_a_stored_key_is_of_actor_key_and_values():
    values = [[None], [0], [""], ["0"], [False], ["a", 1], ["a"]]
    keys = [
        hash_key(actor_id, key, sent)
        for actor_id in (7, 8, None)
        for key in ("k", "l")
        for sent in values
    ]
    assert len(set(keys)) == len(keys)
    assert hash_key(7, "k", {"x": "a", "y": 1}.values()) == hash_key(7, "k", ["a", 1])


def test_only_the_first_use_is_the_first(any_app):
    assert [note("a"), note("a"), note("b")] == [True, False, True]


def test_only_the_constraint_of_the_key_means_that_it_was_used_before(app):
    with app.app_context():
        db.session.execute(
            text(
                "CREATE TRIGGER refuse BEFORE INSERT ON form_key"
                " BEGIN SELECT RAISE(ABORT, 'another constraint'); END"
            )
        )
        db.session.commit()
        with pytest.raises(IntegrityError, match="another constraint"):
            note("a")
