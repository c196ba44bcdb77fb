"""What the history shows about schedules."""

from collections.abc import Collection, Iterable

from flask import url_for
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from sqlalchemy import select

from app.actor import Actor
from app.database.engine import db
from app.history.subjects import Subject
from app.jobs.kinds import label_of
from app.schedules.models import Schedule
from app.schedules.rows import TRIGGERS
from app.schedules.shipped import name_of


def names(ids: Iterable[int]) -> dict[int, str]:
    query = select(Schedule.id, Schedule.name, Schedule.shipped).where(Schedule.id.in_(list(ids)))
    return {row.id: name_of(row.name, row.shipped) for row in db.session.execute(query)}


def readable_schedules(actor: Actor, ids: Collection[int]) -> Collection[int]:
    return ids if actor.is_admin else ()


SCHEDULE = Subject(
    kind="schedule",
    name=_l("Schedule"),
    labels=names,
    url=lambda schedule_id: url_for("schedules.show_schedule", schedule_id=schedule_id),
    may_read=readable_schedules,
    actions={
        "schedule.create": _l("Schedule created"),
        "schedule.update": _l("Schedule changed"),
        "schedule.pause": _l("Schedule paused"),
        "schedule.resume": _l("Schedule resumed"),
        "schedule.run": _l("Schedule run by hand"),
        "schedule.delete": _l("Schedule removed"),
    },
    fields={
        "name": lazy_pgettext("schedule", "Name"),
        "kind": _l("Kind"),
        "trigger": _l("When"),
        "expression": _l("Time or interval"),
        "time_zone": _l("Time zone"),
        "paused": _l("Paused"),
    },
    formats={"kind": label_of, "trigger": lambda name: str(TRIGGERS.get(name, name))},
    sentences={
        "schedule.create": _l("%(who)s created %(what)s"),
        "schedule.update": _l("%(who)s changed %(what)s"),
        "schedule.pause": _l("%(who)s paused %(what)s"),
        "schedule.resume": _l("%(who)s resumed %(what)s"),
        "schedule.run": _l("%(who)s ran %(what)s"),
        "schedule.delete": _l("%(who)s removed %(what)s"),
    },
    this=_l("this schedule"),
)
