"""Schedules as pages show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from app.actor import Actor
from app.history.entries import COMMAND_LINE, person_names
from app.jobs.kinds import all_kinds, label_of
from app.schedules.models import RunState, Schedule, ScheduleRun
from app.schedules.queries import last_runs
from app.schedules.shipped import all_shipped, name_of
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
BUILT_IN = _l("Built in")


@dataclass(frozen=True)
class ScheduleRow:
    """One schedule. `who` is in whose name its jobs are done; `last` is None if it never ran."""

    schedule: Schedule
    name: str
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
    def is_housekeeping(self) -> bool:
        kind = all_kinds().get(self.schedule.kind)
        return kind is not None and kind.housekeeping is not None

    @property
    def is_unknown(self) -> bool:
        """True for one that another release ships, or this one with other settings."""
        return self.schedule.shipped is not None and self.schedule.shipped not in all_shipped()

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
            name_of(row.name, row.shipped),
            label_of(row.kind),
            when_of(row),
            names[row.person_id] if row.person_id is not None else owner_of(row),
            last_of(row, last.get(row.id)),
        )
        for row in rows
    ]


def owner_of(row: Schedule) -> str:
    """Whose a schedule is that belongs to no person."""
    return str(BUILT_IN if row.shipped else COMMAND_LINE)


def last_of(row: Schedule, last: ScheduleRun | None) -> ScheduleRun | None:
    """The last run: of housekeeping that was done since it failed, or never failed, there is no
    row."""
    if row.ran_at is None or (last and last.planned_at > row.ran_at):
        return last
    return ScheduleRun(planned_at=row.ran_at, state=RunState.DONE)


def when_of(row: Schedule) -> str:
    """When it runs, as it was typed."""
    zone = "" if row.trigger == TriggerKind.INTERVAL else f" {row.time_zone}"
    return f"{row.expression}{zone}"
