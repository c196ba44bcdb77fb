"""Applying an import as a job, on both databases: what changed since the preview, stops,
repetitions and two at once."""

import json

import pytest
from flask import current_app
from sqlalchemy import insert, select, text, update

from app.actor import Role
from app.auth.models import Person
from app.cities.importing import queries
from app.cities.importing.applying import parts, services, tasks
from app.cities.importing.models import CityImport, ImportLine, ImportState
from app.cities.models import City
from app.database.engine import db
from app.errors import NotFound
from app.history.models import HistoryEntry
from app.jobs.models import Job, JobState
from app.jobs.services import cancel_job, retry_job
from app.jobs.worker.beats import Beats
from app.jobs.worker.perform import run_job
from app.redis.client import redis_store
from tests.cities.conftest import add_cities, stored
from tests.cities.importing.applying.helpers import became, begin, stop_after
from tests.cities.importing.staging import confirm, editor, perform, read, register, stage
from tests.factories import add_person, at_once
from tests.jobs.conftest import read as read_job


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Parts of three lines."""
    monkeypatch.setattr(parts, "LINES", 3)


def test_pieces_that_take_long_have_fewer_lines(monkeypatch):
    monkeypatch.setattr(parts, "LINES", 1000)
    assert parts.fitting_lines(1000, 0.1) == 1000
    assert parts.fitting_lines(1000, 0.6) == 500
    assert parts.fitting_lines(500, 0.15) == 1000
    assert parts.fitting_lines(60, 30) == parts.LINES_LEAST


def test_confirmed_twice_it_is_applied_once(person):
    import_id = stage(person, "a,b,1\n")
    assert confirm(import_id, person) == confirm(import_id, person) == (1, 0)
    assert register() == [("a", "b", 1)]


def test_cached_lists_are_invalidated_after_the_commit(person):
    import_id = stage(person, "a,b,1\n")
    before = redis_store.client.get("gz:cities:mark")
    confirm(import_id, person)
    assert redis_store.client.get("gz:cities:mark") != before


def edited() -> None:
    db.session.execute(update(City).values(usernumber=9, version=City.version + 1))


def edited_by_the_original_program() -> None:
    db.session.execute(text("UPDATE city SET usernumber=9 WHERE cityname='b'"))


def renamed_by_the_original_program() -> None:
    db.session.execute(text("UPDATE city SET cityname='z' WHERE cityname='b'"))


def emptied_by_the_original_program() -> None:
    db.session.execute(text("UPDATE city SET provincename=NULL WHERE cityname='b'"))


def removed() -> None:
    db.session.execute(text("DELETE FROM city WHERE cityname='b'"))


def the_new_one_added() -> None:
    db.session.execute(insert(City).values(provincename="a", cityname="new", usernumber=3))


@pytest.mark.parametrize(
    ("event", "line", "reason"),
    [
        (edited, 2, "changed after the preview"),
        (edited_by_the_original_program, 2, "changed after the preview"),
        (renamed_by_the_original_program, 2, "changed after the preview"),
        (emptied_by_the_original_program, 2, "changed after the preview"),
        (removed, 2, "removed after the preview"),
        (the_new_one_added, 3, "added after the preview"),
    ],
)
def test_what_changed_since_the_preview_is_skipped_and_listed(person, event, line, reason):
    add_cities(("a", "b", 5))
    import_id = stage(person, "a,b,6\na,new,1\na,other,2\n")
    event()
    db.session.commit()
    db.session.remove()  # another request confirms it
    kept = register()
    confirm(import_id, person)
    assert became(import_id) == {2: "applied", 3: "applied", 4: "applied"} | {line: "skipped"}
    found = read(import_id)
    assert (found.state, found.skipped, found.added + found.changed) == ("applied", 1, 2)
    skipped = db.session.get_one(ImportLine, (import_id, line))
    assert reason in skipped.reason
    assert set(kept) - {("a", "b", 5)} <= set(register())
    assert ("a", "other", 2) in register()


def test_an_unrelated_change_does_not_matter(person):
    add_cities(("a", "b", 5), ("a", "other", 1))
    import_id = stage(person, "a,b,6\na,other,1\n")
    db.session.execute(update(City).where(City.cityname == "other").values(usernumber=2))
    db.session.commit()
    assert confirm(import_id, person) == (0, 1)
    assert read(import_id).skipped == 0


def test_an_earlier_preview_cannot_be_confirmed(person):
    import_id = stage(person, "a,b,6\n")
    seen = queries.load_import(editor(person), import_id).preview
    db.session.execute(update(CityImport).values(preview=seen + 1))
    db.session.commit()
    with pytest.raises(services.OutdatedPreview):
        services.confirm_import(editor(person), import_id, seen)
    assert (register(), read(import_id).state) == ([], ImportState.STAGED)


def test_the_list_newest_first_reads_as_the_file(person):
    import_id = stage(person, "".join(f"a,b{i},{i}\n" for i in range(8)))
    assert confirm(import_id, person) == (8, 0)
    assert [row[1] for row in reversed(register())] == [f"b{i}" for i in range(8)]


def test_lines_say_which_city_they_became_and_the_history_each_of_them(person):
    add_cities(("a", "b0", 5))
    import_id = stage(person, "".join(f"a,b{i},{i}\n" for i in range(5)))
    confirm(import_id, person)
    ids = {city: city_id for city_id, _province, city, _users in stored()}
    lines = db.session.scalars(select(ImportLine).order_by(ImportLine.line)).all()
    assert [(row.city_id, row.city_version) for row in lines] == [
        (ids[f"b{i}"], 2 if i == 0 else 1) for i in range(5)
    ]
    entries = db.session.scalars(select(HistoryEntry).order_by(HistoryEntry.id)).all()
    about = [(e.action, e.subject_id) for e in entries if e.subject_kind == "city"]
    assert sorted(about) == sorted(
        [*(("city.create", ids[f"b{i}"]) for i in range(1, 5)), ("city.update", ids["b0"])]
    )
    [whole] = [entry for entry in entries if entry.action == "import.apply"]
    counts = {"new": 4, "changed": 1, "same": 0, "refused": 0, "skipped": 0}
    assert json.loads(whole.after) == {"file_name": "cities.csv", **counts}


def test_a_stopped_import_says_how_far_it_came_and_is_finished(person, monkeypatch):
    import_id = stage(person, "".join(f"a,b{i},{i}\n" for i in range(8)))
    with monkeypatch.context() as patch:
        stop_after(patch, "apply_part", 2)
        job_id = begin(import_id, person)
        perform()
    assert read_job(job_id).state == JobState.CANCELLED
    found = read(import_id)
    assert (found.state, found.added, found.applied_line) == (ImportState.APPLYING, 6, 4)
    assert [row[1] for row in register()] == [f"b{i}" for i in range(7, 1, -1)]
    assert found.finished_at is None
    assert confirm(import_id, person) == (8, 0)
    assert len(register()) == 8
    assert read(import_id).state == ImportState.APPLIED


def test_a_job_that_is_started_again_from_its_page_finishes_the_import(person, monkeypatch):
    import_id = stage(person, "".join(f"a,b{i},{i}\n" for i in range(8)))
    with monkeypatch.context() as patch:
        stop_after(patch, "apply_part", 1)
        job_id = begin(import_id, person)
        perform()
    again = retry_job(editor(person), job_id)
    perform()
    assert read_job(again).state == JobState.DONE
    assert (read(import_id).state, len(register())) == (ImportState.APPLIED, 8)
    retry_job(editor(person), again)
    perform()
    assert len(register()) == 8


def test_a_job_that_was_cancelled_before_it_began_has_applied_nothing(person):
    import_id = stage(person, "a,b,1\n")
    cancel_job(editor(person), begin(import_id, person))
    perform()
    assert (read(import_id).state, register()) == (ImportState.APPLYING, [])
    assert confirm(import_id, person) == (1, 0)


def test_only_the_newest_job_of_an_import_applies_it(person):
    """One that was believed to be dead writes nothing any more."""
    import_id = stage(person, "a,b,1\n")
    job_id = begin(import_id, person)
    other = {**row_of(job_id), "id": job_id + 1, "state": JobState.RUNNING}
    db.session.execute(insert(Job).values(other))
    db.session.execute(update(CityImport).values(job_id=job_id + 1))
    db.session.commit()
    perform()
    assert (read_job(job_id).state, register()) == (JobState.FAILED, [])


def row_of(job_id):
    """The columns of a job."""
    job = read_job(job_id)
    return {column.key: getattr(job, column.key) for column in Job.__table__.c}


def test_a_person_who_was_disabled_applies_nothing(person):
    import_id = stage(person, "a,b,1\n")
    job_id = begin(import_id, person)
    db.session.execute(text("UPDATE person SET role='viewer'"))
    db.session.commit()
    perform()
    assert (read_job(job_id).state, register()) == (JobState.FAILED, [])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("apply_part", {"role": "viewer"}, "role"),
        ("apply_part", {"active": False}, "no access any more"),
        ("undo_part", {"role": "viewer"}, "role"),
    ],
)
def test_a_person_who_loses_access_in_the_middle_goes_no_further(
    person, monkeypatch, name, change, message
):
    import_id = stage(person, "".join(f"a,b{i},{i}\n" for i in range(8)))
    if name == "undo_part":
        confirm(import_id, person)
    part, done = getattr(tasks, name), []

    def do_and_change(*args):
        progress = part(*args)
        db.session.execute(update(Person).values(change))
        db.session.commit()
        done.append(progress)
        return progress

    monkeypatch.setattr(tasks, name, do_and_change)
    if name == "undo_part":
        services.undo_import(editor(person), import_id)
        job_id = read(import_id).job_id
    else:
        job_id = begin(import_id, person)
    perform()
    assert len(done) == 1
    assert read_job(job_id).state == JobState.FAILED
    assert message in read_job(job_id).message
    assert len(register()) == (5 if name == "undo_part" else 3)


def test_confirmations_at_once_apply_once(any_app, person):
    import_id = stage(person, "".join(f"a,b{i},1\n" for i in range(10)))
    preview = queries.load_import(editor(person), import_id).preview
    db.session.rollback()
    work = lambda: services.confirm_import(editor(person), import_id, preview)  # noqa: E731
    done = at_once(any_app, *[work] * 4)
    assert len(set(done)) == 1
    perform()
    assert len(register()) == 10


def test_two_imports_of_the_same_cities_at_once_add_them_once(any_app, person):
    lines = "".join(f"a,b{i},1\n" for i in range(30))
    first, second = stage(person, lines), stage(person, lines)
    jobs = [begin(first, person), begin(second, person)]
    db.session.rollback()
    at_once(any_app, *[lambda job_id=job_id: perform_job(job_id) for job_id in jobs])
    found = [read(first), read(second)]
    assert {each.state for each in found} == {ImportState.APPLIED}
    assert [each.added + each.skipped for each in found] == [30, 30]
    assert len(register()) == 30


def perform_job(job_id):
    run_job(job_id, Beats(current_app), lambda: False)


def test_only_its_owner_and_administrators_confirm(person):
    import_id = stage(person, "a,b,1\n")
    stranger = editor(add_person("stranger", "editor"))
    for verb in (services.undo_import, lambda *ids: services.confirm_import(*ids, 1)):
        with pytest.raises(NotFound):
            verb(stranger, import_id)
    found = queries.load_import(editor(person), import_id)
    admin = editor(add_person("boss", Role.ADMIN))
    boss = type(admin)(admin.id, "boss", Role.ADMIN)
    services.confirm_import(boss, import_id, found.preview)
    perform()
    assert len(register()) == 1
