"""Reads of schedules and of their runs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from app.actor import Actor, Role
from app.database.dialects import DatabaseTime
from app.database.engine import db
from app.database.service import permitted
from app.errors import NotFound
from app.schedules.models import PROBLEMS, Schedule, ScheduleRun
from app.schedules.shipped import name_of
from app.text import N_

NO_SCHEDULE = N_("There is no such schedule.")
RUNS_SHOWN = 50
RECENT_SECONDS = 86_400  # for which problems are reported


@dataclass(frozen=True)
class ProblemRuns:
    """How many runs were missed or failed within a day, of which schedule the last one, and when it
    was planned."""

    count: int
    schedule_id: int
    name: str
    planned_at: datetime


@permitted(Role.ADMIN, by_token=False)
def list_schedules(actor: Actor) -> Sequence[Schedule]:
    """All schedules by name."""
    return db.session.scalars(select(Schedule).order_by(Schedule.name)).all()


@permitted(Role.ADMIN, by_token=False)
def load_schedule(actor: Actor, schedule_id: int, lock: bool = False) -> Schedule:
    """A schedule; NotFound if there is none of this id."""
    row: Schedule | None = db.session.get(Schedule, schedule_id, with_for_update=lock or None)
    if row is None:
        raise NotFound(NO_SCHEDULE)
    return row


@permitted(Role.ADMIN, by_token=False)
def find_schedule(actor: Actor, name: str) -> Schedule:
    """A schedule by its name; NotFound if there is none."""
    query = select(Schedule).where(Schedule.name == name)
    row: Schedule | None = db.session.scalar(query)
    if row is None:
        raise NotFound(NO_SCHEDULE)
    return row


@permitted(Role.ADMIN, by_token=False)
def list_runs(actor: Actor, schedule_id: int, most: int = RUNS_SHOWN) -> Sequence[ScheduleRun]:
    """The latest runs of a schedule, the newest first."""
    query = select(ScheduleRun).where(ScheduleRun.schedule_id == schedule_id)
    return db.session.scalars(query.order_by(ScheduleRun.planned_at.desc()).limit(most)).all()


@permitted(Role.ADMIN, by_token=False)
def last_runs(actor: Actor, ids: Collection[int]) -> Mapping[int, ScheduleRun]:
    """The last run of each of these schedules that has one."""
    own = ScheduleRun.schedule_id.in_(ids)
    last = select(ScheduleRun.schedule_id, func.max(ScheduleRun.planned_at).label("planned_at"))
    newest = last.where(own).group_by(ScheduleRun.schedule_id).subquery()
    query = select(ScheduleRun).join(
        newest,
        (ScheduleRun.schedule_id == newest.c.schedule_id)
        & (ScheduleRun.planned_at == newest.c.planned_at),
    )
    return {run.schedule_id: run for run in db.session.scalars(query)}


def read_problems() -> ProblemRuns | None:
    """The runs that were missed or failed within a day; None if there are none. Housekeeping that
    was done since is none."""
    recent = ScheduleRun.started_at > DatabaseTime(-RECENT_SECONDS)
    not_done_since = or_(Schedule.ran_at.is_(None), Schedule.ran_at < ScheduleRun.planned_at)
    columns = (ScheduleRun.planned_at, Schedule.id, Schedule.name, Schedule.shipped)
    query = select(*columns, func.count().over().label("found")).join(Schedule)
    query = query.where(ScheduleRun.state.in_(PROBLEMS), recent, not_done_since)
    row = db.session.execute(query.order_by(ScheduleRun.planned_at.desc()).limit(1)).first()
    if row is None:
        return None
    return ProblemRuns(row.found, row.id, name_of(row.name, row.shipped), row.planned_at)
