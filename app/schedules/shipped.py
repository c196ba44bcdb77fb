"""Schedules that ship with the product. A package adds its own in its init_app:

    shipped.add(app, Shipped("nightly-backup", _l("Nightly backup"), "backup.create", "0 2 * * *"))

The clock stores those that are new. They can be paused and not removed; their jobs are done in the
name of the operator.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Flask, current_app
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from app.current import settings
from app.database.dialects import database_time
from app.database.engine import db
from app.database.failures import violates
from app.database.service import unrecorded
from app.jobs import kinds
from app.schedules.models import GRACE_MOST, Schedule
from app.schedules.triggers import Timing, TriggerKind, make_timing

EXTENSION = "gazetteer-shipped-schedules"


@dataclass(frozen=True)
class Shipped:
    """One of them. `name` is that of commands and of its row, `label` what people call it.
    `expression` is five fields of cron in the time zone of the site, or, with another `trigger`, an
    interval. It runs up to a day late, because a laptop sleeps at night."""

    name: str
    label: Any
    kind: str
    expression: str
    trigger: TriggerKind = TriggerKind.CRON
    args: Mapping[str, Any] = field(default_factory=dict)
    paused: bool = False


def add(app: Flask, schedule: Shipped) -> None:
    """Make one known; called by a package's init_app()."""
    app.extensions.setdefault(EXTENSION, {})[schedule.name] = schedule


def add_housekeeping(
    app: Flask, name: str, label: Any, seconds: int, work: Callable[[], object]
) -> None:
    """Have the clock do short work every so many seconds (running/housekeeping.py). The name is
    also that of its kind of job."""
    kinds.add_housekeeping(app, name, label, work)
    every = f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"
    add(app, Shipped(name, label, name, every, TriggerKind.INTERVAL))


def all_shipped() -> Mapping[str, Shipped]:
    """All of them by name."""
    found: Mapping[str, Shipped] = current_app.extensions.get(EXTENSION, {})
    return found


def name_of(name: str, shipped: str | None) -> str:
    """What people call a schedule with the name of its row, in their language if it ships with the
    product."""
    known = all_shipped().get(shipped or "")
    return str(known.label) if known else name


def store_new() -> int:
    """Insert those that have no row yet; returns how many."""
    stored = set(db.session.scalars(select(Schedule.shipped).where(Schedule.shipped.is_not(None))))
    db.session.rollback()
    new = [each for name, each in all_shipped().items() if name not in stored]
    return sum(store(each) for each in new)


def store(given: Shipped) -> bool:
    """Insert one, under another name if a person has taken its own. False if another clock was
    first."""
    return any(insert_row(given, name) for name in (given.name, f"{given.name} (2)"))


@unrecorded
def insert_row(given: Shipped, name: str) -> bool:
    """Insert the row under this name; False if one of its unique values is taken."""
    moment = database_time()
    timing = make_timing(given.trigger, given.expression, settings().time_zone, moment)
    values = {
        "name": name,
        "shipped": given.name,
        "kind": given.kind,
        "args": json.dumps(dict(kinds.load_kind(given.kind).check(given.args))),
        "trigger": timing.trigger,
        "expression": timing.expression,
        "time_zone": timing.zone,
        "starts_at": timing.start,
        "paused": given.paused,
        "coalesce": True,
        "at_once": 1,
        "grace_seconds": GRACE_MOST,
        "next_at": None if given.paused else first_run(timing, moment),
    }
    try:
        db.session.execute(insert(Schedule).values(values))
    except IntegrityError as error:
        if not any(violates(error, name) for name in ("uq_schedule_name", "ix_schedule_shipped")):
            raise
        return False
    return True


def first_run(timing: Timing, moment: datetime) -> datetime | None:
    """What is done again and again is done at once."""
    return moment if timing.trigger is TriggerKind.INTERVAL else timing.next_after(moment)
