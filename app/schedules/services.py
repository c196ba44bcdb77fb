"""Making, changing, pausing, running and removing schedules."""

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from app.actor import Actor, Role, check_permission
from app.database.dialects import database_time
from app.database.engine import db
from app.database.failures import violates
from app.database.service import permitted, service
from app.errors import Conflict, Invalid
from app.history.models import ADMINISTRATORS
from app.history.services import Change, changed_fields, record
from app.jobs.kinds import Args, load_kind
from app.redis.ids import next_id
from app.schedules.models import RunState, Schedule
from app.schedules.queries import load_schedule
from app.schedules.rules import ScheduleInput, check_fields, check_kind
from app.schedules.running.starting import add_run, count_running, insert_job_of
from app.schedules.triggers import TriggerKind
from app.text import N_

NAME_TAKEN = N_("There is a schedule with this name.")
OUTDATED = N_("Someone else changed this schedule. Open it again to see how it is now.")
BUSY = N_("As many of its jobs as may run at once are running.")
JUST_STARTED = N_("It was started a moment ago.")
# What the history has of a schedule: no arguments, which may be long or private.
RECORDED = ("name", "kind", "trigger", "expression", "time_zone", "paused")
SHIPPED = N_("This schedule ships with Gazetteer. It can be paused, but not removed.")
ENDED = N_("It is over: its moment has passed. Change when it runs first.")


def check_job(actor: Actor, kind_name: str, args: Args) -> dict[str, Any]:
    """The columns of the kind and the arguments, if the actor may start such jobs."""
    kind = load_kind(kind_name)
    check_permission(actor, kind.role, kind.by_token)
    check_kind(kind)
    return {"kind": kind.name, "args": json.dumps(dict(kind.check(args)), ensure_ascii=False)}


def check_all(actor: Actor, given: ScheduleInput, kind: str, args: Args) -> dict[str, Any]:
    """The columns of a schedule; Invalid with the messages of all fields at once."""
    moment = database_time()
    try:
        job, errors = check_job(actor, kind, args), {}
    except Invalid as error:
        job, errors = {}, dict(error.fields)
    try:
        timing, columns = check_fields(given, moment)
    except Invalid as error:
        raise Invalid(fields={**errors, **error.fields}) from None
    if errors:
        raise Invalid(fields=errors)
    next_at = timing.next_after(moment)
    return {**columns, **job, "starts_at": timing.start, "next_at": next_at, "person_id": actor.id}


@service(Role.ADMIN, by_token=False)
def create_schedule(actor: Actor, given: ScheduleInput, kind: str, args: Args) -> int:
    """Make a schedule that starts jobs of a kind; returns its id."""
    values = {**check_all(actor, given, kind, args), "paused": False}
    try:
        inserted: Any = db.session.execute(insert(Schedule).values(values))
    except IntegrityError as error:
        raise refuse_name(error) from error
    schedule_id: int = inserted.inserted_primary_key[0]
    fields = {name: values[name] for name in RECORDED}
    change = Change(schedule_id, None, fields, version=1)
    record(actor, "schedule.create", change, visible_to=ADMINISTRATORS)
    return schedule_id


def recorded(row: Schedule) -> dict[str, Any]:
    """The present fields of a schedule for the history."""
    return {name: getattr(row, name) for name in RECORDED}


def refuse_name(error: IntegrityError) -> Exception:
    """What a taken name is answered with; any other error as it is."""
    taken = violates(error, "uq_schedule_name")
    return Invalid(fields={"name": NAME_TAKEN}) if taken else error


@service(Role.ADMIN, by_token=False)
def update_schedule(
    actor: Actor, schedule_id: int, version: int | None, given: ScheduleInput, args: Args
) -> None:
    """Change a schedule, whose jobs are then done in the name of the actor. One that ships with the
    product has its name and remains the operator's. Conflict if it has another version by now."""
    row = load_schedule(actor, schedule_id, lock=True)
    if row.version != version:
        raise Conflict(OUTDATED)
    before = recorded(row)
    if row.shipped:
        given = replace(given, name=row.name)
    values = check_all(actor, given, row.kind, args)
    if row.shipped:
        values["person_id"] = None
    if keeps_timing(row, values):
        values |= {"starts_at": row.starts_at, "next_at": row.next_at}
    if row.paused:
        values["next_at"] = None
    try:
        change_row(actor, row, "schedule.update", before, values)
    except IntegrityError as error:
        raise refuse_name(error) from error


