"""The set-up form."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired

from app.cities.services import SAMPLE_COUNT


class SetupForm(FlaskForm):  # type: ignore[misc]
    """Name and password of the first administrator, and whether to begin with sample cities."""

    name = StringField(
        _l("Name"), [InputRequired(_l("Type a name."))], render_kw={"autocomplete": "username"}
    )
    password = PasswordField(
        _l("Password"),
        [InputRequired(_l("Type a password."))],
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        _l("Password again"),
        [EqualTo("password", _l("The two passwords differ."))],
        render_kw={"autocomplete": "new-password"},
    )
    sample = BooleanField(
        _l("Begin with the %(count)d sample cities of China", count=SAMPLE_COUNT), default=True
    )
