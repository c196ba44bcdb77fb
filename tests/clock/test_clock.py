"""The clock runs the loops that packages registered, and none of them stops the others."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from redis.exceptions import RedisError
from sqlalchemy import delete, select, update

from app.clock import beats, registry
from app.clock import run as clocks
from app.clock.models import Lease
from app.clock.registry import Loop
from app.clock.run import FAILED_SECONDS, Clock
from app.config import ROOT
from app.database.dialects import database_time
from app.database.engine import db
from app.database.service import unrecorded
from tests import servers
from tests.factories import at_once


@pytest.fixture(autouse=True)
def no_beat(any_app):
    """The tables are as after the migrations."""
    remove_beat()


@unrecorded
def remove_beat():
    db.session.execute(delete(Lease))


@unrecorded
def age_beat(seconds):
    ago = database_time() - timedelta(seconds=seconds)
    db.session.execute(update(Lease).values(until_at=ago))


@pytest.fixture
def moment(monkeypatch):
    """The time that the clock sees, in seconds; a test moves it."""
    now = [1000.0]
    monkeypatch.setattr(clocks.time, "monotonic", lambda: now[0])
    return now


def test_loops_run_when_they_are_due(moment):
    done = []
    running = Clock([Loop("loop", 60, lambda: done.append(1))])
    for seconds in (0, 30, 29, 1, 59, 1):
        moment[0] += seconds
        running.tick()
    assert len(done) == 3


@pytest.mark.parametrize("error", [ValueError("a fault"), RedisError("away")])
def test_a_loop_that_fails_does_not_stop_the_others_and_pauses(caplog, moment, error):
    done, failed = [], []

    def fail():
        failed.append(1)
        raise error

    running = Clock([Loop("bad", 0, fail), Loop("good", 0, lambda: done.append(1))])
    for seconds in (0, 1, FAILED_SECONDS):
        moment[0] += seconds
        running.tick()
    assert (len(failed), len(done)) == (2, 3)
    assert "clock: bad failed" in caplog.text
    assert str(error) in caplog.text


def test_a_loop_that_leaves_a_transaction_open_holds_nothing(any_app):
    Clock([Loop("bad", 0, lambda: db.session.connection())]).tick()
    assert db.engine.pool.checkedout() == 0


def test_a_database_that_is_away_is_logged_once(make_app, caplog):
    port = servers.free_port()
    app = make_app(DATABASE_URL=f"mysql://u:secret@127.0.0.1:{port}/nothing")
    done = []
    with app.app_context():
        running = Clock([Loop("loop", 0, lambda: done.append(1))])
        for _ in range(3):
            running.beaten = float("-inf")
            running.tick()
    assert done == []
    assert caplog.text.count("the clock waits") == 1
    assert "secret" not in caplog.text


def test_a_clock_that_does_not_run_is_noticed():
    assert beats.is_late()
    beats.beat()
    assert not beats.is_late()
    age_beat(299)
    assert not beats.is_late()
    age_beat(301)
    assert beats.is_late()
    beats.beat()
    assert not beats.is_late()


def test_clocks_that_begin_at_once(any_app):
    results = at_once(any_app, *[beats.beat] * 4)
    assert results == [None] * 4
    assert len(db.session.scalars(select(Lease.name)).all()) == 1


def test_the_loops(any_app):
    loops = registry.loops_of(any_app)
    on_sqlite = db.engine.dialect.name == "sqlite"
    assert set(loops) == {
        "housekeeping",
        "jobs sent",
        "left-over uploads deleted",
        "old days of the security log deleted",
        "previews without a file and outdated ones deleted",
        "results delivered",
        "schedules",
        "shipped schedules",
        *(["bytes of the write-ahead log freed"] if on_sqlite else []),
    }
    assert {name for name, loop in loops.items() if loop.apart} == {
        "jobs sent",
        "results delivered",
        "schedules",
    }
    for loop in loops.values():
        loop.work()


def test_what_is_apart_does_not_wait_for_the_others(any_app):
    done, waits = threading.Event(), threading.Event()
    loops = [
        Loop("slow", 60, lambda: waits.wait(60)),
        Loop("apart", 0.01, lambda: (done.set(), waits.set()), apart=True),
    ]
    Clock(loops).run(lambda: done.is_set() and waits.is_set())
    assert done.is_set()


@pytest.mark.deploy
def test_the_program_works_until_it_is_stopped(app, site_environment):
    env = {**os.environ, "ENV_FILE": os.devnull, **site_environment}
    words = [sys.executable, "-m", "flask", "clock"]
    popen = subprocess.Popen(words, cwd=ROOT, env=env, stderr=subprocess.PIPE)
    with app.app_context(), popen as process:

        def has_beaten():
            db.session.rollback()
            return not beats.is_late()

        servers.wait_until(has_beaten, "it has beaten", 60)
        db.session.rollback()
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    assert b"Traceback" not in output
