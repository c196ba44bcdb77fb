"""What happened lately: grouped, bounded, and only what a reader may see; on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.actor import ANONYMOUS, Actor, Role, Via
from app.cities import services as cities
from app.database.engine import db
from app.errors import Unauthorized
from app.history import recent
from app.history.models import HistoryEntry
from app.history.recent import recent_changes
from app.history.services import Change
from app.times import now
from tests.cities.conftest import ACTOR, given
from tests.cities.importing.staging import confirm, stage
from tests.factories import OPERATOR, add_person, statements
from tests.files.helpers import editor, store, store_by_script
from tests.history.conftest import change

pytestmark = pytest.mark.usefixtures("any_app")

VIEWER = Actor(8, "viewer", Role.VIEWER)


@pytest.fixture
def person(any_app):
    """The id of an editor."""
    return add_person("editor", "editor")


@pytest.fixture
def people(person):
    """The ids of two editors."""
    return [person, add_person("Ada", "editor")]


def script(person_id):
    return replace(editor(person_id), via=Via.TOKEN)


def groups(actor=VIEWER, most=20):
    """The recent changes: how many, of which action."""
    db.session.rollback()
    return [(group.count, group.newest.action) for group in recent_changes(actor, most)]


def move(entry_id, **ago):
    """Let an entry be older."""
    values = {"at": now() - timedelta(**ago)}
    db.session.execute(update(HistoryEntry).where(HistoryEntry.id == entry_id).values(values))
    db.session.commit()


def test_an_import_is_one_line_for_everybody(person):
    cities.create_city(ACTOR, given("a", "b"))
    confirm(stage(person, "a,b,6\nc,d,1\nc,e,1\n,f,1\n"), person)
    expected = [(1, "import.apply"), (1, "city.create")]
    assert groups() == groups(OPERATOR) == expected


def test_samples_are_one_line():
    cities.add_sample_cities(ACTOR)
    assert groups() == [(418, "city.create")]


def test_uploads_one_after_another_are_one_line(people):
    for name in ("a/1.txt", "a/b/2.txt", "3.txt"):
        store_by_script(people[0], name, b"1", with_folder=True)
    store_by_script(people[1], "4.txt", b"1")
    store_by_script(people[0], "5.txt", b"1")
    move(1, hours=1)
    assert groups() == [
        (1, "file.create"), (1, "file.create"), (2, "file.create"), (1, "file.create"),
    ]  # fmt: skip


def test_uploads_on_pages_are_a_line_each(people):
    """Their Undo would remove what was uploaded to other places before."""
    for name in ("a/1.txt", "b/2.txt", "3.txt"):
        store(people[0], name, b"1", with_folder=True)
    assert groups() == [(1, "file.create")] * 3


def test_what_is_not_about_cities_and_files_is_left_out():
    change(ACTOR, "person.role", Change(1, {"role": "viewer"}, {"role": "editor"}))
    change(ACTOR, "city.update", Change(1, {}, {}), visible_to=ACTOR.id)
    assert groups() == []
    assert groups(ACTOR) == [(1, "city.update")]
    with pytest.raises(Unauthorized):
        recent_changes(ANONYMOUS, 5)


def test_each_batch_is_read_once_however_large(monkeypatch):
    """The entries that follow the first of a batch are not read."""
    monkeypatch.setattr(recent, "COUNT_MOST", 50)
    for batch in ("one", "two"):
        many = [Change(each, after={}) for each in range(1, 201)]
        change(ACTOR, "city.create", *many, batch_id=batch)
    cities.create_city(ACTOR, given())
    with statements() as sent:
        assert groups() == [
            (1, "city.create"), (None, "city.create"), (None, "city.create"),
        ]  # fmt: skip
    # The heads, and the counts of both batches at once.
    assert len([each for each in sent if each[0] != "BEGIN"]) == 2


def test_each_of_many_uploads_is_counted(people):
    for number in range(120):
        two = [Change(2 * number + each, after={}) for each in (1, 2)]
        change(script(people[0]), "file.create", *two, batch_id=f"{number}")
    assert groups() == [(240, "file.create")]


def test_more_than_the_most_is_true_without_the_newest(monkeypatch):
    """The sentence names the newest, and says how many others there are."""
    monkeypatch.setattr(recent, "COUNT_MOST", 2)
    for count in (3, 4):
        many = [Change(each, after={}) for each in range(count)]
        change(ACTOR, "city.create", *many, batch_id=f"{count}")
    assert groups() == [(None, "city.create"), (3, "city.create")]


def test_a_long_run_of_uploads_is_several_lines(monkeypatch, people):
    """So that what others have done before is shown too."""
    monkeypatch.setattr(recent, "JOINED_MOST", 3)
    cities.create_city(ACTOR, given())
    for number in range(7):
        store_by_script(people[0], f"{number}.txt", b"1")
    assert groups() == [*[(3, "file.create")] * 2, (1, "file.create"), (1, "city.create")]


def test_reading_ends_however_long_a_run_of_uploads_is(monkeypatch, people):
    monkeypatch.setattr(recent, "HEADS_MOST", 7)
    monkeypatch.setattr(recent, "CHUNK", 3)
    for number in range(9):
        store_by_script(people[0], f"{number}.txt", b"1")
    assert groups() == [(7, "file.create")]
    for number in range(3):
        cities.create_city(ACTOR, given(city=f"{number}"))
    assert groups(most=2) == [(1, "city.create")] * 2
    assert groups() == [*[(1, "city.create")] * 3, (4, "file.create")]


def test_entries_of_the_previous_release_are_grouped_by_their_batch():
    many = [Change(each, after={}) for each in range(1, 4)]
    change(ACTOR, "city.create", *many, batch_id="old")
    db.session.execute(update(HistoryEntry).values(folded=False))
    db.session.commit()
    assert groups() == [(3, "city.create")]


def test_no_database_reads_or_sorts_the_whole_history():
    for each in range(30):
        change(ACTOR, "city.update", Change(each, {}, {}))
    with statements() as sent:
        groups()
    explain = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN"
    reads = [(text, values) for text, values in sent if text.startswith("SELECT")]
    for statement, values in reads:
        with db.engine.connect() as connection:
            rows = connection.exec_driver_sql(f"{explain} {statement}", values).all()
        plan = str([row._asdict() for row in rows])
        assert "filesort" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan
        assert "ix_history_folded" in plan, plan
