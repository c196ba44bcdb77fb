"""The tables of schedules and of their runs."""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database.engine import db
from app.database.types import Id, Moment, UtcDateTime, bounded, large_text, long_text
from app.jobs.models import KIND_LENGTH, STATE_LENGTH
from app.schedules.triggers import Timing, TriggerKind
from app.text import load_messages
from app.times import ZONE_LENGTH

NAME_LENGTH, EXPRESSION_LENGTH, HOST_LENGTH = 80, 200, 255
AT_ONCE, AT_ONCE_MOST = 3, 20
GRACE_SECONDS, GRACE_MOST = 60, 86_400


class RunState(StrEnum):
    """What came of a planned run. `missed`: nothing ran in time; `busy`: as many as may run at once
    were running; `merged`: a later one runs instead; the others are states of its job."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    MISSED = "missed"
    BUSY = "busy"
    MERGED = "merged"


NOT_RUN = (RunState.MISSED, RunState.BUSY)
PROBLEMS = (*NOT_RUN, RunState.FAILED, RunState.LOST)


class Schedule(db.Model):  # type: ignore[name-defined,misc]
    """What starts jobs of a kind with the same arguments, again and again or once.

    `next_at` is empty while it is paused and when it is over. Intervals count from `starts_at`.
    `person_id` is in whose name the jobs are done: who saved it last; empty for the operator. With
    `coalesce` one run replaces several that are due at the same time. `shipped` is the name of
    one that ships with the product (shipped.py). `ran_at` is when the clock has last done the work
    itself, without an error (running/housekeeping.py).
    """

    __tablename__ = "schedule"
    __table_args__ = (
        Index("ix_schedule_next_at", "next_at"),
        Index("ix_schedule_shipped", "shipped", unique=True),
        {"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(bounded(NAME_LENGTH), unique=True)
    kind: Mapped[str] = mapped_column(String(KIND_LENGTH))
    args: Mapped[str] = mapped_column(large_text())
    trigger: Mapped[str] = mapped_column(String(STATE_LENGTH))
    expression: Mapped[str] = mapped_column(bounded(EXPRESSION_LENGTH))
    time_zone: Mapped[str] = mapped_column(bounded(ZONE_LENGTH))
    starts_at: Mapped[Moment]
    paused: Mapped[bool] = mapped_column(default=False)
    coalesce: Mapped[bool] = mapped_column(default=True)
    at_once: Mapped[int] = mapped_column(default=AT_ONCE)
    grace_seconds: Mapped[int] = mapped_column(default=GRACE_SECONDS)
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[Moment]
    version: Mapped[int] = mapped_column(default=1)
    shipped: Mapped[str | None] = mapped_column(bounded(NAME_LENGTH))
    ran_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def timing(self) -> Timing:
        """When it is due."""
        return Timing(TriggerKind(self.trigger), self.expression, self.time_zone, self.starts_at)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments of its jobs."""
        found: Mapping[str, Any] = json.loads(self.args)
        return found


class ScheduleRun(db.Model):  # type: ignore[name-defined,misc]
    """One planned run. Of missed ones in a row there is one row for all, which were planned from
    `planned_at` until before `missed_until`; so it is of housekeeping that has failed again and
    again, of which what succeeded is in `Schedule.ran_at`. The `message` says why it failed."""

    __tablename__ = "schedule_run"
    __table_args__ = (
        UniqueConstraint("schedule_id", "planned_at", name="uq_schedule_run_schedule_id"),
        Index("ix_schedule_run_state", "state"),
        Index("ix_schedule_run_job_id", "job_id"),
        {"mysql_charset": "utf8mb4", "sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id", ondelete="CASCADE"))
    planned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    missed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(STATE_LENGTH))
    job_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("job.id", ondelete="SET NULL")
    )
    host: Mapped[str] = mapped_column(bounded(HOST_LENGTH))
    message: Mapped[str | None] = mapped_column(long_text())

    @property
    def shown(self) -> str:
        """The message in the language of the reader."""
        return load_messages(self.message or "")

    @property
    def was_started(self) -> bool:
        return self.state not in (*NOT_RUN, RunState.MERGED)
