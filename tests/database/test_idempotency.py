"""One-time keys of forms: the same form makes one thing."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.database.engine import db
from app.database.idempotency import run_once
from app.database.service import unrecorded


class Maker:
    """Makes things with the ids 1, 2, 3 ..."""

    def __init__(self):
        self.made = []

    @unrecorded
    def send(self, actor_id, key, *sent):
        """A form with these values; returns the id of what it made."""
        return run_once(actor_id, key, sent, self.make, self.made.__contains__)

    def make(self):
        self.made.append(len(self.made) + 1)
        return self.made[-1]


@pytest.mark.parametrize("actor_id", [7, None], ids=["person", "command line"])
def test_same_key_and_values_make_one_thing(any_app, actor_id):
    maker = Maker()
    assert [maker.send(actor_id, "k", "a", 1) for _twice in range(2)] == [1, 1]
    assert [maker.send(actor_id, None, "a", 1) for _twice in range(2)] == [2, 3]


@pytest.mark.parametrize("actor_id", [8, None], ids=["person", "command line"])
def test_keys_of_others_are_others(any_app, actor_id):
    maker = Maker()
    assert [maker.send(each, "k", "a") for each in (7, actor_id)] == [1, 2]


def test_values_that_differ_make_different_things(any_app):
    maker = Maker()
    values = [None, 0, "", "0", False]
    assert [maker.send(7, "k", value) for value in values] == [1, 2, 3, 4, 5]


def test_only_the_constraint_of_the_key_means_that_it_was_sent_before(app):
    maker = Maker()
    with app.app_context():
        db.session.execute(
            text(
                "CREATE TRIGGER refuse BEFORE INSERT ON form_key"
                " BEGIN SELECT RAISE(ABORT, 'another constraint'); END"
            )
        )
        db.session.commit()
        with pytest.raises(IntegrityError, match="another constraint"):
            maker.send(7, "k", "a")
    assert maker.made == []
