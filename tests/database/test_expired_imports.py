"""Imports that nobody confirmed are deleted in small steps."""

from datetime import timedelta

from sqlalchemy import event, select, text, update

from app.cities.importing import cleaning
from app.cities.importing.models import CityImport
from app.database.engine import db
from app.times import now
from tests.cities.importing.staging import confirm, expire, stage
from tests.factories import add_person

EXPIRED = 4


def test_expired_imports_are_deleted_one_per_statement(any_app):
    person = add_person("editor", "editor")
    expired = {stage(person, "广东,深圳市,1\n广东,广州市,2\n") for _ in range(EXPIRED)}
    db.session.execute(update(CityImport).values(created_at=now() - timedelta(days=2)))
    db.session.commit()
    deleted = []

    def count(_connection, cursor, statement, *_rest):
        if statement.startswith("DELETE FROM city_import "):
            deleted.append(cursor.rowcount)

    event.listen(db.engine, "after_cursor_execute", count)
    fresh = {stage(person, "广东,佛山市,3\n") for _ in range(EXPIRED)}
    cleaning.delete_ended()
    event.remove(db.engine, "after_cursor_execute", count)
    assert set(db.session.scalars(select(CityImport.id))) == fresh
    assert sum(deleted) == len(expired)
    assert max(deleted) == 1


def test_a_confirmed_import_remains(any_app):
    person = add_person("editor", "editor")
    confirmed, waiting = (stage(person, f"广东,{name},1\n") for name in ("深圳市", "广州市"))
    confirm(confirmed, person)
    expire(confirmed, waiting)
    assert cleaning.delete_ended() == 1
    cleaning.delete_import(confirmed)  # as if it were confirmed after it was found
    assert db.session.scalars(select(CityImport.id)).all() == [confirmed]


def test_an_import_that_cannot_be_deleted_does_not_keep_newer_ones(app, caplog):
    """As one that is locked, see test_locked_rows.py: SQLite locks no single rows."""
    with app.app_context():
        person = add_person("editor", "editor")
        first, *others = (stage(person, "广东,深圳市,1\n") for _ in range(EXPIRED))
        expire(first, *others)
        refuse = f"""CREATE TRIGGER refuse BEFORE DELETE ON city_import WHEN OLD.id = {first}
            BEGIN SELECT RAISE(ABORT, 'it is refused'); END"""
        db.session.execute(text(refuse))
        db.session.commit()
        assert cleaning.delete_ended() == len(others)
        assert db.session.scalars(select(CityImport.id)).all() == [first]
    assert "an expired import was not deleted" in caplog.text
