"""The shape of the form of a city; the rules are in rules.py, for other ways in as well."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField


class CityForm(FlaskForm):  # type: ignore[misc]
    """Adding and editing. `version` says which state of the row the form shows, `key` makes the
    form add only one city however often it is sent, `next` is the list one came from."""

    city = StringField(_l("City"))
    province = StringField(_l("Province"))
    number = StringField(_l("Users"))
    version = HiddenField()
    key = HiddenField()
    next = HiddenField()

    def values(self) -> tuple[str | None, str | None, str | None]:
        """What was typed, in the order the services take it."""
        return self.province.data, self.city.data, self.number.data
