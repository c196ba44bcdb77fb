"""Jobs in this process: kinds of the tests, and a worker without a broker."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.actor import Role
from app.database import service as transactions
from app.database.dialects import DatabaseTime
from app.database.engine import db
from app.database.service import unrecorded
from app.jobs import kinds
from app.jobs.kinds import JobKind
from app.jobs.models import Job
from app.jobs.run import Run
from app.jobs.worker.beats import Beats
from app.jobs.worker.perform import run_job

Work = Callable[[Run], str | None]


@pytest.fixture
def kind(any_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., JobKind]:
    """Registers a kind for this test: kind(work, name="test", exclusive=True)."""
    known = dict(any_app.extensions[kinds.EXTENSION])
    monkeypatch.setitem(any_app.extensions, kinds.EXTENSION, known)

    def add(work: Work, name: str = "test", **more: object) -> JobKind:
        more = {"role": Role.EDITOR, **more}
        known[name] = JobKind(name, name, work, **more)  # type: ignore[arg-type]
        return known[name]

    return add


@pytest.fixture
def beats(any_app: Flask) -> Beats:
    """Beats that are not running: a test calls beat()."""
    return Beats(any_app)


class SlowWriter:
    """Another process that writes to SQLite. Time passes only while others wait for it."""

    def __init__(self) -> None:
        self.other: Any = db.engine.raw_connection()
        self.moment = self.end = 0.0

    def write(self, seconds: float) -> None:
        self.other.execute("BEGIN IMMEDIATE")
        self.end = self.moment + seconds

    def monotonic(self) -> float:
        return self.moment

    def sleep(self, _seconds: float) -> None:
        self.moment += 0.1
        if self.moment >= self.end:
            self.other.rollback()


@pytest.fixture
def slow_writer(any_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowWriter]:
    writer = SlowWriter()
    monkeypatch.setattr(transactions, "time", writer)
    yield writer
    writer.other.rollback()
    writer.other.close()


def work(beats: Beats, job_id: int, is_stopping: Callable[[], bool] = lambda: False) -> Job:
    """Do a job as a worker does; returns its row."""
    run_job(job_id, beats, is_stopping)
    return read(job_id)


def read(job_id: int) -> Job:
    """The present row of a job."""
    db.session.rollback()
    return db.session.scalars(select(Job).where(Job.id == job_id)).one()


@unrecorded
def age(job_id: int, **seconds: float) -> None:
    """Put moments of a job into the past: age(job_id, beat_at=31)."""
    values = {name: DatabaseTime(-number) for name, number in seconds.items()}
    db.session.execute(update(Job).where(Job.id == job_id).values(values))


@unrecorded
def write(job_id: int, **values: object) -> None:
    """Change a row behind the back of the services."""
    db.session.execute(update(Job).where(Job.id == job_id).values(values))


def other(beats: Beats, name: str) -> Beats:
    """The beats of another process."""
    found = Beats(beats.app)
    found.name = name
    return found
