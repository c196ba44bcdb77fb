"""Schedules as pages show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from app.actor import Actor
from app.history.entries import COMMAND_LINE, person_names
from app.jobs.kinds import label_of
from app.schedules.models import RunState, Schedule, ScheduleRun
from app.schedules.queries import last_runs
from app.schedules.triggers import TriggerKind

TRIGGERS: Mapping[str, Any] = {
    TriggerKind.INTERVAL: _l("Every so often"),
    TriggerKind.CRON: _l("At certain times (cron)"),
    TriggerKind.DATE: _l("Once"),
}
STATES: Mapping[str, Any] = {
    RunState.STARTED: _l("Started"), RunState.DONE: _l("Done"), RunState.FAILED: _l("Failed"),
    RunState.CANCELLED: _l("Cancelled"), RunState.LOST: _l("Lost"), RunState.MISSED: _l("Missed"),
    RunState.BUSY: _l("Missed: too many at once"), RunState.MERGED: _l("Merged with the next"),
}  # fmt: skip


@dataclass(frozen=True)
class ScheduleRow:
    """One schedule. `who` is in whose name its jobs are done."""

    schedule: Schedule
    label: str
    when: str
    who: str
    last: ScheduleRun | None

    @property
    def id(self) -> int:
        return self.schedule.id

    @property
    def last_state(self) -> str:
        return state_of(self.last) if self.last else ""

    @property
    def is_over(self) -> bool:
        return self.schedule.next_at is None and not self.schedule.paused


def state_of(run: ScheduleRun) -> str:
    """The state of a run in words."""
    return str(STATES.get(run.state, run.state))


def describe_schedules(actor: Actor, rows: Sequence[Schedule]) -> list[ScheduleRow]:
    """The rows of a list."""
    names = person_names(row.person_id for row in rows if row.person_id is not None)
    last = last_runs(actor, [row.id for row in rows])
    return [
        ScheduleRow(
            row,
            label_of(row.kind),
            when_of(row),
            str(COMMAND_LINE) if row.person_id is None else names[row.person_id],
            last.get(row.id),
        )
        for row in rows
    ]


def when_of(row: Schedule) -> str:
    """When it runs, as it was typed."""
    zone = "" if row.trigger == TriggerKind.INTERVAL else f" {row.time_zone}"
    return f"{row.expression}{zone}"
