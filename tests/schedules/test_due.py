"""The clock: what is due is started once, and what was not started in time is recorded."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.database.engine import db
from app.jobs import kinds
from app.jobs import services as jobs
from app.jobs.models import Job
from app.jobs.retention import delete_ended
from app.schedules import services
from app.schedules.queries import read_problems
from app.schedules.running import due
from app.text import N_, dump_messages
from tests.factories import OPERATOR, actor_of, add_person, at_once
from tests.jobs.conftest import age, write
from tests.schedules.conftest import create, make_due, read, runs, states

pytestmark = pytest.mark.usefixtures("any_app")


def jobs_of(schedule_id):
    return [run.job_id for run in runs(schedule_id) if run.job_id]


def test_what_is_due_is_started_once(kind):
    kind()
    schedule_id = create()
    due.work()
    assert runs(schedule_id) == []
    make_due(schedule_id, 1)
    planned = read(schedule_id).next_at
    due.work()
    due.work()
    [run] = runs(schedule_id)
    assert (run.state, run.planned_at) == ("started", planned)
    assert read(schedule_id).next_at == planned + timedelta(hours=1)
    assert db.session.scalars(select(Job.id)).all() == [run.job_id]


def test_of_several_clocks_one_starts_it(any_app, kind):
    kind()
    ids = [create(name=str(number)) for number in range(5)]
    for schedule_id in ids:
        make_due(schedule_id, 1)
    at_once(any_app, *[due.work for _ in range(4)])
    due.work()  # what all have passed over, because another one held it
    assert [states(each) for each in ids] == [["started"]] * 5


def test_all_that_is_due_runs_or_with_coalesce_the_last(kind):
    kind()
    each, last = (
        create(name="each", expression="10 s", at_once=20),
        create(name="last", expression="10 s", coalesce=True),
    )
    for schedule_id in (each, last):
        make_due(schedule_id, 35)
    due.work()
    assert states(each) == ["started"] * 4
    assert states(last) == ["merged"] * 3 + ["started"]


def test_what_is_late_is_missed_and_the_rest_runs(kind):
    kind()
    schedule_id = create(expression="50 s")
    make_due(schedule_id, 175)
    first = read(schedule_id).next_at
    due.work()
    missed, *others = runs(schedule_id)
    assert (missed.state, missed.planned_at) == ("missed", first)
    assert missed.missed_until == others[0].planned_at == first + timedelta(seconds=150)
    assert [run.state for run in others] == ["started"]
    found = read_problems()
    assert (found.count, found.schedule_id, found.planned_at) == (1, schedule_id, first)


def test_one_that_is_late_is_missed_alone(kind):
    kind()
    schedule_id = create()
    make_due(schedule_id, 61)
    due.work()
    [run] = runs(schedule_id)
    assert (run.state, run.missed_until, run.job_id) == ("missed", None, None)
    assert read(schedule_id).next_at > run.planned_at


def test_a_clock_that_was_away_for_a_day_is_at_the_present_at_once(kind):
    kind()
    schedule_id = create(expression="1 s", coalesce=True)
    make_due(schedule_id, 86_400)
    for _ in range(5):
        due.work()
    assert states(schedule_id)[0] == "missed"
    assert states(schedule_id).count("missed") == 1
    assert read(schedule_id).next_at >= due.database_time() - timedelta(seconds=5)
    db.session.rollback()


def test_at_most_so_many_run_at_once(kind):
    kind()
    schedule_id = create(expression="10 s", at_once=2)
    make_due(schedule_id, 25)
    due.work()
    assert states(schedule_id) == ["started", "started", "busy"]
    write(jobs_of(schedule_id)[0], state="done")
    make_due(schedule_id, 1)
    due.work()
    assert states(schedule_id) == ["done", "started", "busy", "started"]


def test_how_a_run_ended_remains_when_its_job_is_deleted(kind):
    kind()
    schedule_id = create()
    for state in ("failed", "cancelled"):
        job_id = services.run_schedule(OPERATOR, schedule_id)
        write(job_id, state=state, message=dump_messages([N_("There is no such job.")]))
        age(job_id, ended_at=31 * 86_400)
    due.work()
    assert delete_ended() == 2
    due.work()
    text = "There is no such job."
    assert [(run.state, run.job_id, run.shown) for run in runs(schedule_id)] == [
        ("failed", None, text), ("cancelled", None, text),
    ]  # fmt: skip


def test_what_is_paused_or_over_does_not_run(kind):
    kind()
    schedule_id = create()
    services.pause_schedule(OPERATOR, schedule_id)
    due.work()
    assert runs(schedule_id) == []


def test_a_kind_that_this_release_does_not_know_waits_for_a_newer_clock(any_app, kind):
    kind()
    schedule_id = create()
    make_due(schedule_id, 1)
    del any_app.extensions[kinds.EXTENSION]["test"]
    due.work()
    assert runs(schedule_id) == []


def test_one_schedule_that_cannot_be_run_does_not_stop_the_others(kind, caplog):
    kind()
    bad, good = create(name="bad"), create(name="good")
    for schedule_id, seconds in ((bad, 2), (good, 1)):
        make_due(schedule_id, seconds)
    row = read(bad)
    row.expression = "nonsense"
    db.session.commit()
    due.work()
    assert states(good) == ["started"]
    assert "was not run" in caplog.text


def test_a_shared_result_is_computed_once(any_app):
    schedule_id = create(kind="sum", args={"a": "1", "b": "2"})
    job_id = jobs.start_job(actor_of(add_person("viewer")), "sum", {"a": "1", "b": "2"})
    for state in ("queued", "done", "failed"):
        write(job_id, state=state)
        assert services.run_schedule(OPERATOR, schedule_id) == job_id
    db.session.rollback()
    assert db.session.get(Job, job_id).state == "queued"


def test_old_runs_are_deleted(kind, monkeypatch):
    kind()
    monkeypatch.setattr(due, "RUNS_RETAINED", 2)
    schedule_id = create(expression="10 s", at_once=20)
    make_due(schedule_id, 45)
    due.work()
    for job_id in jobs_of(schedule_id)[1:]:
        write(job_id, state="done")
    due.settle_runs(due.find_ended())
    assert due.delete_old_runs() == 2
    assert states(schedule_id) == ["started", "done", "done"]
    assert due.delete_old_runs() == 0