def keeps_timing(row: Schedule, values: dict[str, Any]) -> bool:
    """True if a change leaves the moments of a schedule as they were: then an interval goes on, and
    what is due at this moment is still run. Intervals are the same in every time zone."""
    names = ["trigger", "expression"]
    if row.trigger != TriggerKind.INTERVAL:
        names.append("time_zone")
    return all(getattr(row, name) == values[name] for name in names)


def change_row(
    actor: Actor, row: Schedule, action: str, before: dict[str, Any], values: dict[str, Any]
) -> None:
    """Change a locked row and record it."""
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    db.session.flush()
    changed = changed_fields(before, {name: getattr(row, name) for name in before})
    change = Change(row.id, *changed, row.version)
    record(actor, action, change, visible_to=ADMINISTRATORS)


@service(Role.ADMIN, by_token=False)
def pause_schedule(actor: Actor, schedule_id: int) -> bool:
    """Start no more jobs until it is resumed; False if it is paused."""
    row = load_schedule(actor, schedule_id, lock=True)
    if row.paused:
        return False
    values = {"paused": True, "next_at": None}
    change_row(actor, row, "schedule.pause", recorded(row), values)
    return True


@service(Role.ADMIN, by_token=False)
def resume_schedule(actor: Actor, schedule_id: int) -> bool:
    """Go on with the next moment from now; False if it is not paused."""
    row = load_schedule(actor, schedule_id, lock=True)
    if not row.paused:
        return False
    next_at = row.timing.next_after(database_time())
    if next_at is None:
        raise Conflict(ENDED)
    values = {"paused": False, "next_at": next_at}
    change_row(actor, row, "schedule.resume", recorded(row), values)
    return True


@permitted(Role.ADMIN, by_token=False)
def run_schedule(actor: Actor, schedule_id: int) -> int:
    """Start a job now, also of a schedule that is paused; returns the job's id."""
    return run_now(actor, schedule_id, next_id())


@service(Role.ADMIN, by_token=False)
def run_now(actor: Actor, schedule_id: int, job_id: int) -> int:
    """Start the job of run_schedule(), which has made its id."""
    row = load_schedule(actor, schedule_id, lock=True)
    if count_running(row.id) >= row.at_once:
        raise Conflict(BUSY)
    moment, job_id = database_time(), insert_job_of(row, job_id)
    try:
        add_run(row, moment, moment, RunState.STARTED, job_id=job_id)
    except IntegrityError as error:
        if violates(error, "uq_schedule_run_schedule_id"):
            raise Conflict(JUST_STARTED) from error
        raise
    record(actor, "schedule.run", Change(row.id, None, {}), visible_to=ADMINISTRATORS)
    return job_id


@service(Role.ADMIN, by_token=False)
def delete_schedule(actor: Actor, schedule_id: int) -> str:
    """Remove a schedule with the record of its runs; its jobs go on. Returns its name."""
    row = load_schedule(actor, schedule_id, lock=True)
    if row.shipped:
        raise Conflict(SHIPPED)
    name = row.name
    record_deletion(actor, [row])
    return name


@service(Role.ADMIN, by_token=False)
def delete_all(actor: Actor) -> int:
    """Remove all schedules but those that ship with the product; returns how many."""
    own = select(Schedule).where(Schedule.shipped.is_(None))
    rows = list(db.session.scalars(own.with_for_update()))
    record_deletion(actor, rows)
    return len(rows)


def record_deletion(actor: Actor, rows: list[Schedule]) -> None:
    """Delete locked rows and record it."""
    changes = [Change(row.id, recorded(row), None, row.version) for row in rows]
    db.session.execute(delete(Schedule).where(Schedule.id.in_([row.id for row in rows])))
    if changes:
        record(actor, "schedule.delete", *changes, visible_to=ADMINISTRATORS)
