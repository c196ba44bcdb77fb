"""What looks the same is found, on both databases, whichever release stored the keys."""

import pytest
from sqlalchemy import select, update

from app.database import stored_keys
from app.database.engine import db
from app.database.stored_keys import KeyWalk, refresh
from app.files.listing import FileListing
from app.files.models import File
from app.files.search_keys import KEYS
from tests.factories import statements
from tests.files.helpers import store

ALIKE = [
    ("Café.txt", "cafe"),
    ("cafe.txt", "CAFÉ"),
    ("Cafe\u0301.txt", "café"),
    ("café.txt", "cafe\u0301"),
    ("ＡＢＣ.txt", "abc"),
    ("abc.txt", "ＡＢＣ"),
    ("straße.txt", "STRASSE"),
    ("İstanbul.txt", "istanbul"),
    ("istanbul.txt", "İSTANBUL"),
    ("łódź.txt", "lodz"),
    ("a\u00adb.txt", "ab"),
    ("⻓.txt", "长"),
    ("Zürich/a.txt", "zurich/A"),
]


def found(text):
    db.session.rollback()
    return list(db.session.scalars(select(File.name).where(*FileListing(search=text).conditions())))


@pytest.mark.parametrize(("name", "text"), ALIKE)
def test_what_looks_the_same_is_found(people, name, text):
    store(people[0], name, b"x", with_folder=True)
    assert len(found(text)) == 1
    assert found("other") == []


def test_keys_of_other_rules_are_replaced_in_batches(people, monkeypatch):
    monkeypatch.setattr(stored_keys, "BATCH", 3)
    monkeypatch.setattr(stored_keys, "AT_ONCE", 3)
    for number in range(8):
        store(people[0], f"É {number}.txt", b"x")
    old = {"name_key": "é", "search_key": "/é"}

    def spoil():
        db.session.execute(update(File).where(File.id % 2 == 0).values(old))
        db.session.commit()
        assert len(found("e ")) == 4

    spoil()
    stored_keys.refresh_all()
    assert len(found("e ")) == 8
    with statements() as sent:
        refresh(KEYS)
    assert not [statement for statement, _parameters in sent if statement.startswith("UPDATE")]
    spoil()
    walk = KeyWalk(KEYS)
    for _step in range(3):
        walk.step()
    assert len(found("e ")) == 8
