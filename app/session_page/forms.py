"""The forms of the page "Session"."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField

from app.session_page.services import KEY_LENGTH, VALUE_LENGTH

# `required` is only told to the reader here; session_values.py has the rules.
KEY = {"maxlength": KEY_LENGTH, "required": True}


class PutForm(FlaskForm):  # type: ignore[misc]
    """A key and its value; the value may be empty."""

    key = StringField(_l("Key"), render_kw=KEY)
    value = StringField(_l("Value"), render_kw={"maxlength": VALUE_LENGTH})
