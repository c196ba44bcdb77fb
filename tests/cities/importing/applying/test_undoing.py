"""Undoing an import as a job, on both databases."""

import json

import pytest
from sqlalchemy import select, text, update

from app.cities import services as cities
from app.cities.fields import values_of
from app.cities.importing.applying import parts, retention, services
from app.cities.importing.applying.queries import undoable_ids
from app.cities.importing.models import CityImport, ImportLine, ImportState
from app.cities.models import City, RemovedCity
from app.database.engine import db
from app.errors import Conflict
from app.history.models import HistoryEntry
from app.history.undo import find_undoable, undo_entry
from app.removed.period import oldest_restorable
from tests.cities.conftest import add_cities, version_of
from tests.cities.importing.applying.helpers import became, begin, stop_after, undo
from tests.cities.importing.staging import confirm, editor, perform, read, register, stage


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Parts of three lines."""
    monkeypatch.setattr(parts, "LINES", 3)


def applied(person, lines="a,b0,6\na,b1,1\na,b2,2\na,b3,3\na,b4,4\n"):
    """An import that has changed one city and added four."""
    add_cities(("a", "b0", 5), ("a", "same", 1))
    import_id = stage(person, lines)
    confirm(import_id, person)
    return import_id


def test_added_cities_go_and_changed_ones_get_their_values_back(person):
    import_id = applied(person)
    undo(import_id, person)
    assert register() == [("a", "b0", 5), ("a", "same", 1)]
    found = read(import_id)
    assert (found.state, found.removed, found.reverted, found.kept) == ("undone", 4, 1, 0)
    assert set(became(import_id).values()) == {"undone"}


def test_removed_cities_can_be_restored_one_by_one(person):
    undo(applied(person), person)
    removed = db.session.scalars(select(RemovedCity).order_by(RemovedCity.id)).all()
    assert [row.cityname for row in removed] == ["b1", "b2", "b3", "b4"]
    assert {row.removed_by for row in removed} == {"editor"}
    restored = cities.restore_city(editor(person), removed[0].id)
    assert (restored.name, restored.same_id) == ("b1", None)
    assert ("a", "b1", 1) in register()


def test_the_history_says_what_each_entry_undid(person):
    import_id = applied(person)
    undo(import_id, person)
    rows = db.session.scalars(select(HistoryEntry).order_by(HistoryEntry.id)).all()
    entries = {row.id: row for row in rows}
    reverted = [row for row in rows if row.reverts_id]
    assert sorted(row.action for row in reverted) == ["city.delete"] * 4 + ["city.update"]
    for row in reverted:
        former = entries[row.reverts_id]
        assert (former.subject_id, former.before, former.after) == (
            row.subject_id, row.after, row.before,
        )  # fmt: skip
        assert row.folded
    [whole] = [row for row in rows if row.action == "import.undo"]
    assert json.loads(whole.after) == {
        "file_name": "cities.csv", "removed": 4, "reverted": 1, "kept": 0,
    }  # fmt: skip


def city_id(name):
    return db.session.scalars(select(City.id).where(City.cityname == name)).one()


def edit(person, name, users):
    """Change a city on its page."""
    found, version = city_id(name), version_of(city_id(name))
    given = {"province": "a", "city": name, "users": users}
    cities.update_city(editor(person), found, version, given)


def test_what_changed_since_stays_and_is_listed(person):
    import_id = applied(person)
    edit(person, "b0", 7)
    edit(person, "b1", 8)
    cities.delete_city(editor(person), city_id("b2"))
    db.session.execute(text("UPDATE city SET usernumber=9 WHERE cityname='b3'"))
    db.session.commit()
    undo(import_id, person)
    assert register() == [("a", "b0", 7), ("a", "same", 1), ("a", "b3", 9), ("a", "b1", 8)]
    assert list(became(import_id).values()) == ["kept"] * 4 + ["undone"]
    reasons = [row.reason for row in db.session.scalars(select(ImportLine))]
    assert [("removed" in each, "changed" in each) for each in reasons] == [
        (False, True), (False, True), (True, False), (False, True), (False, False),
    ]  # fmt: skip
    found = read(import_id)
    assert (found.kept, found.removed, found.reverted) == (4, 1, 0)


def test_skipped_lines_are_not_undone(person):
    add_cities(("a", "b0", 5))
    import_id = stage(person, "a,b0,6\na,b1,1\n")
    db.session.execute(update(City).values(usernumber=9, version=City.version + 1))
    db.session.commit()
    confirm(import_id, person)
    undo(import_id, person)
    assert register() == [("a", "b0", 9)]
    assert list(became(import_id).values()) == ["skipped", "undone"]


def test_a_stopped_import_is_undone_as_far_as_it_came(person, monkeypatch):
    import_id = stage(person, "".join(f"a,b{i},{i}\n" for i in range(8)))
    with monkeypatch.context() as patch:
        stop_after(patch, "apply_part", 2)
        begin(import_id, person)
        perform()
    assert len(register()) == 6
    undo(import_id, person)
    assert (register(), read(import_id).state) == ([], ImportState.UNDONE)
    confirm(import_id, person)
    assert register() == []


def test_an_import_that_was_stopped_before_its_first_line_is_undone(person, monkeypatch):
    import_id = stage(person, "a,b,1\n")
    with monkeypatch.context() as patch:
        patch.setattr(services, "start", lambda _actor, _job_id, _found, _kind: None)
        begin(import_id, person)
    undo(import_id, person)
    assert (register(), read(import_id).state) == ([], ImportState.UNDONE)


def test_stopped_undoing_can_be_finished(person, monkeypatch):
    import_id = stage(person, "".join(f"a,b{i},{i}\n" for i in range(8)))
    confirm(import_id, person)
    with monkeypatch.context() as patch:
        stop_after(patch, "undo_part", 1)
        undo(import_id, person)
    found = read(import_id)
    assert (found.state, found.removed, len(register())) == (ImportState.UNDOING, 3, 5)
    undo(import_id, person)
    assert (read(import_id).state, register()) == (ImportState.UNDONE, [])
    assert db.session.query(RemovedCity).count() == 8


def test_it_can_be_undone_from_the_history_until_it_is(person):
    import_id = applied(person)
    query = select(HistoryEntry).where(HistoryEntry.action == "import.apply")
    entry = db.session.scalars(query).one()
    assert find_undoable(editor(person), [entry]) == {entry.id}
    undo_entry(editor(person), entry)
    assert find_undoable(editor(person), [entry]) == set()
    perform()
    db.session.rollback()
    assert find_undoable(editor(person), [entry]) == set()
    with pytest.raises(Conflict):
        undo_entry(editor(person), entry)
    assert undoable_ids(editor(person), [import_id]) == []


def test_while_it_is_applied_it_cannot_be_undone(person):
    import_id = stage(person, "a,b,1\n")
    begin(import_id, person)
    with pytest.raises(Conflict, match="at the moment"):
        services.undo_import(editor(person), import_id)


def test_undone_again_an_import_stays_as_it_is(person):
    import_id = stage(person, "a,b,1\n")
    confirm(import_id, person)
    job_id = services.undo_import(editor(person), import_id)
    assert services.undo_import(editor(person), import_id) == job_id
    perform()
    assert services.undo_import(editor(person), import_id) == job_id
    assert (read(import_id).state, register()) == (ImportState.UNDONE, [])


def test_an_import_that_changed_nothing_cannot_be_undone(person):
    import_id = stage(person, "a,b,1\n")
    with pytest.raises(Conflict, match="changed nothing"):
        services.undo_import(editor(person), import_id)
    add_cities(("a", "b", 7))
    confirm(import_id, person)
    with pytest.raises(Conflict, match="changed nothing"):
        services.undo_import(editor(person), import_id)


def test_after_the_undo_period_the_lines_are_deleted_and_it_cannot_be_undone(person):
    old, young = applied(person), stage(person, "a,c,1\n")
    confirm(young, person)
    days = oldest_restorable()
    db.session.execute(update(CityImport).where(CityImport.id == old).values(applied_at=days))
    db.session.commit()
    with pytest.raises(Conflict, match="too old"):
        services.undo_import(editor(person), old)
    assert retention.delete_old_lines() == 5
    assert (became(old), became(young)) == ({}, {2: "applied"})
    assert undoable_ids(editor(person), [old, young]) == [young]


def test_values_of_all_fields_are_as_before(person):
    add_cities(("a", "b0", None))
    before = [values_of(row) for row in db.session.scalars(select(City))]
    import_id = stage(person, "a,b0,6\n")
    confirm(import_id, person)
    undo(import_id, person)
    assert [values_of(row) for row in db.session.scalars(select(City))] == before
