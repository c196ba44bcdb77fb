"""The set-up form."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired

from app.auth.validators import NEW_PASSWORD, name_length, password_length
from app.cities.services import SAMPLE_COUNT
from app.web.forms import BaseForm


class SetupForm(BaseForm):
    """Name and password of the first administrator, and whether to add the sample cities."""

    name = StringField(
        _l("Name"),
        [InputRequired(_l("Enter a name.")), name_length()],
        render_kw={"autocomplete": "username"},
    )
    password = PasswordField(
        _l("Password"),
        [InputRequired(_l("Enter a password.")), password_length()],
        render_kw=NEW_PASSWORD,
    )
    again = PasswordField(
        _l("Password again"),
        [EqualTo("password", _l("The two passwords differ."))],
        render_kw={"autocomplete": "new-password"},
    )
    sample = BooleanField(
        _l("Add the %(count)d sample cities of China", count=SAMPLE_COUNT), default=True
    )
