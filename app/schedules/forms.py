"""The form of a schedule, with the fields of the kind whose jobs it starts."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from wtforms import BooleanField, HiddenField, IntegerField, RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Optional

from app.current import settings
from app.jobs.kinds import JobKind
from app.schedules.models import (
    AT_ONCE,
    EXPRESSION_LENGTH,
    GRACE_SECONDS,
    NAME_LENGTH,
    Schedule,
)
from app.schedules.rows import TRIGGERS
from app.schedules.rules import ScheduleInput
from app.schedules.triggers import TriggerKind
from app.times import ZONE_LENGTH
from app.web.forms import BaseForm


class ScheduleForm(BaseForm):
    """When a schedule runs; services check the values. `version` is that of the schedule that the
    form shows."""

    name = StringField(
        lazy_pgettext("schedule", "Name"), [InputRequired()], render_kw={"maxlength": NAME_LENGTH}
    )
    trigger = RadioField(
        _l("When"),
        choices=[SelectChoice(str(name), label) for name, label in TRIGGERS.items()],
        default=TriggerKind.CRON,
        validate_choice=False,
    )
    expression = StringField(
        _l("Time or interval"), [InputRequired()], render_kw={"maxlength": EXPRESSION_LENGTH}
    )
    time_zone = StringField(
        _l("Time zone"),
        [InputRequired()],
        default=lambda: settings().time_zone,
        render_kw={"maxlength": ZONE_LENGTH},
    )
    coalesce = BooleanField(_l("Of several that are due at the same time, run one"), default=True)
    at_once = IntegerField(_l("Jobs at once, at most"), [Optional()], default=AT_ONCE)
    grace_seconds = IntegerField(
        _l("Seconds of delay until a run counts as missed"), [Optional()], default=GRACE_SECONDS
    )
    version = HiddenField()

    @property
    def input(self) -> ScheduleInput:
        """The schedule, without the arguments."""
        return ScheduleInput(
            name=(self.name.data or "") if self.name else "",
            trigger=self.trigger.data or "",
            expression=self.expression.data or "",
            time_zone=self.time_zone.data or "",
            coalesce=self.coalesce.data,
            at_once=self.at_once.data,
            grace_seconds=self.grace_seconds.data,
        )

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments of the jobs."""
        return {field.name: field.data for field in self.of_kind()}

    def of_kind(self) -> list[Any]:
        """The fields of the kind."""
        return [field for field in self if not hasattr(ScheduleForm, field.name)]


def form_of(kind: JobKind, named: bool = True) -> type[ScheduleForm]:
    """The class of the form for a kind; one that ships with the product has a fixed name."""
    fields = kind.form or BaseForm
    return type("KindScheduleForm", (ScheduleForm, fields), {} if named else {"name": None})


def filled_form(row: Schedule, kind: JobKind) -> ScheduleForm:
    """The form with the present values of a schedule."""
    names = ("name", "trigger", "expression", "time_zone", "coalesce", "at_once", "grace_seconds")
    values = {"version": str(row.version), **{name: getattr(row, name) for name in names}}
    return form_of(kind, named=not row.shipped)(data={**row.arguments, **values})
