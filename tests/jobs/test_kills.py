"""kill -9 of what does jobs: a child, a whole worker, the clock, Redis. Every job is done, and each
of its steps has its effect once."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select

from app.config import ROOT
from app.database.engine import db
from app.jobs import kinds, services
from app.jobs.models import ACTIVE, Job
from tests import servers
from tests.factories import OPERATOR
from tests.jobs.programs import EFFECTS, STEPS

pytestmark = pytest.mark.deploy

STEPS_EACH = 40


class Programs:
    """The programs of one host, which are started again when they are killed, as supervisor does,
    and a Redis that writes its data."""

    module = "tests.jobs.programs"

    def __init__(self, folder: Path, env: dict[str, str], fsync: str) -> None:
        self.folder, self.fsync = folder, fsync
        self.socket = folder / "redis.sock"
        self.env = {**os.environ, "ENV_FILE": os.devnull, **env}
        self.env["REDIS_URL"] = f"unix://{self.socket}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.log = folder / "log"
        for name in ("redis", "clock", "worker"):
            self.start(name)

    def start(self, name: str) -> None:
        words = {
            "redis": [
                servers.REDIS, "--port", "0", "--unixsocket", str(self.socket),
                "--dir", str(self.folder), "--appendonly", "yes", "--appendfsync", self.fsync,
                "--save", "",
            ],
        }.get(name, [sys.executable, "-m", self.module, name])  # fmt: skip
        with self.log.open("ab") as out:
            self.running[name] = subprocess.Popen(
                words, cwd=ROOT, env=self.env, stdout=out, stderr=out, start_new_session=True
            )
        if name == "redis":
            servers.wait_until(self.redis_answers, "Redis answers")

    def redis_answers(self) -> bool:
        with Redis(unix_socket_path=str(self.socket)) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False

    def kill(self, name: str) -> None:
        """Kill a program, with its children as supervisor does; or a child of the worker alone."""
        if name == "child":
            for pid in sorted(servers.children(self.running["worker"].pid))[:1]:
                os.kill(pid, signal.SIGKILL)
            return
        os.killpg(self.running[name].pid, signal.SIGKILL)
        self.running[name].wait()
        self.start(name)

    def stop(self) -> None:
        for name in ("worker", "clock", "redis"):
            os.killpg(self.running[name].pid, signal.SIGKILL)
            self.running[name].wait()


@contextmanager
def started(env: dict[str, str], fsync: str = "everysec") -> Iterator[Programs]:
    """The programs, and the table of the effects. The application has the kinds of the tests."""
    EFFECTS.drop(db.engine, checkfirst=True)
    EFFECTS.create(db.engine)
    db.session.rollback()
    with servers.short_folder("kills") as folder:
        programs = Programs(folder, env, fsync)
        try:
            yield programs
        finally:
            programs.stop()
            db.session.rollback()  # what it has read is locked on MariaDB
            EFFECTS.drop(db.engine)


def states() -> list[str]:
    """Of the jobs of this test; the clock may start what ships, too."""
    found = list(db.session.scalars(select(Job.state).where(Job.kind == STEPS.name)))
    db.session.rollback()
    return found


def progress() -> int:
    """How many steps are reported; more after all jobs have ended."""
    done = select(func.sum(Job.progress_done)).where(Job.kind == STEPS.name)
    found = int(db.session.scalar(done) or 0)
    return found if set(states()) != {"done"} else time.monotonic_ns()


def kill_all(programs: Programs, ids: list[int], rounds: int) -> None:
    """Kill each of them so many times, at moments of a fixed sequence; then every job ends, and has
    had each effect once."""
    chance = random.Random(7)
    victims = ["child", "worker", "clock", "redis"] * rounds
    chance.shuffle(victims)
    for victim in victims:
        # A job that is killed three times without any progress is lost, which is right.
        before = progress()
        servers.wait_until(lambda before=before: progress() > before, "a job goes on", 1800)
        time.sleep(chance.uniform(0, 1))
        programs.kill(victim)
    servers.wait_until(lambda: not set(states()) & set(ACTIVE), "all jobs have ended", 1800)
    assert set(states()) == {"done"}
    rows = db.session.execute(select(EFFECTS.c.job_id, EFFECTS.c.step)).all()
    assert sorted(rows) == sorted((job_id, step) for job_id in ids for step in range(STEPS_EACH))


LONG = (pytest.mark.soak, pytest.mark.timeout(3600))


@pytest.fixture
def environment(any_app, site_environment, monkeypatch):
    """The settings of the programs. The application knows their kind."""
    known = {**any_app.extensions[kinds.EXTENSION], STEPS.name: STEPS}
    monkeypatch.setitem(any_app.extensions, kinds.EXTENSION, known)
    return {**site_environment, "DATABASE_URL": any_app.config["SETTINGS"].database_url}


@pytest.mark.parametrize("any_app", ["sqlite"], indirect=True)
def test_a_child_that_takes_long_to_start_is_not_killed(environment):
    with started({**environment, "CHILD_START_SECONDS": "7"}):
        services.start_job(OPERATOR, STEPS.name, {"steps": 1})
        servers.wait_until(lambda: states() == ["done"], "the job is done", 60)


@pytest.mark.parametrize(("rounds", "jobs"), [(1, 4), pytest.param(20, 60, marks=LONG)])
def test_every_effect_is_there_once(environment, rounds, jobs):
    # As the private Redis does; a message that is lost is sent again after a minute.
    fsync = "everysec" if rounds > 1 else "always"
    with started(environment, fsync) as programs:
        args = {"steps": STEPS_EACH}
        ids = [services.start_job(OPERATOR, STEPS.name, args) for _ in range(jobs)]
        kill_all(programs, ids, rounds)
