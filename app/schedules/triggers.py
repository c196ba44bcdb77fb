"""When a schedule is due: checking what people type, and computing the next moments."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from app.auth.preferences.zones import read_zone
from app.errors import Invalid
from app.schedules.weekdays import name_weekdays
from app.text import N_, excerpt

UNITS = {"": 1, "s": 1, "min": 60, "h": 3600, "d": 86_400}
INTERVAL = re.compile(r"([0-9]{1,9})\s*(s|min|h|d)?")
SECONDS_MOST = 366 * 86_400
FIRST_YEAR, LAST_YEAR = 1970, 9000
DATE_FORMATS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")
CRON_FIELDS = ("second", "minute", "hour", "day", "month", "day_of_week")
CRON_NAMES = {
    "second": N_("second"), "minute": N_("minute"), "hour": N_("hour"),
    "day": N_("day"), "month": N_("month"), "day_of_week": N_("weekday"),
}  # fmt: skip
CRON_TEXT = re.compile(r"[0-9a-z*,/-]+")
# 29 February comes again within eight years; what does not come within them never does.
CRON_YEARS = 8

NO_ZONE = N_("This is not a time zone. Examples: Asia/Shanghai, Shanghai, UTC.")
NO_INTERVAL = N_("Write a number and a unit: 90 s, 5 min, 2 h or 1 d.")
INTERVAL_BOUNDS = N_("The interval must be from 1 second to 366 days.")
NO_DATE = N_("Write a date and a time, such as 2030-12-24 08:00.")
NO_CRON = N_("Write five fields: minute, hour, day, month and weekday; or six, with seconds first.")
NEVER = N_("This never happens.")
PAST = N_("This moment has passed.")


class TriggerKind(StrEnum):
    """How a schedule says when it is due."""

    INTERVAL = "interval"
    CRON = "cron"
    DATE = "date"


@dataclass(frozen=True)
class Timing:
    """When a schedule is due. Intervals count from `start`, so that every process computes the same
    moments."""

    trigger: TriggerKind
    expression: str
    zone: str
    start: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        """The first moment later than this one, in UTC; None if there is none."""
        trigger = make_trigger(self, moment)
        while found := trigger.get_next_fire_time(None, moment + timedelta(microseconds=1)):
            moment = found.astimezone(UTC)
            if not self.repeats(moment):
                return moment
        return None

    def repeats(self, moment: datetime) -> bool:
        """True if clocks have been put back to this time, and it is one of certain hours: as in
        cron, it does not come again."""
        hour = -4 if self.trigger is TriggerKind.CRON else None
        is_second = moment.astimezone(ZoneInfo(self.zone)).fold == 1
        return is_second and hour is not None and "*" not in self.expression.split()[hour]

    def following(self, moment: datetime) -> Iterator[datetime]:
        """The moments later than this one, in their order."""
        found = self.next_after(moment)
        while found is not None:
            yield found
            found = self.next_after(found)

    def preview(self, moment: datetime, count: int = 5) -> list[datetime]:
        """The next few moments."""
        return list(islice(self.following(moment), count))


def make_timing(trigger: str, expression: str, zone: str, start: datetime) -> Timing:
    """The timing of these values as people type them; Invalid with a message for each field."""
    known = read_zone(zone)
    if known is None:
        raise Invalid(fields={"time_zone": NO_ZONE})
    if trigger not in set(TriggerKind):
        raise Invalid(fields={"trigger": N_("Not a valid choice.")})
    text = " ".join(expression.lower().split())
    timing = Timing(TriggerKind(trigger), text, known, start.replace(microsecond=0))
    if timing.trigger is TriggerKind.DATE:
        check_local_time(timing)
    if timing.next_after(start) is None:
        raise wrong(PAST if timing.trigger is TriggerKind.DATE else NEVER)
    return timing


def wrong(text: Any) -> Invalid:
    return Invalid(fields={"expression": text})


def make_trigger(timing: Timing, moment: datetime) -> Any:
    """The trigger for moments later than this one."""
    if timing.trigger is TriggerKind.INTERVAL:
        seconds = read_seconds(timing.expression)
        return IntervalTrigger(seconds=seconds, start_date=timing.start, timezone=UTC)
    if timing.trigger is TriggerKind.DATE:
        return OnceTrigger(read_date(timing.expression).replace(tzinfo=ZoneInfo(timing.zone)))
    return make_cron(timing, moment)


class OnceTrigger(DateTrigger):  # type: ignore[misc]
    """A date that is over once it has passed."""

    def __init__(self, moment: datetime) -> None:
        super().__init__(moment, timezone=moment.tzinfo)

    def get_next_fire_time(self, _previous: Any, now: datetime) -> datetime | None:
        due: datetime = self.run_date
        return due if due.astimezone(UTC) >= now else None


def read_seconds(expression: str) -> int:
    """The seconds of an interval."""
    found = INTERVAL.fullmatch(expression)
    if not found:
        raise wrong(NO_INTERVAL)
    seconds = int(found[1]) * UNITS[found[2] or ""]
    if not 1 <= seconds <= SECONDS_MOST:
        raise wrong(INTERVAL_BOUNDS)
    return seconds


def read_date(expression: str) -> datetime:
    """A date and a time without a time zone."""
    for form in DATE_FORMATS:
        try:
            found = datetime.strptime(expression.replace("t", " "), form)  # noqa: DTZ007
        except ValueError:
            continue
        if FIRST_YEAR <= found.year <= LAST_YEAR:
            return found
    raise wrong(NO_DATE)


def check_local_time(timing: Timing) -> None:
    """Refuse a local time that is skipped or comes twice because clocks are put forward or back."""
    zone = ZoneInfo(timing.zone)
    early = read_date(timing.expression).replace(tzinfo=zone)
    late = early.replace(fold=1)
    if early.utcoffset() == late.utcoffset():
        return
    words = {"time": timing.expression, "zone": timing.zone}
    if early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != early.replace(tzinfo=None):
        text = N_("%(time)s does not exist in %(zone)s: clocks are put forward then.", **words)
        raise wrong(text)
    raise wrong(N_("%(time)s comes twice in %(zone)s: clocks are put back then.", **words))


def make_cron(timing: Timing, moment: datetime) -> Any:
    """The trigger of a cron expression. As in cron, a day that is restricted in both its fields
    comes when either matches."""
    fields = read_cron(timing.expression)
    zone = ZoneInfo(timing.zone)
    year = moment.astimezone(zone).year
    more = {"year": f"{year}-{min(9999, year + CRON_YEARS)}", "timezone": zone}
    either = [fields]
    if "*" not in (fields["day"][0], fields["day_of_week"][0]):
        either = [fields | {"day": "*"}, fields | {"day_of_week": "*"}]
    try:
        triggers = [CronTrigger(**each, **more) for each in either]
    except ValueError:
        raise wrong(find_wrong(fields)) from None
    return triggers[0] if len(triggers) == 1 else OrTrigger(triggers)


def read_cron(expression: str) -> dict[str, str]:
    """The fields of a cron expression, with names of weekdays instead of numbers."""
    words = expression.split()
    if len(words) not in (5, 6) or not all(map(CRON_TEXT.fullmatch, words)):
        raise wrong(NO_CRON)
    fields = dict(zip(CRON_FIELDS, ["0"] * (6 - len(words)) + words, strict=True))
    try:
        return fields | {"day_of_week": name_weekdays(fields["day_of_week"])}
    except ValueError:
        raise wrong(not_valid("day_of_week", fields["day_of_week"])) from None


def find_wrong(fields: dict[str, str]) -> Any:
    """The message about the first field that is not valid."""
    for name, text in fields.items():
        try:
            CronTrigger(**{name: text}, timezone=UTC)
        except ValueError:
            return not_valid(name, text)
    return NO_CRON


def not_valid(name: str, text: str) -> Any:
    words = {"name": CRON_NAMES[name], "given": excerpt(text)}
    return N_("“%(given)s” is not valid for the %(name)s.", **words)
