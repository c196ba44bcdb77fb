"""Schedules in this process: a kind of the tests, and a clock whose moments a test chooses."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.actor import Actor, Role
from app.database.dialects import DatabaseTime
from app.database.engine import db
from app.database.service import unrecorded
from app.errors import Invalid
from app.jobs import kinds
from app.jobs.kinds import JobKind
from app.jobs.worker.beats import Beats
from app.schedules import services
from app.schedules.models import Schedule, ScheduleRun
from app.schedules.rules import ScheduleInput
from tests.factories import OPERATOR


def check(args: Any) -> Any:
    if "bad" in args:
        raise Invalid(fields={"bad": "This is bad."})
    return args


def add_kind(app: Flask, monkeypatch: pytest.MonkeyPatch, name: str = "test", **more: Any) -> None:
    """Register a kind for this test."""
    known = dict(app.extensions[kinds.EXTENSION])
    values = {"role": Role.EDITOR, "check": check, "run": lambda _run: None, **more}
    known[name] = JobKind(name, name, **values)
    monkeypatch.setitem(app.extensions, kinds.EXTENSION, known)


@pytest.fixture
def kind(any_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return lambda name="test", **more: add_kind(any_app, monkeypatch, name, **more)


@pytest.fixture
def beats(any_app: Flask) -> Beats:
    """Those of a worker in this process."""
    return Beats(any_app)


def given(name: str = "nightly", **more: Any) -> ScheduleInput:
    values = {
        "name": name, "trigger": "interval", "expression": "1 h", "time_zone": "Asia/Shanghai",
        "coalesce": False, "at_once": 3, "grace_seconds": 60, **more,
    }  # fmt: skip
    return ScheduleInput(**values)


def create(actor: Actor = OPERATOR, kind: str = "test", args: Any = None, **more: Any) -> int:
    """Make a schedule; returns its id."""
    return services.create_schedule(actor, given(**more), kind, args or {})


def read(schedule_id: int) -> Schedule:
    """The present row."""
    db.session.rollback()
    return db.session.scalars(select(Schedule).where(Schedule.id == schedule_id)).one()


def runs(schedule_id: int) -> list[ScheduleRun]:
    """The runs in their order."""
    db.session.rollback()
    own = select(ScheduleRun).where(ScheduleRun.schedule_id == schedule_id)
    return list(db.session.scalars(own.order_by(ScheduleRun.planned_at)))


def states(schedule_id: int) -> list[str]:
    return [run.state for run in runs(schedule_id)]


@unrecorded
def make_due(schedule_id: int, seconds: float = 0) -> None:
    """Move the next run, and so all of an interval, to so many seconds ago."""
    ago = DatabaseTime(-seconds)
    values = {"next_at": ago, "starts_at": ago}
    db.session.execute(update(Schedule).where(Schedule.id == schedule_id).values(values))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
