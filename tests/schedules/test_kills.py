"""Three clocks that are killed again and again: no run comes twice, and none is missing."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.config import ROOT
from app.database.engine import db
from app.database.service import run_transaction
from app.jobs import kinds
from app.jobs.models import ACTIVE, Job
from app.schedules.models import GRACE_MOST
from tests import servers
from tests.factories import again_while_locked
from tests.jobs.programs import NOTHING
from tests.schedules.conftest import create, read, runs

pytestmark = pytest.mark.deploy

CLOCKS = 3
WAIT_SECONDS = 60  # for SQLite, to which all of them write
WORDS = [sys.executable, "-m", "tests.jobs.programs", "clock"]


def start(env: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(WORDS, cwd=ROOT, env=env, start_new_session=True)


def kill(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def clocks(env: dict[str, str]) -> Iterator[list["subprocess.Popen[bytes]"]]:
    found = [start(env) for _ in range(CLOCKS)]
    try:
        yield found
    finally:
        for process in found:
            kill(process)


def end_jobs() -> int:
    """End the jobs, as a worker would, so that more may begin; returns how many there are."""
    return again_while_locked(lambda: run_transaction(end_all, WAIT_SECONDS))  # type: ignore[no-any-return]


def end_all() -> int:
    active = update(Job).where(Job.state.in_(ACTIVE))
    db.session.execute(active.values(state="done"))
    own = Job.kind == NOTHING.name  # the clocks may start what ships, too
    return db.session.scalar(select(func.count()).where(own)) or 0


@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.soak)])
def test_every_run_comes_once(any_app, site_environment, monkeypatch, kills):
    known = {**any_app.extensions[kinds.EXTENSION], NOTHING.name: NOTHING}
    monkeypatch.setitem(any_app.extensions, kinds.EXTENSION, known)
    url = any_app.config["SETTINGS"].database_url
    env = {**os.environ, "ENV_FILE": os.devnull, **site_environment, "DATABASE_URL": url}
    chance = random.Random(7)
    # However slow the machine is, nothing is late.
    more = {"expression": "1 s", "at_once": 20, "grace_seconds": GRACE_MOST}
    schedule_id = create(kind=NOTHING.name, **more)
    with clocks(env) as running:
        servers.wait_until(end_jobs, "the first run")
        for _ in range(kills):
            time.sleep(chance.uniform(0.1, 0.7))
            end_jobs()
            victim = chance.randrange(CLOCKS)
            kill(running[victim])
            running[victim] = start(env)
        before = end_jobs()
        servers.wait_until(lambda: end_jobs() > before + 2, "runs after the last kill")
    row, found = read(schedule_id), runs(schedule_id)
    started = [run for run in found if run.state != "busy"]
    moments = [row.starts_at + timedelta(seconds=number + 1) for number in range(len(found))]
    assert [run.planned_at for run in found] == moments
    assert row.next_at == moments[-1] + timedelta(seconds=1)
    assert {run.state for run in found} <= {"started", "done", "busy"}
    assert len({run.job_id for run in started}) == len(started) == end_jobs()
