"""Housekeeping: the clock does it itself, one clock at a time, and shows when that failed."""

from datetime import timedelta

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import text

from app.database.dialects import database_time
from app.database.engine import db
from app.errors import NoSpace
from app.jobs import kinds
from app.jobs.models import Job
from app.schedules import services, shipped
from app.schedules.queries import read_problems
from app.schedules.running import due, housekeeping
from app.schedules.shipped import Shipped
from app.schedules.triggers import TriggerKind
from tests.factories import OPERATOR, at_once
from tests.jobs.conftest import work as do_job
from tests.schedules.conftest import make_due, read, runs, states

pytestmark = pytest.mark.usefixtures("any_app")


@pytest.fixture
def add(any_app, monkeypatch):
    """Makes a schedule of every hour for some work; returns its id."""
    known = dict(any_app.extensions[kinds.EXTENSION])
    monkeypatch.setitem(any_app.extensions, kinds.EXTENSION, known)

    def make(work, name="sweep"):
        kinds.add_housekeeping(any_app, name, name, work)
        assert shipped.store(Shipped(name, name, name, "1 h", TriggerKind.INTERVAL))
        query = text("SELECT id FROM schedule WHERE shipped = :name")
        return db.session.scalar(query, {"name": name})

    return make


def fail(error):
    raise error


def test_what_is_due_is_done_once(add):
    done = []
    schedule_id = add(lambda: done.append(1))
    before = database_time()
    for _ in range(3):
        housekeeping.work()
    row = read(schedule_id)
    assert done == [1]
    assert row.ran_at >= before
    assert row.next_at == row.starts_at + timedelta(hours=1)
    assert runs(schedule_id) == []
    make_due(schedule_id, 86_400)  # a clock that was away does not make up for it
    for _ in range(3):
        housekeeping.work()
    assert done == [1, 1]
    assert read(schedule_id).next_at > database_time()


def test_one_of_several_clocks_does_it(any_app, add):
    done = []
    add(lambda: done.append(1))
    at_once(any_app, *[housekeeping.work] * 4)
    assert done == [1]


def test_of_several_that_are_due_the_longest_due_is_first(add):
    done = []
    for name, seconds in (("late", 10), ("later", 20)):
        make_due(add(lambda name=name: done.append(name), name), seconds)
    housekeeping.work()
    assert done == ["later", "late"]


def test_after_slow_work_the_rest_waits_for_the_next_look(add, monkeypatch):
    monkeypatch.setattr(housekeeping, "POLL_SECONDS", 0)
    done = []
    for name, seconds in (("second", 10), ("first", 20)):
        make_due(add(lambda name=name: done.append(name), name), seconds)
    housekeeping.work()
    assert done == ["first"]
    housekeeping.work()
    assert done == ["first", "second"]


def test_while_it_is_done_no_other_clock_begins_it_until_the_lease_ends(add):
    done = []

    def look():
        done.append(1)
        if len(done) == 1:
            housekeeping.work()
            assert done == [1]
            make_due(schedule_id, 0)  # as LEASE_SECONDS later, after this one was killed
            housekeeping.work()

    schedule_id = add(look)
    housekeeping.work()
    assert done == [1, 1]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("secret"), "The log of the clock says why"),
        (RedisConnectionError("secret"), "Redis did not answer"),
        (NoSpace(), "Nothing was saved"),
    ],
)
def test_a_failure_is_noted_and_the_next_run_comes(add, caplog, error, words):
    schedule_id = add(lambda: fail(error))
    housekeeping.work()
    [run] = runs(schedule_id)
    assert (run.state, run.job_id) == ("failed", None)
    assert words in run.shown
    assert "secret" not in run.message
    assert "housekeeping: sweep failed" in caplog.text
    row = read(schedule_id)
    assert row.ran_at is None
    assert row.next_at > database_time()


def test_an_error_of_the_database_is_noted(add):
    schedule_id = add(lambda: db.session.execute(text("SELECT nonsense")))
    housekeeping.work()
    assert "The database did not answer, or refused this" in runs(schedule_id)[0].shown


def test_failures_in_a_row_are_one_row_and_reported_until_it_is_done(add):
    errors = [ValueError(), ValueError(), None, ValueError()]
    schedule_id = add(lambda: (error := errors.pop(0)) and fail(error))
    for _ in range(2):
        make_due(schedule_id, 1)
        housekeeping.work()
    [run] = runs(schedule_id)
    assert run.missed_until > run.planned_at
    assert (read_problems().count, read_problems().name) == (1, "sweep")
    make_due(schedule_id)
    housekeeping.work()
    assert read_problems() is None
    make_due(schedule_id)
    housekeeping.work()
    assert states(schedule_id) == ["failed", "failed"]
    assert read_problems().count == 1


def test_what_is_paused_is_not_done_also_if_it_was_paused_in_the_meantime(add):
    done = []

    def pause():
        done.append(1)
        services.pause_schedule(OPERATOR, schedule_id)

    schedule_id = add(pause)
    housekeeping.work()
    assert read(schedule_id).next_at is None
    housekeeping.work()
    assert done == [1]
    services.resume_schedule(OPERATOR, schedule_id)
    assert read(schedule_id).next_at > database_time()


def test_by_hand_it_is_a_job(add, beats):
    schedule_id = add(lambda: 12)
    due.work()
    job: Job = do_job(beats, services.run_schedule(OPERATOR, schedule_id))
    assert (job.state, job.result) == ("done", "12")
    due.work()
    assert states(schedule_id) == ["done"]


def test_a_schedule_that_was_removed_in_the_meantime(add):
    def remove():
        db.session.execute(text("DELETE FROM schedule"))
        db.session.commit()

    schedule_id = add(remove)
    housekeeping.work()
    assert runs(schedule_id) == []
