"""The form of a city, made of the table of fields."""

from collections.abc import Iterator
from typing import Any

from wtforms import HiddenField, StringField
from wtforms.validators import StopValidation
from wtforms.widgets import TextArea

from app.cities.fields import FIELDS, Field
from app.text import Message
from app.web.forms import BaseForm


class CityForm(BaseForm):
    """Adding and editing; a control for each of FIELDS is added below. `version` says which state
    of the row the form shows, `key` is its idempotency key, `next` the list to go back to.
    `anyway` confirms a second city of the names that it holds, or of any with "1"."""

    version = HiddenField()
    key = HiddenField()
    next = HiddenField()
    anyway = StringField()

    @property
    def controls(self) -> Iterator[Any]:
        """The controls of the city's fields, in their order."""
        return (self[field.name] for field in FIELDS)

    @property
    def names(self) -> str:
        """The names as they were typed."""
        values = self.values()
        return f"{values['province']} {values['city']}".strip()

    @property
    def is_confirmed(self) -> bool:
        """True if the names of another city may be used: those for which that was offered, not
        others that were typed since."""
        return self.anyway.data in ("1", self.names)

    def values(self) -> dict[str, str]:
        """What was typed, by the names of fields."""
        return {field.name: self[field.name].data or "" for field in FIELDS}


class Rule:
    """A validator: the rule of a field, and what a browser checks of it. `maxlength` is above every
    limit, so that the rule reports what is wrong and the browser does not cut it."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.field_flags = {"required": field.required, "maxlength": field.length}

    def __call__(self, form: CityForm, control: Any) -> None:
        found = self.field.read(control.data or "")
        if isinstance(found, Message):
            raise StopValidation(str(found))


for each in FIELDS:
    control = StringField(
        each.label,
        [Rule(each)],
        name=each.form_name,
        description=each.help or "",
        widget=TextArea() if "rows" in each.attributes else None,
        render_kw={"autocomplete": "off", **each.attributes},
    )
    setattr(CityForm, each.name, control)
