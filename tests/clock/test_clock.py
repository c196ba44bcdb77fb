"""The clock runs what packages registered: one clock at a time, and no job stops the others."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from redis.exceptions import RedisError
from sqlalchemy import delete, update

from app.clock import lease, registry
from app.clock import run as clocks
from app.clock.models import Lease
from app.clock.registry import Task
from app.clock.run import Clock
from app.config import ROOT
from app.database.engine import db
from app.database.service import unrecorded
from tests import servers
from tests.factories import at_once


@pytest.fixture(autouse=True)
def no_lease(any_app):
    """The tables are as after the migrations."""
    remove_lease()


@unrecorded
def remove_lease():
    db.session.execute(delete(Lease))


@unrecorded
def age_lease(seconds):
    db.session.execute(
        update(Lease).values(until_at=lease.database_time() - timedelta(seconds=seconds))
    )


def clock(holder, done, **more):
    """A clock with one job, which writes down who ran it."""
    return Clock([Task("job", 60, lambda: done.append(holder), **more)], holder)


def test_one_of_two_clocks_works():
    done = []
    first, second = clock("first", done), clock("second", done)
    for _ in range(2):
        first.tick()
        second.tick()
    assert done == ["first"]


def test_clocks_that_begin_at_once(any_app):
    results = at_once(any_app, *[lambda name=name: lease.take(name) for name in "abcd"])
    assert sorted(results) == [False, False, False, True]


def test_the_lease_of_a_killed_clock_ends():
    done = []
    clock("killed", done).tick()
    age_lease(1)
    clock("next", done).tick()
    assert done == ["killed", "next"]
    assert not lease.take("killed")


def test_a_clock_that_stops_gives_its_lease_up():
    done = []
    ticks = iter([False, False, True])
    clock("first", done).run(lambda: next(ticks))
    clock("second", done).tick()
    assert done == ["first", "second"]


def test_a_clock_that_does_not_have_the_lease_does_not_give_it_up():
    assert lease.take("first")
    lease.give_up("second")
    assert not lease.take("second")


def test_what_each_host_has_of_its_own_is_done_by_every_clock():
    done = []
    for holder in ("first", "second"):
        clock(holder, done, per_host=True).tick()
    assert done == ["first", "second"]


def test_jobs_run_when_they_are_due(monkeypatch):
    moment, done = [1000.0], []
    monkeypatch.setattr(clocks.time, "monotonic", lambda: moment[0])
    running = clock("first", done)
    for seconds in (0, 30, 29, 1, 59, 1):
        moment[0] += seconds
        running.tick()
    assert len(done) == 3


@pytest.mark.parametrize("error", [ValueError("a fault"), RedisError("away")])
def test_a_job_that_fails_does_not_stop_the_others(caplog, error):
    done = []

    def fail():
        raise error

    jobs = [Task("bad", 0, fail), Task("good", 0, lambda: done.append(1))]
    running = Clock(jobs, "first")
    for _ in range(2):
        running.tick()
    assert done == [1, 1]
    assert "housekeeping: bad failed" in caplog.text
    assert str(error) in caplog.text


def test_a_job_that_leaves_a_transaction_open_holds_nothing(any_app):
    Clock([Task("bad", 0, lambda: db.session.connection())], "first").tick()
    assert db.engine.pool.checkedout() == 0


def test_a_database_that_is_away_is_logged_once(make_app, caplog):
    port = servers.free_port()
    app = make_app(DATABASE_URL=f"mysql://u:secret@127.0.0.1:{port}/nothing")
    done = []
    with app.app_context():
        running = clock("first", done)
        for _ in range(3):
            running.extended = float("-inf")
            running.tick()
    assert done == []
    assert caplog.text.count("the clock has no lease") == 1
    assert "secret" not in caplog.text


def test_a_clock_that_does_not_run_is_noticed():
    assert lease.is_late()
    lease.take("first")
    assert not lease.is_late()
    age_lease(299)
    assert not lease.is_late()
    age_lease(301)
    assert lease.is_late()


def test_every_package_has_registered_its_housekeeping(any_app):
    jobs = registry.jobs_of(any_app)
    on_sqlite = db.engine.dialect.name == "sqlite"
    assert set(jobs) == {
        "downloads counted",
        "ended jobs deleted",
        "expired imports deleted",
        "jobs sent",
        "keys of old forms deleted",
        "left-over uploads deleted",
        "old days of the security log deleted",
        "old runs of schedules deleted",
        "previews without a file and outdated ones deleted",
        "removed cities deleted",
        "removed files deleted",
        "results delivered",
        "schedules",
        "search keys",
        "sessions ended after a restore",
        *(["bytes of the write-ahead log freed"] if on_sqlite else []),
    }
    assert {name for name, job in jobs.items() if job.apart} == {
        "jobs sent",
        "results delivered",
        "schedules",
    }
    assert {name for name, job in jobs.items() if job.per_host} == {
        "left-over uploads deleted",
        "old days of the security log deleted",
        "previews without a file and outdated ones deleted",
    }
    for job in jobs.values():
        job.work()


def test_what_is_apart_does_not_wait_for_the_others(any_app):
    """Nor for the lease."""
    done, waits = threading.Event(), threading.Event()
    tasks = [
        Task("slow", 60, lambda: waits.wait(60)),
        Task("apart", 0.01, lambda: (done.set(), waits.set()), apart=True),
    ]
    Clock(tasks, "first").run(lambda: done.is_set() and waits.is_set())
    assert done.is_set()


@pytest.mark.deploy
def test_the_program_works_until_it_is_stopped(app, site_environment):
    env = {**os.environ, "ENV_FILE": os.devnull, **site_environment}
    words = [sys.executable, "-m", "flask", "clock"]
    popen = subprocess.Popen(words, cwd=ROOT, env=env, stderr=subprocess.PIPE)
    with app.app_context(), popen as process:

        def has_lease():
            db.session.rollback()
            return not lease.is_late()

        servers.wait_until(has_lease, "it has the lease", 60)
        db.session.rollback()
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    assert b"Traceback" not in output
    with app.app_context():
        assert lease.take("next")
