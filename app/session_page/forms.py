"""The form of the page "Session"."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import DataRequired

from app.session_page.services import (
    KEY_LENGTH,
    KEY_LENGTH_MESSAGE,
    VALUE_LENGTH,
    VALUE_LENGTH_MESSAGE,
    clean_key,
)
from app.web.forms import BaseForm, TextLength


class ValueForm(BaseForm):
    """A key and its value; the value may be empty."""

    key = StringField(
        _l("Key"),
        [DataRequired(KEY_LENGTH_MESSAGE), TextLength(-1, KEY_LENGTH, KEY_LENGTH_MESSAGE)],
        filters=[clean_key],
    )
    value = StringField(_l("Value"), [TextLength(-1, VALUE_LENGTH, VALUE_LENGTH_MESSAGE)])
