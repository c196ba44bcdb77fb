"""Which schedules are valid."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import Conflict, Invalid
from app.jobs.kinds import JobKind
from app.schedules.models import AT_ONCE_MOST, EXPRESSION_LENGTH, GRACE_MOST, NAME_LENGTH
from app.schedules.triggers import Timing, make_timing
from app.text import N_, Message, read_line

NO_NAME = N_("The name must have 1 to %(most)s visible characters.", most=NAME_LENGTH)
LONG = N_("This must have at most %(most)s characters.", most=EXPRESSION_LENGTH)
NO_COUNT = N_("This must be a number from 1 to %(most)s.", most=AT_ONCE_MOST)
NO_GRACE = N_("This must be a number from 1 to %(most)s.", most=GRACE_MOST)
HOUSEKEEPING = N_("When housekeeping is done cannot be changed. It can be paused, and done now.")


@dataclass(frozen=True)
class ScheduleInput:
    """A schedule as somebody typed it."""

    name: str
    trigger: str
    expression: str
    time_zone: str
    coalesce: bool
    at_once: int | None
    grace_seconds: int | None


def check_kind(kind: JobKind) -> None:
    """Refuse schedules of people for housekeeping, which has one already."""
    if kind.housekeeping:
        raise Conflict(HOUSEKEEPING)


def check_fields(given: ScheduleInput, start: datetime) -> tuple[Timing, dict[str, Any]]:
    """The timing of a schedule and its columns; Invalid with a message for each field."""
    errors: dict[str, Message | str] = {}
    name = read_line(given.name, NAME_LENGTH)
    if name is None:
        errors["name"] = NO_NAME
    if not 1 <= (given.at_once or 0) <= AT_ONCE_MOST:
        errors["at_once"] = NO_COUNT
    if not 1 <= (given.grace_seconds or 0) <= GRACE_MOST:
        errors["grace_seconds"] = NO_GRACE
    if len(given.expression) > EXPRESSION_LENGTH:
        errors["expression"] = LONG
    try:
        timing = make_timing(
            given.trigger, given.expression[:EXPRESSION_LENGTH], given.time_zone, start
        )
    except Invalid as error:
        errors = {**error.fields, **errors}
    if errors:
        raise Invalid(fields=errors)
    return timing, {
        "name": name,
        "trigger": timing.trigger,
        "expression": timing.expression,
        "time_zone": timing.zone,
        "coalesce": given.coalesce,
        "at_once": given.at_once,
        "grace_seconds": given.grace_seconds,
    }
